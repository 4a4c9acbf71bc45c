using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Http;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>
/// Turns a call of the API into what the registry's own changes take. The API's permission is asked before (<c>artifact:create</c>, <c>tag:delete</c> …); what the
/// access rules below the project say of repositories and tags holds here as it does for docker.
/// </summary>
internal sealed class ArtifactTargets(ApiRights rights, RegistryEvents events)
{
    /// <summary>The call as a request to a repository.</summary>
    /// <param name="call">The call.</param>
    /// <param name="project">Project of the repository.</param>
    /// <param name="repository">Full name.</param>
    /// <param name="granted">What the permission that was asked for stands for in the words of the rules.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<RegistryRequest> RequestAsync(ApiCall call, ProjectFacts project, string repository, Permission granted, CancellationToken ct)
    {
        var own = await rights.OfAsync(call.Caller, project, ct).ConfigureAwait(false);
        own = own with { Set = own.Set.Union(PermissionSet.Of(granted)) };
        var actions = AccessRules.AllWithoutTag(own, ProjectName.WithoutProject(repository));
        return new RegistryRequest(call.Http, new RepositoryRights(repository, project, own, actions, null), call.Caller, RequestFacts.Of(call.Http));
    }

    /// <summary>Whether rules let the caller read content of a repository, whose project the caller may read artifacts of.</summary>
    public async ValueTask<bool> MayReadAsync(ApiCall call, ProjectFacts project, string repository, CancellationToken ct) =>
        (await RequestAsync(call, project, repository, ProjectPermissions.RepositoryPull, ct).ConfigureAwait(false)).Rights.May(RepositoryAction.Pull);

    /// <summary>Where the registry deletes for a call.</summary>
    public DeleteTarget Deletion(RegistryRequest request) => new(request.Rights, request.Caller.Name, request.Address, events.Describe(request));

    /// <summary>Where the registry writes for a call.</summary>
    public static ManifestTarget Writing(RegistryRequest request) => new(request.Rights, request.Caller.Name, request.Address, RegistryEvents.ActorOf(request));

    /// <summary>The event of a manifest that the API has written; null when nobody wants it.</summary>
    public RegistryEvent? Pushed(RegistryRequest request, ManifestChange change) => !events.Wants(RegistryEventAction.Push) ? null : new RegistryEvent
    {
        Action = RegistryEventAction.Push,
        Repository = request.Repository,
        Digest = change.Digest.Value,
        Tag = change.Tags.Count > 0 ? change.Tags[0] : null,
        MediaType = change.Document.MediaType,
        Size = change.Content.Length,
        Actor = request.Caller.Name,
        Request = events.Describe(request),
    };

    /// <summary>An error of the registry in Harbor's codes.</summary>
    public static ApiResult Answer(OciError error, string detail) => error.Status switch
    {
        403 => ApiResult.Fail(Denied, detail),
        404 => ApiResult.NotFound(detail),
        409 => ApiResult.Conflict(detail),
        412 => ApiResult.Fail(ApiError.PreconditionFailed, detail),
        _ => ApiResult.BadRequest(detail),
    };

    /// <summary>403 in the registry's word, which Harbor uses for quotas, locks and accessories.</summary>
    public static readonly ApiError Denied = new("DENIED", 403);
}
