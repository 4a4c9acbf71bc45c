using System.Data.Common;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Access.Members;

/// <summary>A membership with the names that belong to it.</summary>
internal sealed record MemberRow(long Id, long ProjectId, Subject Subject, long RoleId, string RoleName);

/// <summary>Reads and writes memberships.</summary>
internal static class MemberRows
{
    private const string Names = """
        (SELECT m.id, m.project_id, m.subject_kind, m.subject_id, u.name, m.role_id FROM project_members m JOIN users u ON m.subject_kind = 1 AND u.id = m.subject_id
        UNION ALL SELECT m.id, m.project_id, m.subject_kind, m.subject_id, g.name, m.role_id FROM project_members m JOIN user_groups g ON m.subject_kind = 2 AND g.id = m.subject_id
        UNION ALL SELECT m.id, m.project_id, m.subject_kind, m.subject_id, r.name, m.role_id FROM project_members m JOIN robots r ON m.subject_kind = 3 AND r.id = m.subject_id)
        """;

    private static readonly ListSql s_list = new(
        "x.id, x.project_id, x.subject_kind, x.subject_id, x.name, x.role_id, c.name", $"{Names} x LEFT JOIN roles c ON c.id = x.role_id",
        new Dictionary<string, ListColumn>(), "x.name", "x.id");

    /// <summary>A list of members of a project.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="withRobots">Whether robots are in it, whom Harbor does not know as members.</param>
    /// <param name="name">Whole name of a member; empty for all.</param>
    public static ListSql.Query List(long projectId, bool withRobots, string name)
    {
        var query = s_list.Of("x.project_id = ?", projectId);
        if (!withRobots) query.Add("x.subject_kind IN (1, 2)");
        if (name.Length > 0) query.Add("x.name = ?", name);
        return query;
    }

    /// <summary>A page of a list, by name.</summary>
    public static ValueTask<List<MemberRow>> ReadAsync(DbSession session, ListSql.Query query, ApiPage page, CancellationToken ct) =>
        query.ReadAsync(session, page, [], Read, ct);

    /// <summary>One member; null when the project has none of the id.</summary>
    public static async ValueTask<MemberRow?> FindAsync(DbSession session, long projectId, long id, CancellationToken ct)
    {
        var query = s_list.Of("x.project_id = ?", projectId);
        query.Add("x.id = ?", id);
        var found = await query.ReadAsync(session, new ApiPage(1, 1), [], Read, ct).ConfigureAwait(false);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>Adds a member; null when it is one already.</summary>
    public static ValueTask<long?> AddAsync(DbSession session, long projectId, Subject subject, long roleId, long now, CancellationToken ct) =>
        session.ScalarAsync(Insert, [projectId, (int)subject.Kind, subject.Id, roleId, now], ct);

    /// <summary>Gives a member another role.</summary>
    public static ValueTask<int> SetRoleAsync(DbSession session, long projectId, long id, long roleId, CancellationToken ct) => session.ExecuteAsync(SetRole, [projectId, id, roleId], ct);

    /// <summary>Ends a membership.</summary>
    public static ValueTask<int> DeleteAsync(DbSession session, long projectId, long id, CancellationToken ct) => session.ExecuteAsync(Delete, [projectId, id], ct);

    private static MemberRow Read(DbDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), new Subject((SubjectKind)row.GetInt32(2), row.GetInt64(3), row.GetString(4)), row.GetInt64(5),
        BuiltInRoles.Find(row.GetInt64(5))?.Name ?? (row.IsDBNull(6) ? "" : row.GetString(6)));

    private static readonly Statement Insert = new("""
        INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) VALUES (@0, @1, @2, @3, @4)
        ON CONFLICT (project_id, subject_kind, subject_id) DO NOTHING RETURNING id
        """);

    private static readonly Statement SetRole = new("UPDATE project_members SET role_id = @2 WHERE project_id = @0 AND id = @1");
    private static readonly Statement Delete = new("DELETE FROM project_members WHERE project_id = @0 AND id = @1");
}
