using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.Artifacts;

/// <summary>Harbor's operations that put labels on an artifact and take them off.</summary>
internal sealed class ArtifactLabelApi(Database database, DomainEvents events, TimeProvider time)
{
    private const string Labels = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels";

    public static IEnumerable<ApiOperation> Operations(ArtifactLabelApi api) =>
    [
        new("POST", Labels, "addLabel", "artifact", ApiNeed.Project(ProjectPermissions.ArtifactLabelCreate), api.AddAsync)
        {
            Summary = "Puts a label on an artifact.", Body = typeof(ArtifactLabelJson),
        },
        new("DELETE", Labels + "/{label_id}", "removeLabel", "artifact", ApiNeed.Project(ProjectPermissions.ArtifactLabelDelete), api.RemoveAsync)
        {
            Summary = "Takes a label off an artifact.",
        },
    ];

    private async Task<ApiResult> AddAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ArtifactsJsonContext.Default.ArtifactLabelJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (project, actor, now) = (call.Project!, call.Actor, time.GetUtcNow().ToUnixTimeMilliseconds());
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            // A label of another project looks as if it were not there.
            if (await session.ScalarAsync(SelectLabel, [body.Id, project.Id], token).ConfigureAwait(false) is null)
                return ApiResult.NotFound($"project id {project.Id}, label {body.Id} not found");
            var (repository, row) = await ArtifactRows.FindAsync(session, name, reference, token).ConfigureAwait(false);
            if (row is null) return ArtifactApi.NotFound(repository, name, reference);
            if (await session.ExecuteAsync(Insert, [row.Id, body.Id, now], token).ConfigureAwait(false) == 0)
                return ApiResult.Conflict($"label {body.Id} is already added to the artifact {row.Id}");
            await RaiseAsync(session, row, project.Name, actor, $"label {body.Id} added to artifact {row.Repository}@{row.Digest}", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> RemoveAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("label_id") is not { } label) return ApiResult.Fail(ApiError.Unprocessable, "label_id is not a number");
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (project, actor) = (call.Project!, call.Actor);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var (repository, row) = await ArtifactRows.FindAsync(session, name, reference, token).ConfigureAwait(false);
            if (row is null) return ArtifactApi.NotFound(repository, name, reference);
            if (await session.ExecuteAsync(Delete, [row.Id, label], token).ConfigureAwait(false) == 0)
                return ApiResult.NotFound($"reference with label {label} and artifact {row.Id} not found");
            await RaiseAsync(session, row, project.Name, actor, $"label {label} removed from artifact {row.Repository}@{row.Digest}", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private ValueTask RaiseAsync(DbSession session, ArtifactRow row, string project, EventActor actor, string description, CancellationToken ct) =>
        events.RaiseAsync(session, new DomainEvent
        {
            Operation = "update",
            ResourceType = "artifact",
            Resource = $"{row.Repository}@{row.Digest}",
            ProjectId = row.ProjectId,
            ProjectName = project,
            Actor = actor,
            Description = description,
        }, ct);

    private static readonly Statement SelectLabel = new("SELECT id FROM labels WHERE id = @0 AND (project_id IS NULL OR project_id = @1)");
    private static readonly Statement Insert = new("INSERT INTO manifest_labels (manifest_id, label_id, created_at) VALUES (@0, @1, @2) ON CONFLICT DO NOTHING");
    private static readonly Statement Delete = new("DELETE FROM manifest_labels WHERE manifest_id = @0 AND label_id = @1");
}
