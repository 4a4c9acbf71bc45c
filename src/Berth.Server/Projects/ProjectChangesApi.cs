using System.Globalization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Projects;

/// <summary>Making, changing and deleting projects.</summary>
internal sealed class ProjectChangesApi(Database database, ProjectDefaults defaults, DomainEvents events, TimeProvider time)
{
    /// <summary>Why a project cannot be deleted, in Harbor's words.</summary>
    public const string HoldsRepositories = "the project contains repositories, can not be deleted";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ProjectChangesApi api) =>
    [
        new(HttpMethods.Post, "/projects", "createProject", "project", ApiNeed.SignedIn, api.CreateAsync)
        {
            Summary = "Makes a project; its maker becomes an administrator of it. Who may is a setting (projects.creators).", Body = typeof(ProjectRequest),
        },
        new(HttpMethods.Put, "/projects/{project_name_or_id}", "updateProject", "project", ApiNeed.Project(ProjectPermissions.ProjectUpdate), api.UpdateAsync)
        {
            Summary = "Changes settings of a project; what the body does not name stays.", Body = typeof(ProjectRequest),
        },
        new(HttpMethods.Delete, "/projects/{project_name_or_id}", "deleteProject", "project", ApiNeed.Project(ProjectPermissions.ProjectDelete), api.DeleteAsync)
        {
            Summary = "Deletes a project without repositories; with force=true its repositories too, unless a locked or immutable tag is among them.", Query = ["force"],
        },
    ];

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(ProjectJsonContext.Default.ProjectRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var mayCreate = await call.MayAsync(SystemPermissions.ProjectCreate, ct).ConfigureAwait(false);
        if (ProjectRules.WhyNotCreate(call.Caller, mayCreate, await defaults.CreatorsAsync(ct).ConfigureAwait(false)) is { } reason) return call.Refuse(reason);
        if (RefusalOfRegistry(request, mayCreate) is { } refused) return refused;
        var quota = request.StorageLimit is { } limit && limit != 0 && mayCreate ? limit : await defaults.QuotaAsync(ct).ConfigureAwait(false);
        if (!ProjectRules.TryReadSettings(request.Metadata, out var settings, out var problem)) return ApiResult.BadRequest(problem);
        if (request.Metadata?.GetValueOrDefault(ProjectSettings.RetentionId) is { Length: > 0 })
            return ApiResult.BadRequest("the retention_id in the request's payload when creating a project should be omitted, alternatively passing an empty string");
        if (ProjectRules.ProblemOfQuota(quota) is { } badQuota) return ApiResult.BadRequest(badQuota);
        var name = request.ProjectName ?? "";
        if (ProjectRules.ProblemOfName(name) is { } badName) return ApiResult.BadRequest(badName);
        if (request.CveAllowlist is { } allowed)
        {
            if (ProjectRules.ProblemOf(allowed, 0) is { } badList) return ApiResult.BadRequest(badList);
            settings[ProjectSettings.AllowList] = ProjectRules.TextOf(allowed);
        }
        var isPublic = settings.Remove(ProjectSettings.Public, out var text) ? text == "true" : request.Public == true;

        var seed = new ProjectSeed(isPublic, quota, call.Caller.Kind == CallerKind.User ? call.Caller.SubjectId : null, settings);
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            // As in Harbor, what a robot makes belongs to the first administrator.
            var owned = seed.OwnerId is null ? seed with { OwnerId = await session.ScalarAsync(SelectFirstAdmin, [], token).ConfigureAwait(false) } : seed;
            var added = await ProjectRows.AddAsync(session, name, owned, time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            if (added is { } made) await events.RaiseAsync(session, ProjectEvents.Of(ProjectEvents.Create, made, name, call.Actor, $"create project: {name}"), token).ConfigureAwait(false);
            return added;
        }, ct).ConfigureAwait(false);
        if (id is null) return ApiResult.Conflict($"The project named {name} already exists");
        var byName = string.Equals(call.Http.Request.Headers["X-Resource-Name-In-Location"], "true", StringComparison.OrdinalIgnoreCase);
        return ApiResult.Created("/api/v2.0/projects/" + (byName ? name : id.Value.ToString(CultureInfo.InvariantCulture)));
    }

    private static ApiResult? RefusalOfRegistry(ProjectRequest request, bool mayCreate) => request.RegistryId switch
    {
        null => null,
        _ when !mayCreate => ApiResult.Forbidden("Only system admin can create proxy cache project"),
        <= 0 => ApiResult.BadRequest($"{request.RegistryId} is invalid value of registry_id, it should be geater than 0"),
        _ => ApiResult.Fail(ApiError.NotImplemented, "projects that cache another registry are not served yet: leave registry_id out"),
    };

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(ProjectJsonContext.Default.ProjectRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var project = call.Project!;
        if (!ProjectRules.TryReadSettings(request.Metadata, out var settings, out var problem)) return ApiResult.BadRequest(problem);
        if (request.Metadata?.GetValueOrDefault(ProjectSettings.RetentionId) is { Length: > 0 } retention && project.Metadata.GetValueOrDefault(ProjectSettings.RetentionId) != retention)
            return ApiResult.BadRequest("the retention_id in the request's payload when updating a project should be omitted, alternatively passing the one that has already been associated to this project");
        if (request.CveAllowlist is { } allowed)
        {
            if (ProjectRules.ProblemOf(allowed, project.Id) is { } badList) return ApiResult.BadRequest(badList);
            settings[ProjectSettings.AllowList] = ProjectRules.TextOf(allowed);
        }
        var isDone = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (!await ProjectMetadataRows.SetAsync(session, project.Id, settings, time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false)) return false;
            await events.RaiseAsync(session, ProjectEvents.Of(ProjectEvents.Update, project.Id, project.Name, call.Actor, $"update project: {project.Name}"), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return isDone ? ApiResult.Done : ApiResult.NotFound($"project {project.Name} not found");
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var project = call.Project!;
        var isForced = call.Flag("force");
        if (isForced && !await call.MayAsync(ProjectPermissions.RepositoryDelete, ct).ConfigureAwait(false)) return call.Refuse();
        var outcome = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var done = await ProjectRemoval.RemoveAsync(session, project, isForced, time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            if (done != RemovalOutcome.Done) session.Rollback();
            else await events.RaiseAsync(session, ProjectEvents.Of(ProjectEvents.Delete, project.Id, project.Name, call.Actor, $"delete project: {project.Name}"), token).ConfigureAwait(false);
            return done;
        }, ct).ConfigureAwait(false);
        return outcome switch
        {
            RemovalOutcome.Done => ApiResult.Done,
            RemovalOutcome.NotFound => ApiResult.NotFound($"project {project.Name} not found"),
            RemovalOutcome.HoldsKeptTags => ApiResult.Fail(ApiError.PreconditionFailed, "the project contains locked or immutable tags or archived artifacts, can not be deleted: lift locks and rules, and take them out of the archive first"),
            _ => ApiResult.Fail(ApiError.PreconditionFailed, HoldsRepositories),
        };
    }

    private static readonly Statement SelectFirstAdmin = new("SELECT MIN(id) FROM users WHERE is_admin");
}
