using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>
/// Every move of a tag, and the way back: who, when, from where, from which digest to which. A rollback is a push of the old manifest under the tag: the same rights, rules,
/// immutability, history and event.
/// </summary>
internal sealed class TagHistoryApi(Database database, ManifestCommit commit, ArtifactTargets targets, DomainEvents events)
{
    private const string Repository = "/projects/{project_name}/repositories/{repository_name}";
    private const int DefaultPage = 50;

    public static IEnumerable<ApiOperation> Operations(TagHistoryApi api) =>
    [
        new("GET", Repository + "/history", "listRepositoryHistory", "tag history", ApiNeed.Project(ProjectPermissions.TagList), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Lists the moves of all tags of a repository, the latest first.", Answer = typeof(TagHistoryJson), Query = ["before", "page_size"],
        },
        new("GET", Repository + "/tags/{tag_name}/history", "listTagHistory", "tag history", ApiNeed.Project(ProjectPermissions.TagList), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Lists the moves of a tag, the latest first.", Answer = typeof(TagHistoryJson), Query = ["before", "page_size"],
        },
        new("POST", Repository + "/tags/{tag_name}/rollback", "rollbackTag", "tag history", ApiNeed.Project(ProjectPermissions.RepositoryPush), api.RollBackAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Points a tag to where it pointed before.", Body = typeof(RollbackJson), Answer = typeof(RolledBackJson),
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal, DefaultPage)) return refusal!;
        var before = long.MaxValue;
        if (call.Query("before") is { Length: > 0 } text && !long.TryParse(text, out before)) return ApiResult.BadRequest("before must be a number");
        var (name, tag) = (RepositoryPath.NameOf(call), call.Route("tag_name"));
        var moves = await database.ReadAsync((name, tag, before, page.Size), static async (session, q, t) =>
        {
            if (await RepositoryPath.FindAsync(session, q.name, t).ConfigureAwait(false) is not { } repository) return null;
            var found = new List<TagMoveJson>();
            var command = q.tag.Length == 0
                ? session.Command(SelectOfRepository, repository.Id, q.before, q.Size + 1L)
                : session.Command(SelectOfTag, repository.Id, q.before, q.Size + 1L, q.tag);
            await using var rows = await command.ExecuteReaderAsync(t).ConfigureAwait(false);
            while (await rows.ReadAsync(t).ConfigureAwait(false))
            {
                found.Add(new TagMoveJson
                {
                    Id = rows.GetInt64(0),
                    Tag = rows.GetString(1),
                    Digest = rows.IsDBNull(2) ? null : rows.GetString(2),
                    PreviousDigest = rows.IsDBNull(3) ? null : rows.GetString(3),
                    Actor = rows.GetString(4),
                    Address = rows.GetString(5),
                    Time = HarborTime.Of(rows.GetInt64(6)),
                });
            }
            return found;
        }, ct).ConfigureAwait(false);
        if (moves is null) return ApiResult.NotFound($"repository {name} not found");
        var hasMore = moves.Count > page.Size;
        if (hasMore) moves.RemoveAt(page.Size);
        return ApiResult.Ok(new TagHistoryJson { Items = moves, Next = hasMore ? moves[^1].Id : null }, ArtifactsJsonContext.Default.TagHistoryJson);
    }

    private async Task<ApiResult> RollBackAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ArtifactsJsonContext.Default.RollbackJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if ((body.Digest is null) == (body.HistoryId is null)) return ApiResult.BadRequest("name either a digest or a history_id");
        if (body.Digest is not null && !Digest.TryParse(body.Digest, out _)) return ApiResult.BadRequest($"invalid digest: {body.Digest}");
        var (name, tag) = (RepositoryPath.NameOf(call), call.Route("tag_name"));
        if (!TagName.IsValid(tag)) return ApiResult.BadRequest($"invalid tag name: {tag}");
        var request = await targets.RequestAsync(call, call.Project!, name, ProjectPermissions.RepositoryPush, ct).ConfigureAwait(false);
        var (result, told) = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var done = await RollBackAsync(session, request, tag, body, token).ConfigureAwait(false);
            if (done.Result.Failure is not null) session.Rollback();
            return done;
        }, ct).ConfigureAwait(false);
        if (told is not null) await events.RaiseAsync(told, ct).ConfigureAwait(false);
        return result;
    }

    private async Task<(ApiResult Result, DomainEvent? Told)> RollBackAsync(DbSession session, RegistryRequest request, string tag, RollbackJson to, CancellationToken ct)
    {
        if (await RepositoryPath.FindAsync(session, request.Repository, ct).ConfigureAwait(false) is not { } repository)
            return (ApiResult.NotFound($"repository {request.Repository} not found"), null);
        if (await DigestOfAsync(session, repository.Id, tag, to, ct).ConfigureAwait(false) is not { } digest)
            return (ApiResult.NotFound($"the tag {tag} has never pointed there: see its history"), null);
        if (await ArtifactRows.FindAsync(session, repository.Id, digest, ct).ConfigureAwait(false) is not { } row
            || await ArtifactRows.ReadContentAsync(session, row.Id, ct).ConfigureAwait(false) is not { } stored
            || !ManifestReader.TryRead(stored.Content, stored.MediaType, out var document, out _))
        {
            return (ApiResult.NotFound($"{request.Repository}@{digest} has been deleted"), null);
        }
        var change = new ManifestChange(Digest.Parse(digest), document, stored.Content, [tag], new TagCondition(null, false));
        var outcome = await commit.WriteAsync(session, ArtifactTargets.Writing(request), change, targets.Pushed(request, change), ct).ConfigureAwait(false);
        return outcome.Error is { } error
            ? (ArtifactTargets.Answer(error, outcome.Details.Count > 0 ? outcome.Details[0] : error.Message), outcome.AfterRollback)
            : (ApiResult.Ok(new RolledBackJson(tag, digest), ArtifactsJsonContext.Default.RolledBackJson), null);
    }

    private static async ValueTask<string?> DigestOfAsync(DbSession session, long repositoryId, string tag, RollbackJson to, CancellationToken ct)
    {
        var command = to.HistoryId is { } id
            ? session.Command(SelectMove, repositoryId, tag, id)
            : session.Command(SelectMoveTo, repositoryId, tag, to.Digest);
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
    }

    private const string Columns = "SELECT id, name, digest, previous_digest, actor, address, at FROM tag_history";

    private static readonly Statement SelectOfRepository = new($"{Columns} WHERE repository_id = @0 AND id < @1 ORDER BY id DESC LIMIT @2");
    private static readonly Statement SelectOfTag = new($"{Columns} WHERE repository_id = @0 AND name = @3 AND id < @1 ORDER BY id DESC LIMIT @2");
    private static readonly Statement SelectMove = new("SELECT digest FROM tag_history WHERE repository_id = @0 AND name = @1 AND id = @2");

    private static readonly Statement SelectMoveTo = new("""
        SELECT @2 FROM tag_history WHERE repository_id = @0 AND name = @1 AND (digest = @2 OR previous_digest = @2) LIMIT 1
        """);
}
