using Berth.Server.Platform.Data;

namespace Berth.Server.Identity;

/// <summary>Users in the database: finding, adding, changing the password.</summary>
public sealed class Users(Database database, TimeProvider time)
{
    /// <summary>Longest name in characters.</summary>
    public const int MaxNameLength = 255;

    /// <summary>
    /// Called with the name after a password has changed or a user is gone in this process. Other replicas notice when their
    /// remembered credentials end.
    /// </summary>
    public event Action<string>? CredentialsChanged;

    /// <summary>Whether a text can be a name: Basic credentials cannot carry colons, and no header carries control characters.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= MaxNameLength && !text.Contains(':', StringComparison.Ordinal) && !text.Any(char.IsControl) && text.Trim() == text;

    /// <summary>The user of a name, or null. Names are compared exactly.</summary>
    public ValueTask<User?> FindAsync(string name, CancellationToken ct) =>
        database.ReadAsync(name, static async (session, name, ct) =>
        {
            await using var row = await session.Command(ByName, name).ExecuteReaderAsync(ct).ConfigureAwait(false);
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
            return new User
            {
                Id = row.GetInt64(0),
                Name = row.GetString(1),
                PasswordHash = row.GetString(2),
                IsAdmin = row.GetBoolean(3),
                CreatedAt = row.GetInt64(4),
            };
        }, ct);

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
        return ChangeAsync(name, SetPassword, [hash, name], ct);
    }

    /// <summary>Removes a user; false when there is no such user.</summary>
    public Task<bool> RemoveAsync(string name, CancellationToken ct) => ChangeAsync(name, Delete, [name], ct);

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
            await session.ExecuteAsync(TakeTurns, [], token).ConfigureAwait(false);
            if (await session.ScalarAsync(FindAny, [], token).ConfigureAwait(false) is not null) return false;
            return await session.ExecuteAsync(Insert, [name, hash, true, Now()], token).ConfigureAwait(false) == 1;
        }, ct);
    }

    private Task<bool> ChangeAsync(string name, Statement statement, object?[] values, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ExecuteAsync(statement, values, token).ConfigureAwait(false) == 0) return false;
            session.AfterCommit(() => CredentialsChanged?.Invoke(name));
            return true;
        }, ct);

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static readonly Statement ByName = new("SELECT id, name, password_hash, is_admin, created_at FROM users WHERE name = @0");
    private static readonly Statement FindAny = new("SELECT 1 FROM users LIMIT 1");
    private static readonly Statement Insert =
        new("INSERT INTO users (name, password_hash, is_admin, created_at) VALUES (@0, @1, @2, @3) ON CONFLICT (name) DO NOTHING");
    private static readonly Statement SetPassword = new("UPDATE users SET password_hash = @0 WHERE name = @1");
    private static readonly Statement Delete = new("DELETE FROM users WHERE name = @0");
    private static readonly Statement TakeTurns = new("SELECT 1", "SELECT pg_advisory_xact_lock(4823562)");
}
