using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Lifecycle;

/// <summary>Reads and sets the stage of an artifact. The stage <c>archived</c> puts it into the archive; while it is there it has no other.</summary>
internal sealed class StageApi(Database database, ArchiveApi archive, DomainEvents events, TimeProvider time)
{
    private const string Path = "/projects/{project_name_or_id}/repositories/{repository_name}/artifacts/{reference}/stage";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(StageApi api) =>
    [
        new(HttpMethods.Get, Path, "getStage", "lifecycle", ApiNeed.Project(ProjectPermissions.ArtifactRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "The stage of an artifact.", Answer = typeof(StageJson),
        },
        new(HttpMethods.Put, Path, "setStage", "lifecycle", ApiNeed.Project(ProjectPermissions.ArtifactLabelCreate), api.SetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Sets the stage of an artifact: development, test, release or archived, which archives it; null for none.", Body = typeof(StageJson), Answer = typeof(StageJson),
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (repository, row, stage) = await database.ReadAsync((name, reference), static async (session, q, token) =>
        {
            var (path, found) = await ArtifactRows.FindAsync(session, q.name, q.reference, token).ConfigureAwait(false);
            return (path, found, found is null ? null : await Stages.ReadAsync(session, found.Id, token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        return row is null ? ArtifactApi.NotFound(repository, name, reference) : ApiResult.Ok(new StageJson { Stage = stage }, LifecycleJson.Default.StageJson);
    }

    private async Task<ApiResult> SetAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(LifecycleJson.Default.StageJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (ProblemOf(body.Stage) is { } problem) return ApiResult.BadRequest(problem);
        // It keeps everybody from deleting: that takes more than a label does.
        if (body.Stage == Stages.Archived && !await call.MayAsync(ProjectPermissions.ImmutableTagUpdate, ct).ConfigureAwait(false)) return call.Refuse();
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var (repository, row) = await ArtifactRows.FindAsync(session, name, reference, token).ConfigureAwait(false);
            if (row is null) return ArtifactApi.NotFound(repository, name, reference);
            if (row.AccessoryKind is not null) return ApiResult.Fail(ArtifactTargets.Denied, "what belongs to another artifact has no stage of its own");
            if (body.Stage != Stages.Archived && await Stages.ReadAsync(session, row.Id, token).ConfigureAwait(false) == Stages.Archived)
                return ApiResult.Fail(ArtifactTargets.Denied, "the artifact is archived: take it out of the archive first");
            if (body.Stage == Stages.Archived && (await ArchiveApi.ReadAsync(session, row.Id, token).ConfigureAwait(false))?.Archived == false)
                await archive.SetAsync(session, row, ArchiveState.Archived, token).ConfigureAwait(false);
            await Stages.SetAsync(session, row.Id, body.Stage, time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            await events.ByAsync(session, call, "update", "artifact", $"{row.Repository}@{row.Digest}", body.Stage is null ? "has no stage" : $"stage {body.Stage}", token).ConfigureAwait(false);
            return ApiResult.Ok(body, LifecycleJson.Default.StageJson);
        }, ct).ConfigureAwait(false);
    }

    /// <summary>What is wrong with a stage; null when nothing is.</summary>
    internal static string? ProblemOf(string? stage) => stage is null || Stages.All.Contains(stage) ? null : $"stage must be one of {string.Join(", ", Stages.All)}";
}

/// <summary>A stage.</summary>
public sealed record StageJson
{
    /// <summary><c>development</c>, <c>test</c>, <c>release</c>, <c>archived</c>, or null for none.</summary>
    public string? Stage { get; init; }
}
