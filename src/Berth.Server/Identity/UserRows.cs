using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Identity;

/// <summary>Rows of users. Whoever changes one calls <see cref="Users.AnnounceAsync"/> in the same transaction.</summary>
internal static class UserRows
{
    /// <summary>Columns in the order that <see cref="Read"/> takes.</summary>
    public const string Columns = """
        id, name, password_hash, is_admin, created_at, email, real_name, comment, source, external_id, is_admin_by_source, is_disabled,
        must_change_password, cli_secret_hash, updated_at
        """;

    /// <summary>The user of a name, or null.</summary>
    public static ValueTask<User?> FindAsync(DbSession session, string name, CancellationToken ct) => OneAsync(session, ByName, name, ct);

    /// <summary>The user of an id, or null.</summary>
    public static ValueTask<User?> FindAsync(DbSession session, long id, CancellationToken ct) => OneAsync(session, ById, id, ct);

    /// <summary>Whether another user has the name or, if it is not empty, the address.</summary>
    public static async ValueTask<bool> IsTakenAsync(DbSession session, string name, string email, long exceptId, CancellationToken ct) =>
        await session.ScalarAsync(Taken, [name, email, exceptId], ct).ConfigureAwait(false) is not null;

    /// <summary>Replicas that check and then write take turns.</summary>
    public static async ValueTask TakeTurnsAsync(DbSession session, CancellationToken ct) => await session.ExecuteAsync(TakeTurns, [], ct).ConfigureAwait(false);

    /// <summary>Adds a user; its id.</summary>
    public static async ValueTask<long> AddAsync(DbSession session, User user, CancellationToken ct) =>
        (await session.ScalarAsync(Insert, [
            user.Name, user.PasswordHash, user.IsAdmin, user.CreatedAt, user.Email, user.RealName, user.Comment, user.Source, user.ExternalId,
            user.IsAdminBySource, user.IsDisabled, user.MustChangePassword], ct).ConfigureAwait(false)).GetValueOrDefault();

    /// <summary>Writes everything of a user that can change.</summary>
    public static async ValueTask UpdateAsync(DbSession session, User user, CancellationToken ct) =>
        await session.ExecuteAsync(Update, [
            user.Id, user.PasswordHash, user.IsAdmin, user.Email, user.RealName, user.Comment, user.IsDisabled, user.MustChangePassword, user.CliSecretHash,
            user.UpdatedAt], ct).ConfigureAwait(false);

    /// <summary>Removes a user with the memberships and rules; sessions, tokens and groups go by themselves.</summary>
    public static async ValueTask DeleteAsync(DbSession session, long id, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteMemberships, [id], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteRules, [id], ct).ConfigureAwait(false);
        await session.ExecuteAsync(Delete, [id], ct).ConfigureAwait(false);
    }

    /// <summary>The row that a reader stands on.</summary>
    public static User Read(DbDataReader row) => new()
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

    private static async ValueTask<User?> OneAsync(DbSession session, Statement statement, object key, CancellationToken ct)
    {
        await using var row = await session.Command(statement, key).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? Read(row) : null;
    }

    private static readonly Statement ByName = new($"SELECT {Columns} FROM users WHERE name = @0");
    private static readonly Statement ById = new($"SELECT {Columns} FROM users WHERE id = @0");
    private static readonly Statement Taken = new("SELECT 1 FROM users WHERE (name = @0 OR @1 <> '' AND email = @1) AND id <> @2 LIMIT 1");
    private static readonly Statement TakeTurns = new("SELECT 1", "SELECT pg_advisory_xact_lock(4823562)");
    private static readonly Statement Delete = new("DELETE FROM users WHERE id = @0");
    private static readonly Statement DeleteMemberships = new("DELETE FROM project_members WHERE subject_kind = 1 AND subject_id = @0");
    private static readonly Statement DeleteRules = new("DELETE FROM access_rules WHERE subject_kind = 1 AND subject_id = @0");

    private static readonly Statement Insert = new("""
        INSERT INTO users (name, password_hash, is_admin, created_at, updated_at, email, real_name, comment, source, external_id, is_admin_by_source, is_disabled, must_change_password)
        VALUES (@0, @1, @2, @3, @3, @4, @5, @6, @7, @8, @9, @10, @11) RETURNING id
        """);

    private static readonly Statement Update = new("""
        UPDATE users SET password_hash = @1, is_admin = @2, email = @3, real_name = @4, comment = @5, is_disabled = @6, must_change_password = @7,
          cli_secret_hash = @8, updated_at = @9
        WHERE id = @0
        """);
}
