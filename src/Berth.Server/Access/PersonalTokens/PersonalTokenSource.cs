using System.Buffers.Text;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Data;

namespace Berth.Server.Access.PersonalTokens;

/// <summary>
/// Personal access tokens in the place of a password, whatever the name, and as bearer tokens. The caller is the user, limited to the token's scopes; the token ends
/// with its user, its expiry and its revocation, not with the user's password.
/// </summary>
internal sealed class PersonalTokenSource(Database database, LastUse lastUse, TimeProvider time) : ICredentialSource
{
    public string Prefix => "pat:";

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        if (!PersonalTokenText.IsOne(password)) return CredentialVerdict.NotMine;
        return await FindAsync(password, ct).ConfigureAwait(false) is { } caller ? CredentialVerdict.Of(caller) : CredentialVerdict.Wrong;
    }

    /// <summary>The caller of a token, or null when it is wrong, expired or its user may not sign in.</summary>
    public async ValueTask<Caller?> FindAsync(string text, CancellationToken ct)
    {
        var found = await database.ReadAsync(PersonalTokenText.HashOf(text), static (s, hash, t) => ReadAsync(s, ByHash, hash, t), ct).ConfigureAwait(false);
        if (found is not { } row || CallerOf(row) is not { } caller) return null;
        await lastUse.NoteAsync(Touch, row.Id, row.LastUsedAt, ct).ConfigureAwait(false);
        return caller;
    }

    public async ValueTask<Caller?> LoadAsync(long id, CancellationToken ct) =>
        await database.ReadAsync(id, static (s, i, t) => ReadAsync(s, ById, i, t), ct).ConfigureAwait(false) is { } row ? CallerOf(row) : null;

    private Caller? CallerOf(Row row)
    {
        var end = row.ExpiresAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : (DateTimeOffset?)null;
        if (row.IsDisabled || end <= time.GetUtcNow()) return null;
        // What this version cannot read it must not widen.
        TokenScopes? scopes = null;
        if (row.Scopes.Length > 0 && !TokenScopes.TryParse(row.Scopes, out scopes, out _)) return null;
        return new Caller($"pat:{row.Id}", row.UserName, row.IsAdmin, grants: null)
        {
            Kind = CallerKind.User,
            SubjectId = row.UserId,
            Scopes = scopes,
            Stamp = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(row.Hash)).AsSpan(0, 16)),
            EndsAt = end,
            MustChangePassword = row.MustChangePassword,
        };
    }

    private static async ValueTask<Row?> ReadAsync(DbSession session, Statement statement, object key, CancellationToken ct)
    {
        await using var row = await session.Command(statement, key).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? Read(row) : null;
    }

    private static Row Read(DbDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetInt64(4), row.IsDBNull(5) ? null : row.GetInt64(5),
        row.GetString(6), row.GetBoolean(7) || row.GetBoolean(8), row.GetBoolean(9), row.GetBoolean(10));

    private const string Select = """
        SELECT t.id, t.user_id, t.token_hash, t.scopes, t.expires_at, t.last_used_at, u.name, u.is_admin, u.is_admin_by_source, u.is_disabled, u.must_change_password
        FROM personal_tokens t JOIN users u ON u.id = t.user_id
        """;

    private static readonly Statement ByHash = new($"{Select} WHERE t.token_hash = @0");
    private static readonly Statement ById = new($"{Select} WHERE t.id = @0");
    private static readonly Statement Touch = new("UPDATE personal_tokens SET last_used_at = @0 WHERE id = @1 AND (last_used_at IS NULL OR last_used_at < @2)");

    private sealed record Row(
        long Id, long UserId, string Hash, string Scopes, long? ExpiresAt, long? LastUsedAt, string UserName, bool IsAdmin, bool IsDisabled, bool MustChangePassword);
}
