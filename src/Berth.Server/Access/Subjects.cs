using Berth.Server.Platform.Data;

namespace Berth.Server.Access;

/// <summary>Somebody that a membership or a rule is about.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Row in the table of the kind; 0 for anybody.</param>
/// <param name="Name">Name for people.</param>
internal readonly record struct Subject(SubjectKind Kind, long Id, string Name);

/// <summary>Finds subjects by what people call them.</summary>
internal static class Subjects
{
    private static readonly (SubjectKind Kind, string Word)[] s_words =
    [
        (SubjectKind.User, "user"), (SubjectKind.Group, "group"), (SubjectKind.Robot, "robot"), (SubjectKind.Role, "role"), (SubjectKind.Anybody, "anybody"),
    ];

    /// <summary>The word for a kind.</summary>
    public static string WordOf(SubjectKind kind) => Array.Find(s_words, w => w.Kind == kind).Word;

    /// <summary>The kind of a word; null when it is none.</summary>
    public static SubjectKind? KindOf(string? word)
    {
        foreach (var (kind, known) in s_words)
        {
            if (known == word) return kind;
        }
        return null;
    }

    /// <summary>
    /// The subject of a name; null when there is none. A robot may be named with or without the prefix of its sign-in name, one of the project also without the
    /// project; a role by its name or number.
    /// </summary>
    public static async ValueTask<Subject?> FindAsync(DbSession session, SubjectKind kind, string name, long projectId, CancellationToken ct)
    {
        switch (kind)
        {
            case SubjectKind.Anybody:
                return new Subject(kind, 0, "");
            case SubjectKind.Role:
                return await FindRoleAsync(session, name, ct).ConfigureAwait(false) is { } role ? new Subject(kind, role.Id, role.Name) : null;
            case SubjectKind.Robot:
                return await ReadAsync(kind, session.Command(SelectRobot, WithoutPrefix(name), projectId), ct).ConfigureAwait(false);
            default:
                return await ReadAsync(kind, session.Command(kind == SubjectKind.User ? SelectUser : SelectGroup, name), ct).ConfigureAwait(false);
        }
    }

    /// <summary>A role with its rights, by name or number; null when there is none.</summary>
    public static async ValueTask<BuiltInRole?> FindRoleAsync(DbSession session, string nameOrId, CancellationToken ct)
    {
        if (long.TryParse(nameOrId, out var id)) return await FindRoleAsync(session, id, ct).ConfigureAwait(false);
        foreach (var role in BuiltInRoles.All)
        {
            if (role.Name == nameOrId) return role;
        }
        return await ReadRoleAsync(session.Command(SelectRoleByName, nameOrId), ct).ConfigureAwait(false);
    }

    /// <summary>A role with its rights; null when there is none.</summary>
    public static async ValueTask<BuiltInRole?> FindRoleAsync(DbSession session, long id, CancellationToken ct) =>
        BuiltInRoles.Find(id) ?? await ReadRoleAsync(session.Command(SelectRoleById, id), ct).ConfigureAwait(false);

    private static async ValueTask<BuiltInRole?> ReadRoleAsync(System.Data.Common.DbCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false)
            ? new BuiltInRole(row.GetInt64(0), row.GetString(1), PermissionSet.Parse(row.GetString(2), PermissionScope.Project))
            : null;
    }

    private static async ValueTask<Subject?> ReadAsync(SubjectKind kind, System.Data.Common.DbCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? new Subject(kind, row.GetInt64(0), row.GetString(1)) : null;
    }

    private static string WithoutPrefix(string name) => name.StartsWith("robot$", StringComparison.Ordinal) ? name["robot$".Length..] : name;

    private static readonly Statement SelectUser = new("SELECT id, name FROM users WHERE name = @0");
    private static readonly Statement SelectGroup = new("SELECT id, name FROM user_groups WHERE name = @0 ORDER BY kind LIMIT 1");
    private static readonly Statement SelectRoleByName = new("SELECT id, name, permissions FROM roles WHERE name = @0");
    private static readonly Statement SelectRoleById = new("SELECT id, name, permissions FROM roles WHERE id = @0");

    private static readonly Statement SelectRobot = new("""
        SELECT r.id, r.name FROM robots r WHERE r.name = @0
        UNION ALL SELECT r.id, r.name FROM robots r JOIN projects p ON p.id = r.project_id WHERE p.id = @1 AND r.name = p.name || '+' || @0
        """);
}
