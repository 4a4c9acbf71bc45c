using Berth.Server.Platform.Data;

namespace Berth.Server.Identity;

/// <summary>Users in the database: finding, adding, changing the password.</summary>
public sealed class Users(Database database, TimeProvider time)
{
    /// <summary>Longest name in characters.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Whether a text can be a name: Basic credentials cannot carry colons, and no header carries control characters.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= MaxNameLength && !text.Contains(':', StringComparison.Ordinal) && !text.Any(char.IsControl) && text.Trim() == text;

    /// <summary>The user of a name, or null. Names are compared exactly.</summary>
    public ValueTask<User?> FindAsync(string name, CancellationToken ct) =>
        database.ReadAsync(name, static (session, name, ct) => ReadAsync(session, ByName, name, ct), ct);

    /// <summary>The user of an id, or null.</summary>
    public ValueTask<User?> FindAsync(long id, CancellationToken ct) =>
        database.ReadAsync(id, static (session, id, ct) => ReadAsync(session, ById, id, ct), ct);

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
            if (await session.ScalarAsync(IdOf, [name], token).ConfigureAwait(false) is not { } id) return false;
            await session.ExecuteAsync(statement, values, token).ConfigureAwait(false);
            await AnnounceAsync(session, id, token).ConfigureAwait(false);
            return true;
        }, ct);

    /// <summary>Lets all processes forget what they remember of a user: credentials and rights. To be called in the transaction of every change of one.</summary>
    internal static async ValueTask AnnounceAsync(DbSession session, long id, CancellationToken ct)
    {
        await session.AnnounceAsync(Topics.Credentials, "user:" + id, ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
    }

    private static async ValueTask<User?> ReadAsync(DbSession session, Statement statement, object key, CancellationToken ct)
    {
        await using var row = await session.Command(statement, key).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        return new User
        {
            Id = row.GetInt64(0),
            Name = row.GetString(1),
            PasswordHash = row.GetString(2),
            IsAdmin = row.GetBoolean(3),
            CreatedAt = row.GetInt64(4),
            Email = row.GetString(5),
            RealName = row.GetString(6),
            Comment = row.GetString(7),
            Source = row.GetString(8),
            ExternalId = row.IsDBNull(9) ? null : row.GetString(9),
            IsAdminBySource = row.GetBoolean(10),
            IsDisabled = row.GetBoolean(11),
            MustChangePassword = row.GetBoolean(12),
            CliSecretHash = row.IsDBNull(13) ? null : row.GetString(13),
            UpdatedAt = row.GetInt64(14),
        };
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private const string Columns = """
        id, name, password_hash, is_admin, created_at, email, real_name, comment, source, external_id, is_admin_by_source, is_disabled,
        must_change_password, cli_secret_hash, updated_at
        """;

    private static readonly Statement ByName = new($"SELECT {Columns} FROM users WHERE name = @0");
    private static readonly Statement ById = new($"SELECT {Columns} FROM users WHERE id = @0");
    private static readonly Statement IdOf = new("SELECT id FROM users WHERE name = @0");
    private static readonly Statement FindAny = new("SELECT 1 FROM users LIMIT 1");
    private static readonly Statement Insert =
        new("INSERT INTO users (name, password_hash, is_admin, created_at) VALUES (@0, @1, @2, @3) ON CONFLICT (name) DO NOTHING");
    private static readonly Statement SetPassword = new("UPDATE users SET password_hash = @0 WHERE name = @1");
    private static readonly Statement Delete = new("DELETE FROM users WHERE name = @0");
    private static readonly Statement TakeTurns = new("SELECT 1", "SELECT pg_advisory_xact_lock(4823562)");
}
