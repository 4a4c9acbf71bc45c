using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>Harbor's operations on the tags of an artifact.</summary>
internal sealed class ArtifactTagApi(Database database, ManifestCommit commit, Deletes deletes, ArtifactTargets targets, DomainEvents events)
{
    private const string Tags = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags";

    private static readonly Dictionary<string, string> s_columns = new(StringComparer.Ordinal)
    {
        ["name"] = "t.name",
        ["artifact_id"] = "t.manifest_id",
        ["repository_id"] = "t.repository_id",
        ["push_time"] = "t.updated_at",
        ["pull_time"] = "COALESCE(t.pulled_at, 0)",
    };

    public static IEnumerable<ApiOperation> Operations(ArtifactTagApi api) =>
    [
        new("GET", Tags, "listTags", "artifact", ApiNeed.Project(ProjectPermissions.TagList), api.ListAsync)
        {
            Summary = "Lists the tags of an artifact.", Answer = typeof(TagJson), IsList = true, Query = ["with_immutable_status"],
        },
        new("POST", Tags, "createTag", "artifact", ApiNeed.Project(ProjectPermissions.TagCreate), api.CreateAsync)
        {
            Summary = "Gives an artifact a tag that does not exist yet.", Body = typeof(TagCreateJson),
        },
        new("DELETE", Tags + "/{tag_name}", "deleteTag", "artifact", ApiNeed.Project(ProjectPermissions.TagDelete), api.DeleteAsync)
        {
            Summary = "Takes a tag off an artifact.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (repository, row) = await database.ReadAsync((name, reference), static (s, q, t) => ArtifactRows.FindAsync(s, q.name, q.reference, t), ct).ConfigureAwait(false);
        if (row is null) return ArtifactApi.NotFound(repository, name, reference);
        var query = new ListQuery(database.Kind);
        // Lock 8 keeps a tag out of lists (TagLocks.List).
        query.And($"t.manifest_id = {query.Value(row.Id)} AND (t.locks & 8) = 0");
        foreach (var filter in list.Filters)
        {
            if (!Add(query, filter)) return ApiResult.BadRequest($"invalid query condition: {filter.Key}");
        }
        var order = ListQuery.Order(list.Sort, s_columns, "t.updated_at", "t.name");
        var withStatus = call.Flag("with_immutable_status");
        var (tags, total) = await database.ReadAsync((query, order, list.Page, row, withStatus), static async (session, q, t) =>
        {
            var count = await q.query.ScalarAsync(session, "SELECT COUNT(*) FROM tags t", t).ConfigureAwait(false);
            var found = new List<TagJson>();
            await using (var command = q.query.Command(
                session, "SELECT t.manifest_id, t.repository_id, t.name, t.updated_at, t.pulled_at, t.expires_at FROM tags t", $"{q.order.Sql} LIMIT {q.Page.Size} OFFSET {q.Page.Offset}"))
            {
                await using var rows = await command.ExecuteReaderAsync(t).ConfigureAwait(false);
                while (await rows.ReadAsync(t).ConfigureAwait(false)) found.Add(ArtifactAssembly.Tag(rows));
            }
            if (q.withStatus) found = await ArtifactAssembly.WithImmutableStatusAsync(session, q.row.ProjectId, q.row.Repository, found, t).ConfigureAwait(false);
            return (found, count);
        }, ct).ConfigureAwait(false);
        return ApiResult.List(tags, total, ArtifactsJsonContext.Default.IReadOnlyListTagJson);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ArtifactsJsonContext.Default.TagCreateJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!TagName.IsValid(body.Name)) return ApiResult.BadRequest($"invalid tag name: {body.Name}");
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var request = await targets.RequestAsync(call, call.Project!, name, ProjectPermissions.RepositoryPush, ct).ConfigureAwait(false);
        var (result, told) = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var done = await WriteAsync(session, request, reference, body.Name!, token).ConfigureAwait(false);
            if (done.Result.Failure is not null) session.Rollback();
            return done;
        }, ct).ConfigureAwait(false);
        if (told is not null) await events.RaiseAsync(told, ct).ConfigureAwait(false);
        return result;
    }

    private async Task<(ApiResult Result, DomainEvent? Told)> WriteAsync(DbSession session, RegistryRequest request, string reference, string tag, CancellationToken ct)
    {
        var (repository, row) = await ArtifactRows.FindAsync(session, request.Repository, reference, ct).ConfigureAwait(false);
        if (row is null || await ArtifactRows.ReadContentAsync(session, row.Id, ct).ConfigureAwait(false) is not { } stored)
            return (ArtifactApi.NotFound(repository, request.Repository, reference), null);
        if (!ManifestReader.TryRead(stored.Content, stored.MediaType, out var document, out var problem)) return (ApiResult.BadRequest(problem), null);
        var change = new ManifestChange(Digest.Parse(row.Digest), document, stored.Content, [tag], new TagCondition(null, MustNotExist: true));
        var outcome = await commit.WriteAsync(session, ArtifactTargets.Writing(request), change, targets.Pushed(request, change), ct).ConfigureAwait(false);
        if (outcome.Error is not { } error) return (ApiResult.Created($"{request.Http.Request.PathBase}{request.Http.Request.Path.ToUriComponent()}/{tag}"), null);
        return error == OciError.PreconditionFailed
            ? (ApiResult.Conflict($"tag {tag} already exists under the repository {request.Repository}"), null)
            : (ArtifactTargets.Answer(error, outcome.Details.Count > 0 ? outcome.Details[0] : error.Message), outcome.AfterRollback);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference, tag) = (RepositoryPath.NameOf(call), call.Route("reference"), call.Route("tag_name"));
        var request = await targets.RequestAsync(call, call.Project!, name, ProjectPermissions.RepositoryDelete, ct).ConfigureAwait(false);
        var target = targets.Deletion(request);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var (repository, row) = await ArtifactRows.FindAsync(session, name, reference, token).ConfigureAwait(false);
            if (row is null) return ArtifactApi.NotFound(repository, name, reference);
            await Rows.LockRepositoryAsync(session, row.RepositoryId, token).ConfigureAwait(false);
            if (await session.ScalarAsync(SelectTag, [row.RepositoryId, tag, row.Id], token).ConfigureAwait(false) is null)
                return ApiResult.NotFound($"tag {tag} attached to artifact {row.Id} not found");
            var outcome = await deletes.DeleteTagAsync(session, target, tag, token).ConfigureAwait(false);
            if (outcome.Error is not { } error) return ApiResult.Done;
            session.Rollback();
            return ArtifactTargets.Answer(error, outcome.Detail ?? error.Message);
        }, ct).ConfigureAwait(false);
    }

    private static bool Add(ListQuery query, ApiFilter filter)
    {
        switch (ListQuery.SnakeCase(filter.Key))
        {
            case "name":
                query.AndText("t.name", filter);
                return true;
            case "push_time":
                return query.AndTime("t.updated_at", filter);
            case "pull_time":
                return query.AndTime("COALESCE(t.pulled_at, 0)", filter);
            default:
                return true;
        }
    }
    private static readonly Statement SelectTag = new("SELECT 1 FROM tags WHERE repository_id = @0 AND name = @1 AND manifest_id = @2");
}
