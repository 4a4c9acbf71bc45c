using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Access.Robots;

/// <summary>Rows of robots and of what they may do. Whoever changes one calls <see cref="AnnounceAsync"/> in the same transaction.</summary>
internal static class RobotRows
{
    /// <summary>Columns in the order that <see cref="Read"/> takes.</summary>
    public const string Columns = """
        id, name, project_id, description, secret_hash, previous_secret_hash, previous_secret_ends_at, is_disabled, expires_at, duration_days, creator_kind,
        creator_id, last_used_at, created_at, updated_at
        """;

    /// <summary>The robot of an id, or null.</summary>
    public static ValueTask<Robot?> FindAsync(DbSession session, long id, CancellationToken ct) => OneAsync(session, ById, id, ct);

    /// <summary>The robot of a name without its prefix, or null. The project in it may be called by a name that it had before.</summary>
    public static async ValueTask<Robot?> FindAsync(DbSession session, string name, CancellationToken ct)
    {
        if (await OneAsync(session, ByName, name, ct).ConfigureAwait(false) is { } robot) return robot;
        var plus = name.IndexOf('+', StringComparison.Ordinal);
        if (plus <= 0) return null;
        var now = await session.Command(NameNow, name[..plus]).ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
        return now is null ? null : await OneAsync(session, ByName, now + name[plus..], ct).ConfigureAwait(false);
    }

    /// <summary>Gives the robots of a project names with the project's new name; to be called in the transaction that renames it.</summary>
    public static async ValueTask RenameProjectAsync(DbSession session, long projectId, string newName, CancellationToken ct) =>
        await session.ExecuteAsync(Rename, [projectId, newName], ct).ConfigureAwait(false);

    /// <summary>The robot of a name that no user has, or null.</summary>
    public static ValueTask<Robot?> FindUnlessUserAsync(DbSession session, string name, CancellationToken ct) => OneAsync(session, ByNameOfNoUser, name, ct);

    /// <summary>Adds a robot; null when the name is taken.</summary>
    public static ValueTask<long?> AddAsync(DbSession session, Robot robot, CancellationToken ct) => session.ScalarAsync(Insert, [
        robot.Name, robot.ProjectId, robot.Description, robot.SecretHash, robot.IsDisabled, robot.ExpiresAt, robot.DurationDays, robot.CreatorKind, robot.CreatorId, robot.CreatedAt], ct);

    /// <summary>Writes everything of a robot that can change.</summary>
    public static async ValueTask UpdateAsync(DbSession session, Robot robot, CancellationToken ct) => await session.ExecuteAsync(Update, [
        robot.Id, robot.Description, robot.SecretHash, robot.PreviousSecretHash, robot.PreviousSecretEndsAt, robot.IsDisabled, robot.ExpiresAt, robot.DurationDays,
        robot.UpdatedAt], ct).ConfigureAwait(false);

    /// <summary>Removes a robot with its roles and rules; its permissions go by themselves.</summary>
    public static async ValueTask DeleteAsync(DbSession session, long id, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteRoles, [id], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteRules, [id], ct).ConfigureAwait(false);
        await session.ExecuteAsync(Delete, [id], ct).ConfigureAwait(false);
    }

    /// <summary>What a robot may do.</summary>
    public static async ValueTask<List<RobotRight>> ReadRightsAsync(DbSession session, long id, CancellationToken ct)
    {
        var rights = new List<RobotRight>();
        await using var row = await session.Command(SelectRights, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await row.ReadAsync(ct).ConfigureAwait(false))
        {
            var scope = (PermissionScope)row.GetInt32(0);
            rights.Add(new RobotRight(scope, row.IsDBNull(1) ? null : row.GetInt64(1), row.IsDBNull(2) ? null : row.GetString(2), PermissionSet.Parse(row.GetString(3), scope)));
        }
        return rights;
    }

    /// <summary>Gives a robot these rights instead of those that it has.</summary>
    public static async ValueTask WriteRightsAsync(DbSession session, long id, IReadOnlyList<RobotRight> rights, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteRights, [id], ct).ConfigureAwait(false);
        foreach (var right in rights)
            await session.ExecuteAsync(InsertRight, [id, (int)right.Scope, right.ProjectId, string.Join(',', right.Set.Members(right.Scope))], ct).ConfigureAwait(false);
    }

    /// <summary>Lets all processes forget what they remember of a robot: credentials and rights.</summary>
    public static async ValueTask AnnounceAsync(DbSession session, long id, CancellationToken ct)
    {
        await session.AnnounceAsync(Topics.Credentials, "robot:" + id, ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
    }

    /// <summary>The row that a reader stands on.</summary>
    public static Robot Read(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Name = row.GetString(1),
        ProjectId = Number(row, 2),
        Description = row.GetString(3),
        SecretHash = row.IsDBNull(4) ? null : row.GetString(4),
        PreviousSecretHash = row.IsDBNull(5) ? null : row.GetString(5),
        PreviousSecretEndsAt = Number(row, 6),
        IsDisabled = row.GetBoolean(7),
        ExpiresAt = Number(row, 8),
        DurationDays = row.GetInt32(9),
        CreatorKind = row.GetString(10),
        CreatorId = row.GetInt64(11),
        LastUsedAt = Number(row, 12),
        CreatedAt = row.GetInt64(13),
        UpdatedAt = row.GetInt64(14),
    };

    private static long? Number(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static async ValueTask<Robot?> OneAsync(DbSession session, Statement statement, object key, CancellationToken ct)
    {
        await using var row = await session.Command(statement, key).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? Read(row) : null;
    }

    private static readonly Statement ById = new($"SELECT {Columns} FROM robots WHERE id = @0");
    private static readonly Statement ByName = new($"SELECT {Columns} FROM robots WHERE name = @0");
    private static readonly Statement ByNameOfNoUser = new($"SELECT {Columns} FROM robots WHERE name = @0 AND NOT EXISTS (SELECT 1 FROM users WHERE name = @0)");
    private static readonly Statement NameNow = new("SELECT p.name FROM project_redirects d JOIN projects p ON p.id = d.project_id WHERE d.name = @0");

    private static readonly Statement Rename = new(
        "UPDATE robots SET name = @1 || substr(name, instr(name, '+')) WHERE project_id = @0 AND instr(name, '+') > 0",
        "UPDATE robots SET name = @1 || substr(name, strpos(name, '+')) WHERE project_id = @0 AND strpos(name, '+') > 0");

    private static readonly Statement Delete = new("DELETE FROM robots WHERE id = @0");
    private static readonly Statement DeleteRoles = new("DELETE FROM project_members WHERE subject_kind = 3 AND subject_id = @0");
    private static readonly Statement DeleteRules = new("DELETE FROM access_rules WHERE subject_kind = 3 AND subject_id = @0");
    private static readonly Statement DeleteRights = new("DELETE FROM robot_permissions WHERE robot_id = @0");
    private static readonly Statement InsertRight = new("INSERT INTO robot_permissions (robot_id, scope, project_id, permissions) VALUES (@0, @1, @2, @3)");

    private static readonly Statement SelectRights = new("""
        SELECT r.scope, r.project_id, p.name, r.permissions FROM robot_permissions r LEFT JOIN projects p ON p.id = r.project_id WHERE r.robot_id = @0 ORDER BY r.id
        """);

    private static readonly Statement Insert = new("""
        INSERT INTO robots (name, project_id, description, secret_hash, is_disabled, expires_at, duration_days, creator_kind, creator_id, created_at, updated_at)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, @9) ON CONFLICT DO NOTHING RETURNING id
        """);

    private static readonly Statement Update = new("""
        UPDATE robots SET description = @1, secret_hash = @2, previous_secret_hash = @3, previous_secret_ends_at = @4, is_disabled = @5, expires_at = @6,
          duration_days = @7, updated_at = @8
        WHERE id = @0
        """);
}

/// <summary>What a robot may do in one place.</summary>
/// <param name="Scope">In projects, or for the installation.</param>
/// <param name="ProjectId">Null for all projects, and for the installation.</param>
/// <param name="ProjectName">Name of the project.</param>
/// <param name="Set">The permissions.</param>
internal sealed record RobotRight(PermissionScope Scope, long? ProjectId, string? ProjectName, PermissionSet Set);
