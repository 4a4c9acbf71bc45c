using System.Data.Common;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Berth.Server.Access.Robots;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Access;

/// <summary>
/// Locks a name after many failed sign-ins on all replicas together (mode <c>local</c>); <see cref="FailedSignIns"/> slows guessing down before that, in each
/// process. Names that nobody has are counted and locked like the others. Where the name has signed in from before, the lock does not hold: locking
/// somebody out would be too easy otherwise. Names of robots are not locked, their secrets are not to be guessed and their addresses change.
/// </summary>
internal sealed class SignInLocks(IdentityOptions options, RuntimeSettings settings, Database database, TimeProvider time, ILogger<SignInLocks> log)
{
    private const int MaxRemembered = 20_000;
    private const int MaxNetworks = 64;

    // Failures further apart than this are no attack: the count begins anew.
    private static readonly TimeSpan CountFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan KnowNetworkFor = TimeSpan.FromDays(90);
    private static readonly TimeSpan SeenAgainAfter = TimeSpan.FromDays(1);

    // What this process has written down lately: a sign-in writes once a day, not each time.
    private readonly RecentMap<string, long> _seen = new(MaxRemembered);

    /// <summary>How long a try with a name must wait before it is read at all; null when it may go on.</summary>
    public async ValueTask<TimeSpan?> BlockedAsync(string name, IPAddress? address, CancellationToken ct)
    {
        if (!await IsCountedAsync(name, ct).ConfigureAwait(false)) return null;
        var now = Now();
        var until = await database.ReadAsync((name, now), static (s, q, t) => s.ScalarAsync(SelectLock, [q.name, q.now], t), ct).ConfigureAwait(false);
        if (until is null) return null;
        if (KeyOf(name, address) is { } network)
        {
            var isKnown = await database.ReadAsync((name, network), static (s, q, t) => s.ScalarAsync(SelectNetwork, [q.name, q.network], t), ct).ConfigureAwait(false);
            if (isKnown is not null) return null;
        }
        return TimeSpan.FromMilliseconds(until.Value - now);
    }

    /// <summary>Counts a failure with a name, and locks it when it is one too many.</summary>
    public async ValueTask FailedAsync(string name, CancellationToken ct)
    {
        if (!await IsCountedAsync(name, ct).ConfigureAwait(false)) return;
        var now = Now();
        var isLocked = await TryWriteAsync(async (session, token) =>
        {
            await session.ExecuteAsync(DeleteOld, [now - (long)CountFor.TotalMilliseconds, now], token).ConfigureAwait(false);
            var count = await session.ScalarAsync(Count, [name, now], token).ConfigureAwait(false) ?? 0;
            if (count < options.LockAfterFailures) return false;
            await session.ExecuteAsync(Lock, [name, now + (long)options.LockTime.TotalMilliseconds], token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        if (isLocked) log.NameLocked(name, options.LockAfterFailures, options.LockTime);
    }

    /// <summary>Forgets the failures of a name whose owner has come, and remembers from where.</summary>
    public async ValueTask SucceededAsync(string name, IPAddress? address, CancellationToken ct)
    {
        if (!await IsCountedAsync(name, ct).ConfigureAwait(false)) return;
        var now = Now();
        var network = KeyOf(name, address);
        var isSeen = network is null || _seen.TryGet(network, out var at) && now - at < SeenAgainAfter.TotalMilliseconds;
        var hasFailed = await database.ReadAsync(name, static (s, n, t) => s.ScalarAsync(SelectCount, [n], t), ct).ConfigureAwait(false) is not null;
        if (isSeen && !hasFailed) return;
        await TryWriteAsync(async (session, token) =>
        {
            if (hasFailed) await ReleaseAsync(session, name, token).ConfigureAwait(false);
            if (network is null) return true;
            await session.ExecuteAsync(Remember, [name, network, now], token).ConfigureAwait(false);
            await session.ExecuteAsync(ForgetOld, [now - (long)KnowNetworkFor.TotalMilliseconds], token).ConfigureAwait(false);
            await session.ExecuteAsync(ForgetMany, [name, MaxNetworks], token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        if (network is not null) _seen.Set(network, now);
    }

    /// <summary>Failures of a name, and until when it is locked as Unix milliseconds.</summary>
    public ValueTask<(int Failures, long? LockedUntil)> StateOfAsync(string name, CancellationToken ct) =>
        database.ReadAsync((name, Now()), static async (session, q, t) =>
        {
            await using var row = await session.Command(SelectState, q.name).ExecuteReaderAsync(t).ConfigureAwait(false);
            if (!await row.ReadAsync(t).ConfigureAwait(false)) return (0, (long?)null);
            return (row.GetInt32(0), row.IsDBNull(1) || row.GetInt64(1) <= q.Item2 ? null : row.GetInt64(1));
        }, ct);

    /// <summary>Ends the lock of a name and forgets its failures.</summary>
    public static async ValueTask ReleaseAsync(DbSession session, string name, CancellationToken ct) =>
        await session.ExecuteAsync(Release, [name], ct).ConfigureAwait(false);

    private async ValueTask<bool> IsCountedAsync(string name, CancellationToken ct) =>
        options.LockAfterFailures > 0 && !RobotNames.HasPrefix(name, await settings.ReadAsync(RuntimeSettingTable.RobotNamePrefix, ct).ConfigureAwait(false));

    // A full disk or a read-only database must not keep people from signing in: what is lost is a count.
    private async ValueTask<bool> TryWriteAsync(Func<DbSession, CancellationToken, Task<bool>> work, CancellationToken ct)
    {
        try
        {
            return await database.WriteAsync(Durability.Relaxed, work, ct).ConfigureAwait(false);
        }
        catch (DbException e)
        {
            log.NotCounted(e);
            return false;
        }
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static string? KeyOf(string name, IPAddress? address) =>
        FailedSignIns.NetworkOf(address) is { } network ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{network}"))) : null;

    private static readonly Statement SelectLock = new("SELECT locked_until FROM sign_in_failures WHERE name = @0 AND locked_until > @1");
    private static readonly Statement SelectCount = new("SELECT count FROM sign_in_failures WHERE name = @0");
    private static readonly Statement SelectState = new("SELECT count, locked_until FROM sign_in_failures WHERE name = @0");
    private static readonly Statement SelectNetwork = new("SELECT 1 FROM known_networks WHERE name = @0 AND network = @1");
    private static readonly Statement Release = new("DELETE FROM sign_in_failures WHERE name = @0");
    private static readonly Statement Lock = new("UPDATE sign_in_failures SET locked_until = @1, count = 0 WHERE name = @0");
    private static readonly Statement DeleteOld = new("DELETE FROM sign_in_failures WHERE last_failed_at < @0 AND (locked_until IS NULL OR locked_until < @1)");
    private static readonly Statement ForgetOld = new("DELETE FROM known_networks WHERE last_seen_at < @0");

    private static readonly Statement Count = new("""
        INSERT INTO sign_in_failures (name, count, last_failed_at) VALUES (@0, 1, @1)
        ON CONFLICT (name) DO UPDATE SET count = sign_in_failures.count + 1, last_failed_at = excluded.last_failed_at RETURNING count
        """);

    private static readonly Statement Remember = new("""
        INSERT INTO known_networks (name, network, last_seen_at) VALUES (@0, @1, @2)
        ON CONFLICT (name, network) DO UPDATE SET last_seen_at = excluded.last_seen_at
        """);

    private static readonly Statement ForgetMany = new("""
        DELETE FROM known_networks WHERE name = @0 AND network IN (SELECT network FROM known_networks WHERE name = @0 ORDER BY last_seen_at DESC LIMIT 1000 OFFSET @1)
        """);
}

internal static partial class SignInLocksLog
{
    [LoggerMessage(2002, LogLevel.Warning, "name {Name} locked after {Failures} failed sign-ins for {LockTime}: release it with POST /api/berth/v1/users/ID/unlock")]
    public static partial void NameLocked(this ILogger logger, string name, int failures, TimeSpan lockTime);

    [LoggerMessage(2003, LogLevel.Warning, "sign-in not counted: the database could not be written")]
    public static partial void NotCounted(this ILogger logger, Exception error);
}
