using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Data;

namespace Berth.Server.Identity;

/// <summary>Users in the database: finding, adding, changing the password.</summary>
public sealed class Users(Database database, TimeProvider time)
{
    /// <summary>Id of the administrator that every installation begins with, as in Harbor.</summary>
    public const long BuiltInAdminId = 1;

    /// <summary>Longest name in characters.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Whether a text can be a name: Basic credentials cannot carry colons, and no header carries control characters.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= MaxNameLength && !text.Contains(':', StringComparison.Ordinal) && !text.Any(char.IsControl) && text.Trim() == text;

    /// <summary>The user of a name, or null. Names are compared exactly.</summary>
    public ValueTask<User?> FindAsync(string name, CancellationToken ct) =>
        database.ReadAsync(name, static (session, name, ct) => UserRows.FindAsync(session, name, ct), ct);

    /// <summary>The user of an id, or null.</summary>
    public ValueTask<User?> FindAsync(long id, CancellationToken ct) =>
        database.ReadAsync(id, static (session, id, ct) => UserRows.FindAsync(session, id, ct), ct);

    /// <summary>Adds a user; false when the name is taken.</summary>
    /// <exception cref="ArgumentException">The text cannot be a name.</exception>
    public Task<bool> AddAsync(string name, string password, bool isAdmin, CancellationToken ct)
    {
        if (!IsName(name)) throw new ArgumentException("not a user name", nameof(name));
        var hash = Passwords.Hash(password);
        return database.WriteAsync(Durability.Full, async (session, token) =>
            await session.ExecuteAsync(Insert, [name, hash, isAdmin, Now()], token).ConfigureAwait(false) == 1, ct);
    }

    /// <summary>Gives a user a new password; false when there is no such user. Refresh tokens of the old one end.</summary>
    public Task<bool> SetPasswordAsync(string name, string password, CancellationToken ct)
    {
        var hash = Passwords.Hash(password);
        return database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(IdOf, [name], token).ConfigureAwait(false) is not { } id) return false;
            await session.ExecuteAsync(SetPassword, [hash, id, Now()], token).ConfigureAwait(false);
            await BrowserSessions.EndAllAsync(session, id, token).ConfigureAwait(false);
            await AnnounceAsync(session, id, token).ConfigureAwait(false);
            return true;
        }, ct);
    }

    /// <summary>Removes a user; false when there is no such user.</summary>
    public Task<bool> RemoveAsync(string name, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(IdOf, [name], token).ConfigureAwait(false) is not { } id) return false;
            await UserRows.DeleteAsync(session, id, token).ConfigureAwait(false);
            await AnnounceAsync(session, id, token).ConfigureAwait(false);
            return true;
        }, ct);

    /// <summary>Whether there is any user.</summary>
    internal ValueTask<bool> AnyAsync(CancellationToken ct) =>
        database.ReadAsync(true, static async (session, _, ct) => await session.ScalarAsync(FindAny, [], ct).ConfigureAwait(false) is not null, ct);

    /// <summary>Adds the first user, an administrator; false when another replica was faster.</summary>
    internal Task<bool> AddFirstAsync(string name, string password, CancellationToken ct)
    {
        var hash = Passwords.Hash(password);
        return database.WriteAsync(Durability.Full, async (session, token) =>
        {
            // Replicas that start together take turns, so that exactly one sees no user.
            await UserRows.TakeTurnsAsync(session, token).ConfigureAwait(false);
            if (await session.ScalarAsync(FindAny, [], token).ConfigureAwait(false) is not null) return false;
            await session.ExecuteAsync(InsertFirst, [BuiltInAdminId, name, hash, true, Now()], token).ConfigureAwait(false);
            await session.ExecuteAsync(CountFromFirst, [], token).ConfigureAwait(false);
            return true;
        }, ct);
    }

    /// <summary>Lets all processes forget what they remember of a user: credentials and rights. To be called in the transaction of every change of one.</summary>
    internal static async ValueTask AnnounceAsync(DbSession session, long id, CancellationToken ct)
    {
        await session.AnnounceAsync(Topics.Credentials, "user:" + id, ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static readonly Statement IdOf = new("SELECT id FROM users WHERE name = @0");
    private static readonly Statement FindAny = new("SELECT 1 FROM users LIMIT 1");
    private static readonly Statement Insert =
        new("INSERT INTO users (name, password_hash, is_admin, created_at, updated_at) VALUES (@0, @1, @2, @3, @3) ON CONFLICT (name) DO NOTHING");
    private static readonly Statement SetPassword = new("UPDATE users SET password_hash = @0, must_change_password = FALSE, updated_at = @2 WHERE id = @1");

    private static readonly Statement InsertFirst = new("INSERT INTO users (id, name, password_hash, is_admin, created_at, updated_at) VALUES (@0, @1, @2, @3, @4, @4)");

    // An id that was given does not move PostgreSQL's own count.
    private static readonly Statement CountFromFirst = new("SELECT 1", "SELECT setval(pg_get_serial_sequence('users', 'id'), 1)");
}
