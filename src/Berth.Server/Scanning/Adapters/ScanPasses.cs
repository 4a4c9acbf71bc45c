using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Scanning.Adapters;

/// <summary>The right to pull one repository, in the forms that scanners take.</summary>
/// <param name="Basic">Value of an Authorization header for the registry and its token service.</param>
/// <param name="BearerAsync">Makes the value of an Authorization header with a token that is good by itself.</param>
internal sealed record ScanPass(string Basic, Func<CancellationToken, ValueTask<string>> BearerAsync);

/// <summary>
/// Lets scanners pull what they have been asked to scan: a name and a secret that are good for pulling one repository while the job of the scan is unfinished (<see cref="ScanTicket"/>). They open
/// nothing else: not the management API, no other repository of the project, nothing but pulling, whatever token is made of them.
/// </summary>
internal sealed class ScanPasses(Database database, LocalTokens tokens, TimeProvider time) : ICredentialSource
{
    private const string NamePrefix = "scan$";

    public string Prefix => ScanTickets.CallerPrefix;

    /// <summary>The pass of a ticket whose secret was made just now.</summary>
    public ScanPass PassOf(long jobId, ScanTarget target, string secret) => new(new BasicCredentials(NameOf(jobId), secret).ToHeader(), async ct =>
    {
        var caller = await LoadAsync(jobId, ct).ConfigureAwait(false) ?? throw new InvalidOperationException($"the ticket of the scan of {target.Repository}@{target.Digest} is gone");
        return "Bearer " + (await tokens.IssueAccessAsync(caller, caller.Grants!, ct).ConfigureAwait(false)).Text;
    });

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        if (!name.StartsWith(NamePrefix, StringComparison.Ordinal) || !long.TryParse(name.AsSpan(NamePrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return CredentialVerdict.NotMine;
        if (await FindAsync(id, ct).ConfigureAwait(false) is not { } holder || !CryptographicOperations.FixedTimeEquals(holder.SecretHash, ScanTickets.HashOf(password))) return CredentialVerdict.Wrong;
        return CredentialVerdict.Of(CallerOf(id, holder));
    }

    public async ValueTask<Caller?> LoadAsync(long id, CancellationToken ct) => await FindAsync(id, ct).ConfigureAwait(false) is { } holder ? CallerOf(id, holder) : null;

    private static string NameOf(long id) => NamePrefix + id.ToString(CultureInfo.InvariantCulture);

    // An administrator's rights, cut to reading one project by the scopes and to pulling one repository by the grants.
    private static Caller CallerOf(long id, Holder holder)
    {
        if (!TokenScopes.TryParse($"{ProjectName.Of(holder.Repository)}:read", out var scopes, out var problem)) throw new InvalidOperationException(problem);
        return new Caller(ScanTickets.CallerPrefix + id, NameOf(id), isAdmin: true, [new TokenGrant(Grants.Repository, holder.Repository, [Grants.WordOf(RepositoryAction.Pull)])])
        {
            Kind = CallerKind.Robot,
            Scopes = scopes,
            Stamp = Base64Url.EncodeToString(holder.SecretHash.AsSpan(0, 16)),
            EndsAt = DateTimeOffset.FromUnixTimeMilliseconds(holder.EndsAt),
            IsScanner = true,
        };
    }

    private ValueTask<Holder?> FindAsync(long id, CancellationToken ct) =>
        database.ReadAsync((id, Now: time.GetUtcNow().ToUnixTimeMilliseconds()), static async ValueTask<Holder?> (session, q, token) =>
        {
            await using var row = await session.Command(Select, q.id, q.Now).ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? new Holder(row.GetFieldValue<byte[]>(0), row.GetInt64(1), row.GetString(2)) : null;
        }, ct);

    private static readonly Statement Select = new("""
        SELECT t.secret_hash, t.ends_at, r.name FROM scan_tickets t JOIN jobs j ON j.id = t.job_id AND j.state < 3
        JOIN manifests m ON m.id = t.manifest_id JOIN repositories r ON r.id = m.repository_id WHERE t.job_id = @0 AND t.ends_at > @1
        """);

    private sealed record Holder(byte[] SecretHash, long EndsAt, string Repository);
}
