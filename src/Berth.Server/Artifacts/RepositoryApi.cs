using System.Data.Common;
using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.Artifacts;

/// <summary>
/// Harbor's operations on repositories: two lists, one, its description, its deletion. A repository's name in a path has its slashes encoded, once or twice.
/// </summary>
internal sealed class RepositoryApi(Database database, ApiRights rights, RepositoryDeletion deletion, DomainEvents events, TimeProvider time)
{
    private const int MaxDescription = 64 * 1024;

    private static readonly Dictionary<string, string> s_columns = new(StringComparer.Ordinal)
    {
        ["repository_id"] = "r.id",
        ["id"] = "r.id",
        ["name"] = "r.name",
        ["project_id"] = "r.project_id",
        ["description"] = "r.description",
        ["pull_count"] = "r.pull_count",
        ["artifact_count"] = "r.artifact_count",
        ["creation_time"] = "r.created_at",
        ["update_time"] = "r.updated_at",
    };

    public static IEnumerable<ApiOperation> Operations(RepositoryApi api) =>
    [
        new("GET", "/repositories", "listAllRepositories", "repository", ApiNeed.Anybody, api.ListAllAsync)
        {
            Summary = "Lists the repositories of all projects that the caller may see.", Answer = typeof(RepositoryJson), IsList = true,
        },
        new("GET", "/projects/{project_name}/repositories", "listRepositories", "repository", ApiNeed.Project(ProjectPermissions.RepositoryList), api.ListAsync)
        {
            Summary = "Lists the repositories of a project.", Answer = typeof(RepositoryJson), IsList = true,
        },
        new("GET", "/projects/{project_name}/repositories/{repository_name}", "getRepository", "repository",
            ApiNeed.Project(ProjectPermissions.RepositoryRead), api.GetAsync)
        {
            Summary = "Shows a repository.", Answer = typeof(RepositoryJson),
        },
        new("PUT", "/projects/{project_name}/repositories/{repository_name}", "updateRepository", "repository",
            ApiNeed.Project(ProjectPermissions.RepositoryUpdate), api.UpdateAsync)
        {
            Summary = "Changes the description of a repository.", Body = typeof(RepositoryUpdateJson),
        },
        new("DELETE", "/projects/{project_name}/repositories/{repository_name}", "deleteRepository", "repository",
            ApiNeed.Project(ProjectPermissions.RepositoryDelete), api.DeleteAsync)
        {
            Summary = "Deletes a repository with all its artifacts.",
        },
    ];

    private async Task<ApiResult> ListAllAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var query = new ListQuery(database.Kind);
        if (!call.IsAdmin)
        {
            var projects = await VisibleProjectsAsync(call, ct).ConfigureAwait(false);
            if (projects.Count == 0) return ApiResult.List([], 0, ArtifactsJsonContext.Default.IReadOnlyListRepositoryJson);
            query.And(database.Kind == DatabaseKind.Sqlite
                ? $"r.project_id IN (SELECT value FROM json_each({query.Value(JsonSerializer.Serialize(projects))}))"
                : $"r.project_id IN (SELECT unnest({query.Value(projects.ToArray())}))");
        }
        return await AnswerAsync(query, list, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var query = new ListQuery(database.Kind);
        query.And($"r.project_id = {query.Value(call.Project!.Id)}");
        return await AnswerAsync(query, list, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var name = RepositoryPath.NameOf(call);
        var found = await database.ReadAsync(name, static (s, n, t) => FindAsync(s, n, t), ct).ConfigureAwait(false);
        return found is null ? NotFound(name) : ApiResult.Ok(found, ArtifactsJsonContext.Default.RepositoryJson);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ArtifactsJsonContext.Default.RepositoryUpdateJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (body.Description?.Length > MaxDescription) return ApiResult.BadRequest($"a description may have {MaxDescription} characters");
        var name = RepositoryPath.NameOf(call);
        var (project, actor) = (call.Project!, call.Actor);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var isDone = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await RepositoryPath.FindAsync(session, name, token).ConfigureAwait(false) is not { } repository) return false;
            await session.ExecuteAsync(SetDescription, [repository.Id, body.Description ?? "", now], token).ConfigureAwait(false);
            await events.RaiseAsync(session, new DomainEvent
            {
                Operation = "update",
                ResourceType = "repository",
                Resource = repository.Name,
                ProjectId = project.Id,
                ProjectName = project.Name,
                Actor = actor,
                Description = $"description of repository {repository.Name} changed",
            }, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return isDone ? ApiResult.Done : NotFound(name);
    }

    private Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct) => deletion.RunAsync(call, RepositoryPath.NameOf(call), ct);

    private async Task<ApiResult> AnswerAsync(ListQuery query, ApiList list, CancellationToken ct)
    {
        foreach (var filter in list.Filters)
        {
            if (!Add(query, filter)) return ApiResult.BadRequest($"invalid query condition: {filter.Key}");
        }
        var order = ListQuery.Order(list.Sort, s_columns, "r.created_at", "r.id");
        var (items, total) = await database.ReadAsync((query, order, list.Page), static async (session, q, t) =>
        {
            var count = await q.query.ScalarAsync(session, "SELECT COUNT(*) FROM repositories r", t).ConfigureAwait(false);
            var found = new List<RepositoryJson>();
            if (count <= q.Page.Offset) return (found, count);
            // The ids first, which an index alone may have; then the rows of the page.
            var (sql, _) = q.order.Of(q.Page, count);
            await using var command = q.query.Command(session, $"SELECT {Columns} FROM repositories r WHERE r.id IN (SELECT id FROM (SELECT r.id FROM repositories r", $"{sql}) x) {q.order.Sql}");
            await using var rows = await command.ExecuteReaderAsync(t).ConfigureAwait(false);
            while (await rows.ReadAsync(t).ConfigureAwait(false)) found.Add(Read(rows));
            return (found, count);
        }, ct).ConfigureAwait(false);
        return ApiResult.List(items, total, ArtifactsJsonContext.Default.IReadOnlyListRepositoryJson);
    }

    private static bool Add(ListQuery query, ApiFilter filter)
    {
        switch (ListQuery.SnakeCase(filter.Key))
        {
            case "name":
                query.AndText("r.name", filter);
                return true;
            case "description":
                query.AndText("r.description", filter);
                return true;
            case "repository_id" or "id":
                return query.AndNumber("r.id", filter);
            case "project_id":
                return query.AndNumber("r.project_id", filter);
            case "pull_count":
                return query.AndNumber("r.pull_count", filter);
            case "creation_time":
                return query.AndTime("r.created_at", filter);
            case "update_time":
                return query.AndTime("r.updated_at", filter);
            case "blob_digest" when filter.Kind == FilterKind.Exact:
                query.And($"r.id IN (SELECT l.repository_id FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id WHERE b.digest = {query.Value(filter.Value)})");
                return true;
            default:
                // Harbor passes over what it does not know.
                return true;
        }
    }

    // Public projects, and those that the caller belongs to; as far as the caller may list repositories there.
    private async Task<List<long>> VisibleProjectsAsync(ApiCall call, CancellationToken ct)
    {
        var names = await database.ReadAsync(call.Caller, static async (session, caller, t) =>
        {
            var found = new List<string>();
            var statement = caller.IsAdmin ? SelectAllProjects : caller.Kind switch
            {
                CallerKind.User => SelectProjectsOfUser,
                CallerKind.Robot => SelectProjectsOfRobot,
                _ => SelectPublicProjects,
            };
            var command = caller.IsAdmin || caller.IsAnonymous ? session.Command(statement) : session.Command(statement, caller.SubjectId);
            await using var rows = await command.ExecuteReaderAsync(t).ConfigureAwait(false);
            while (await rows.ReadAsync(t).ConfigureAwait(false)) found.Add(rows.GetString(0));
            return found;
        }, ct).ConfigureAwait(false);
        var visible = new List<long>(names.Count);
        foreach (var name in names)
        {
            if (await rights.FindProjectAsync(name, ct).ConfigureAwait(false) is not { } project) continue;
            if (await rights.MayAsync(call.Caller, project, ProjectPermissions.RepositoryList, ct).ConfigureAwait(false)) visible.Add(project.Id);
        }
        return visible;
    }

    private static async ValueTask<RepositoryJson?> FindAsync(DbSession session, string name, CancellationToken ct)
    {
        if (await RepositoryPath.FindAsync(session, name, ct).ConfigureAwait(false) is not { } repository) return null;
        await using var row = await session.Command(SelectOne, repository.Id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? Read(row) : null;
    }

    private static RepositoryJson Read(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        ProjectId = row.GetInt64(1),
        Name = row.GetString(2),
        Description = row.GetString(3) is { Length: > 0 } description ? description : null,
        ArtifactCount = row.GetInt64(4),
        PullCount = row.GetInt64(5),
        CreationTime = HarborTime.Of(row.GetInt64(6)),
        UpdateTime = HarborTime.Of(row.GetInt64(7)),
    };

    private static ApiResult NotFound(string name) => ApiResult.NotFound($"repository {name} not found");

    private const string Columns = "r.id, r.project_id, r.name, r.description, r.artifact_count, r.pull_count, r.created_at, r.updated_at";

    private static readonly Statement SelectOne = new($"SELECT {Columns} FROM repositories r WHERE r.id = @0");

    private static readonly Statement SetDescription = new(
        "UPDATE repositories SET description = @1, updated_at = MAX(updated_at + 1, @2) WHERE id = @0",
        "UPDATE repositories SET description = @1, updated_at = GREATEST(updated_at + 1, @2) WHERE id = @0");

    private static readonly Statement SelectAllProjects = new("SELECT name FROM projects");

    private static readonly Statement SelectPublicProjects = new("SELECT name FROM projects WHERE is_public");

    private static readonly Statement SelectProjectsOfUser = new("""
        SELECT name FROM projects WHERE is_public OR id IN (
            SELECT project_id FROM project_members WHERE subject_kind = 1 AND subject_id = @0
            UNION SELECT m.project_id FROM user_group_members g JOIN project_members m ON m.subject_kind = 2 AND m.subject_id = g.group_id WHERE g.user_id = @0)
        """);

    private static readonly Statement SelectProjectsOfRobot = new("""
        SELECT name FROM projects WHERE is_public
            OR EXISTS (SELECT 1 FROM robot_permissions p WHERE p.robot_id = @0 AND p.scope = 0 AND p.project_id IS NULL)
            OR id IN (
                SELECT project_id FROM robot_permissions WHERE robot_id = @0 AND scope = 0
                UNION SELECT project_id FROM project_members WHERE subject_kind = 3 AND subject_id = @0)
        """);
}
