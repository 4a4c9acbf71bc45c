using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Projects;

/// <summary>Reads projects as the API shows them: one, or the page of a list that the caller may see.</summary>
internal static class ProjectLists
{
    private static readonly ListSql s_list = new(
        "p.id, p.name, p.is_public, p.owner_id, u.name, p.repository_count, p.created_at, p.updated_at",
        "projects p LEFT JOIN users u ON u.id = p.owner_id",
        new Dictionary<string, ListColumn>(StringComparer.Ordinal)
        {
            ["name"] = new("p.name"),
            ["public"] = new("p.is_public", ListColumnKind.Flag),
            ["owner"] = new("u.name"),
            ["ownerid"] = new("p.owner_id", ListColumnKind.Number),
            ["projectid"] = new("p.id", ListColumnKind.Number),
            ["repocount"] = new("p.repository_count", ListColumnKind.Number),
            ["creationtime"] = new("p.created_at", ListColumnKind.Time),
            ["updatetime"] = new("p.updated_at", ListColumnKind.Time),
        },
        "p.name", "p.id");

    /// <summary>A list without conditions.</summary>
    public static ListSql.Query All() => s_list.Of();

    /// <summary>The project of an id; null when there is none.</summary>
    public static async ValueTask<ProjectJson?> ReadOneAsync(DbSession session, Caller caller, long id, CancellationToken ct)
    {
        var found = await ReadAsync(session, caller, s_list.Of("p.id = ?", id), new ApiPage(1, 1), [], withDetail: true, ct).ConfigureAwait(false);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>A page of a list.</summary>
    public static async ValueTask<List<ProjectJson>> ReadAsync(
        DbSession session, Caller caller, ListSql.Query query, ApiPage page, IReadOnlyList<ApiSort> sort, bool withDetail, CancellationToken ct)
    {
        var rows = await query.ReadAsync(session, page, sort, static r => new Row(
            r.GetInt64(0), r.GetString(1), r.GetBoolean(2), r.IsDBNull(3) ? null : r.GetInt64(3), r.IsDBNull(4) ? null : r.GetString(4), r.GetInt64(5),
            r.GetInt64(6), r.GetInt64(7)), ct).ConfigureAwait(false);
        if (rows.Count == 0) return [];
        var ids = JsonSerializer.Serialize(rows.Select(r => r.Id));
        var metadata = withDetail ? await ReadMetadataAsync(session, ids, ct).ConfigureAwait(false) : [];
        var roles = caller.Kind == CallerKind.User ? await ReadRolesAsync(session, caller.SubjectId, ids, ct).ConfigureAwait(false) : [];
        return [.. rows.Select(r => JsonOf(r, withDetail, metadata.GetValueOrDefault(r.Id) ?? [], roles.GetValueOrDefault(r.Id)))];
    }

    private static ProjectJson JsonOf(Row row, bool withDetail, Dictionary<string, string> metadata, List<long>? roles)
    {
        var project = new ProjectJson
        {
            ProjectId = row.Id,
            Name = row.Name,
            OwnerId = row.OwnerId,
            CreationTime = ApiTime.Text(row.CreatedAt),
            UpdateTime = ApiTime.Text(row.UpdatedAt),
            RepoCount = row.Repositories,
            CurrentUserRoleId = roles is null ? null : StrongestOf(roles),
            CurrentUserRoleIds = roles,
        };
        if (!withDetail) return project;
        var allowed = metadata.Remove(ProjectSettings.AllowList, out var text)
            ? JsonSerializer.Deserialize(text, ProjectJsonContext.Default.AllowListJson)! : new AllowListJson();
        metadata[ProjectSettings.Public] = row.IsPublic ? "true" : "false";
        return project with
        {
            OwnerName = row.OwnerName,
            Metadata = metadata,
            CveAllowlist = allowed with { Id = row.Id, ProjectId = row.Id, CreationTime = project.CreationTime, UpdateTime = project.UpdateTime },
        };
    }

    private static long StrongestOf(List<long> roles)
    {
        foreach (var role in BuiltInRoles.All)
        {
            if (roles.Contains(role.Id)) return role.Id;
        }
        return roles[0];
    }

    private static async ValueTask<Dictionary<long, Dictionary<string, string>>> ReadMetadataAsync(DbSession session, string ids, CancellationToken ct)
    {
        var all = new Dictionary<long, Dictionary<string, string>>();
        await using var rows = await session.Command(SelectMetadata, ids).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!all.TryGetValue(rows.GetInt64(0), out var one)) all.Add(rows.GetInt64(0), one = new(StringComparer.Ordinal));
            one[rows.GetString(1)] = rows.GetString(2);
        }
        return all;
    }

    private static async ValueTask<Dictionary<long, List<long>>> ReadRolesAsync(DbSession session, long user, string ids, CancellationToken ct)
    {
        var all = new Dictionary<long, List<long>>();
        await using var rows = await session.Command(SelectRoles, user, ids).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!all.TryGetValue(rows.GetInt64(0), out var one)) all.Add(rows.GetInt64(0), one = []);
            one.Add(rows.GetInt64(1));
        }
        return all;
    }

    private sealed record Row(long Id, string Name, bool IsPublic, long? OwnerId, string? OwnerName, long Repositories, long CreatedAt, long UpdatedAt);

    private static readonly Statement SelectMetadata = new(
        $"SELECT project_id, name, value FROM project_metadata WHERE project_id IN (SELECT value FROM json_each(@0)) AND name <> '{Naming.NamingRules.Setting}' ORDER BY project_id, name",
        $"SELECT project_id, name, value FROM project_metadata WHERE project_id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint) AND name <> '{Naming.NamingRules.Setting}' ORDER BY project_id, name");

    private static readonly Statement SelectRoles = new("""
        SELECT project_id, role_id FROM project_members WHERE subject_kind = 1 AND subject_id = @0 AND project_id IN (SELECT value FROM json_each(@1))
        UNION SELECT m.project_id, m.role_id FROM user_group_members g JOIN project_members m ON m.subject_kind = 2 AND m.subject_id = g.group_id
        WHERE g.user_id = @0 AND m.project_id IN (SELECT value FROM json_each(@1)) ORDER BY 1, 2
        """, """
        SELECT project_id, role_id FROM project_members
        WHERE subject_kind = 1 AND subject_id = @0 AND project_id IN (SELECT jsonb_array_elements_text(@1::jsonb)::bigint)
        UNION SELECT m.project_id, m.role_id FROM user_group_members g JOIN project_members m ON m.subject_kind = 2 AND m.subject_id = g.group_id
        WHERE g.user_id = @0 AND m.project_id IN (SELECT jsonb_array_elements_text(@1::jsonb)::bigint) ORDER BY 1, 2
        """);
}
