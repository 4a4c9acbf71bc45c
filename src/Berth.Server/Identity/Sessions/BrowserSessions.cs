using System.Buffers.Text;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Secrets;
using Berth.Server.Platform.Settings;

namespace Berth.Server.Identity.Sessions;

/// <summary>
/// Sessions of browsers, in the database: every replica knows them, and one that is ended is over at the next request. The cookie holds 256
/// random bits, the database their hash.
/// </summary>
internal sealed class BrowserSessions(Database database, SessionOptions options, RuntimeSettings settings, InstallationSecret secret, TimeProvider time)
{
    private const string Purpose = "session-provider";
    private const int TokenBytes = 32;
    private const int MaxAgentLength = 512;
    private const int MaxAddressLength = 64;
    private const int MaxSessionsOfUser = 100;
    private static readonly TimeSpan SeenGrain = TimeSpan.FromMinutes(1);

    /// <summary>Begins a session.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="address">Where the browser is.</param>
    /// <param name="userAgent">What it says it is.</param>
    /// <param name="provider">The OpenID provider and its token, when it was the one who vouched.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The value of the cookie.</returns>
    public async Task<string> BeginAsync(long userId, string address, string userAgent, SessionProvider? provider, CancellationToken ct)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        var now = time.GetUtcNow();
        var sealedProvider = provider is null ? null
            : Convert.ToBase64String(secret.Encrypt(JsonSerializer.SerializeToUtf8Bytes(provider, SessionJson.Default.SessionProvider), Purpose));
        object?[] values =
        [
            HashOf(token), userId, Cut(address, MaxAddressLength), Cut(userAgent, MaxAgentLength), sealedProvider, now.ToUnixTimeMilliseconds(),
            (now + options.AbsoluteTimeout).ToUnixTimeMilliseconds(),
        ];
        var idleSince = await IdleSinceAsync(now, ct).ConfigureAwait(false);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            // What has ended goes as new ones come: no job is needed, and nobody can fill the table.
            await session.ExecuteAsync(DeleteEnded, [now.ToUnixTimeMilliseconds(), idleSince], token).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteOldest, [userId, MaxSessionsOfUser - 1], token).ConfigureAwait(false);
            return await session.ExecuteAsync(Insert, values, token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        return token;
    }

    /// <summary>The session of a cookie; null when it is over or was never one. Marks it as used.</summary>
    public async ValueTask<BrowserSession?> FindAsync(string token, CancellationToken ct)
    {
        if (token.Length != Base64Url.GetEncodedLength(TokenBytes)) return null;
        var now = time.GetUtcNow();
        var session = await database.ReadAsync(HashOf(token), static async (session, hash, ct) =>
        {
            await using var row = await session.Command(ByToken, hash).ExecuteReaderAsync(ct).ConfigureAwait(false);
            return await row.ReadAsync(ct).ConfigureAwait(false) ? Read(row) : null;
        }, ct).ConfigureAwait(false);
        if (session is null || session.ExpiresAt <= now.ToUnixTimeMilliseconds() || session.LastSeenAt <= await IdleSinceAsync(now, ct).ConfigureAwait(false)) return null;
        if (now.ToUnixTimeMilliseconds() - session.LastSeenAt >= SeenGrain.TotalMilliseconds)
        {
            await database.WriteAsync(Durability.Relaxed, async (s, t) =>
                await s.ExecuteAsync(Touch, [now.ToUnixTimeMilliseconds(), session.Id], t).ConfigureAwait(false), ct).ConfigureAwait(false);
        }
        return session;
    }

    /// <summary>Sessions that are not over, the latest first: of a user, or of all.</summary>
    public async ValueTask<List<BrowserSession>> ListAsync(long? userId, int most, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var idleSince = await IdleSinceAsync(now, ct).ConfigureAwait(false);
        return await database.ReadAsync((userId, Now: now.ToUnixTimeMilliseconds(), Idle: idleSince, most), static async (session, q, ct) =>
        {
            var list = new List<BrowserSession>();
            var command = q.userId is { } id ? session.Command(OfUser, id, q.Now, q.Idle, q.most) : session.Command(OfAll, q.Now, q.Idle, q.most);
            await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await row.ReadAsync(ct).ConfigureAwait(false)) list.Add(Read(row));
            return list;
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Ends a session; false when there is none, or it is another user's.</summary>
    /// <param name="id">Which.</param>
    /// <param name="userId">Whose it must be; null for anybody's.</param>
    /// <param name="ct">Cancels.</param>
    public Task<bool> EndAsync(long id, long? userId, CancellationToken ct)
    {
        var (statement, values) = userId is { } user ? (DeleteOwn, new object?[] { id, user }) : (DeleteAny, [id]);
        return database.WriteAsync(Durability.Full, async (session, token) => await session.ExecuteAsync(statement, values, token).ConfigureAwait(false) == 1, ct);
    }

    /// <summary>Ends all sessions of a user but one; the number of those ended.</summary>
    public Task<int> EndOthersAsync(long userId, long exceptId, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
        await session.ExecuteAsync(DeleteOthers, [userId, exceptId], token).ConfigureAwait(false), ct);

    /// <summary>Ends all sessions of a user, in the transaction that gives a new password, disables or demotes.</summary>
    public static ValueTask<int> EndAllAsync(DbSession session, long userId, CancellationToken ct) => session.ExecuteAsync(DeleteOthers, [userId, 0L], ct);

    /// <summary>The provider that vouched; null when there was none, or the secret key has changed since.</summary>
    public SessionProvider? ProviderOf(BrowserSession session) =>
        session.SealedProvider is { } text && secret.TryDecrypt(Convert.FromBase64String(text), Purpose, out var json)
            ? JsonSerializer.Deserialize(json, SessionJson.Default.SessionProvider)
            : null;

    /// <summary>The token that changes must bring in a header (CSRF): nobody can make it who cannot read the cookie or our answers.</summary>
    public static string ProofOf(string token) => Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.ASCII.GetBytes(token), "berth csrf token"u8));

    // What the file says, else what an administrator has set; never longer than a session may last at all.
    private async ValueTask<long> IdleSinceAsync(DateTimeOffset now, CancellationToken ct)
    {
        var minutes = options.IdleTimeout != new SessionOptions().IdleTimeout
            ? options.IdleTimeout.TotalMinutes
            : await settings.ReadAsync(RuntimeSettingTable.SessionTimeout, ct).ConfigureAwait(false);
        return (now - TimeSpan.FromMinutes(Math.Min(minutes, options.AbsoluteTimeout.TotalMinutes))).ToUnixTimeMilliseconds();
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static string Cut(string text, int most) => text.Length <= most ? text : text[..most];

    private static BrowserSession Read(DbDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7));

    private const string Columns = "id, user_id, address, user_agent, provider, created_at, last_seen_at, expires_at";
    private static readonly Statement ByToken = new($"SELECT {Columns} FROM user_sessions WHERE token_hash = @0");
    private static readonly Statement OfUser = new($"SELECT {Columns} FROM user_sessions WHERE user_id = @0 AND expires_at > @1 AND last_seen_at > @2 ORDER BY id DESC LIMIT @3");
    private static readonly Statement OfAll = new($"SELECT {Columns} FROM user_sessions WHERE expires_at > @0 AND last_seen_at > @1 ORDER BY id DESC LIMIT @2");
    private static readonly Statement Insert = new("""
        INSERT INTO user_sessions (token_hash, user_id, address, user_agent, provider, created_at, last_seen_at, expires_at) VALUES (@0, @1, @2, @3, @4, @5, @5, @6)
        """);
    private static readonly Statement Touch = new("UPDATE user_sessions SET last_seen_at = @0 WHERE id = @1");
    private static readonly Statement DeleteOwn = new("DELETE FROM user_sessions WHERE id = @0 AND user_id = @1");
    private static readonly Statement DeleteAny = new("DELETE FROM user_sessions WHERE id = @0");
    private static readonly Statement DeleteOthers = new("DELETE FROM user_sessions WHERE user_id = @0 AND id <> @1");
    private static readonly Statement DeleteEnded = new(
        "DELETE FROM user_sessions WHERE id IN (SELECT id FROM user_sessions WHERE expires_at <= @0 OR last_seen_at <= @1 ORDER BY expires_at LIMIT 100)");
    private static readonly Statement DeleteOldest = new(
        "DELETE FROM user_sessions WHERE user_id = @0 AND id NOT IN (SELECT id FROM user_sessions WHERE user_id = @0 ORDER BY id DESC LIMIT @1)");
}

/// <summary>A session that is not over.</summary>
/// <param name="Id">Its row.</param>
/// <param name="UserId">Whose.</param>
/// <param name="Address">Where the browser was at sign-in.</param>
/// <param name="UserAgent">What it said it was.</param>
/// <param name="SealedProvider">See <see cref="BrowserSessions.ProviderOf"/>.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="LastSeenAt">Unix milliseconds, kept to the minute.</param>
/// <param name="ExpiresAt">Unix milliseconds.</param>
internal sealed record BrowserSession(
    long Id, long UserId, string Address, string UserAgent, string? SealedProvider, long CreatedAt, long LastSeenAt, long ExpiresAt);

/// <summary>The OpenID provider that vouched for a session.</summary>
internal sealed record SessionProvider(string Name, string IdToken);

[JsonSerializable(typeof(SessionProvider))]
internal sealed partial class SessionJson : JsonSerializerContext;
