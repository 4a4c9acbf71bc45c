using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Projects;

/// <summary>A project with what the overviews show of it.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsPublic">Anybody may pull.</param>
/// <param name="OwnerId">Who made it.</param>
/// <param name="OwnerName">Name of that user.</param>
/// <param name="RepositoryCount">Repositories in it.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="UpdatedAt">Unix milliseconds.</param>
internal sealed record VisibleProject(long Id, string Name, bool IsPublic, long? OwnerId, string? OwnerName, long RepositoryCount, long CreatedAt, long UpdatedAt);

/// <summary>The projects that a caller sees: all for administrators, else the public ones and those in which the caller, a group or a robot's grant takes part.</summary>
internal static class VisibleProjects
{
    /// <summary>Reads them, by name.</summary>
    public static async ValueTask<List<VisibleProject>> ReadAsync(Database database, ApiCall call, CancellationToken ct)
    {
        var (caller, all) = (call.Caller, call.IsAdmin);
        var projects = await database.ReadAsync((caller, all), static (session, q, token) => ReadAsync(session, q.caller, q.all, token), ct).ConfigureAwait(false);
        // The limit of a token is not in the database.
        if (caller.Scopes is null || all) return projects;
        var visible = new List<VisibleProject>();
        foreach (var project in projects)
        {
            if (await call.FindProjectAsync(project.Name, ct).ConfigureAwait(false) is { } facts && await call.MayAsync(facts, ProjectPermissions.ProjectRead, ct).ConfigureAwait(false)) visible.Add(project);
        }
        return visible;
    }

    private static async ValueTask<List<VisibleProject>> ReadAsync(DbSession session, Caller caller, bool all, CancellationToken ct)
    {
        var statement = all || (caller.IsAdmin && caller.Scopes is not null) ? SelectAll
            : caller.Kind == CallerKind.User ? SelectOfUser
            : caller.Kind == CallerKind.Robot ? SelectOfRobot
            : SelectPublic;
        var command = statement.ParameterCount == 0 ? session.Command(statement) : session.Command(statement, caller.SubjectId);
        var projects = new List<VisibleProject>();
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            projects.Add(new VisibleProject(
                reader.GetInt64(0), reader.GetString(1), reader.GetBoolean(2), reader.IsDBNull(3) ? null : reader.GetInt64(3), reader.IsDBNull(4) ? null : reader.GetString(4),
                reader.GetInt64(5), reader.GetInt64(6), reader.GetInt64(7)));
        }
        return projects;
    }

    private const string Select = """
        SELECT p.id, p.name, p.is_public, p.owner_id, u.name, p.repository_count, p.created_at, p.updated_at
        FROM projects p LEFT JOIN users u ON u.id = p.owner_id
        """;

    private static readonly Statement SelectAll = new(Select + " ORDER BY p.name");
    private static readonly Statement SelectPublic = new(Select + " WHERE p.is_public ORDER BY p.name");

    private static readonly Statement SelectOfUser = new(Select + """
         WHERE p.is_public OR p.id IN (SELECT project_id FROM project_members WHERE subject_kind = 1 AND subject_id = @0)
          OR p.id IN (SELECT m.project_id FROM project_members m JOIN user_group_members g ON g.group_id = m.subject_id WHERE g.user_id = @0 AND m.subject_kind = 2)
        ORDER BY p.name
        """);

    private static readonly Statement SelectOfRobot = new(Select + """
         WHERE p.is_public OR p.id IN (SELECT project_id FROM project_members WHERE subject_kind = 3 AND subject_id = @0)
          OR p.id IN (SELECT project_id FROM robot_permissions WHERE robot_id = @0 AND scope = 0 AND project_id IS NOT NULL)
          OR EXISTS (SELECT 1 FROM robot_permissions WHERE robot_id = @0 AND scope = 0 AND project_id IS NULL)
        ORDER BY p.name
        """);
}
