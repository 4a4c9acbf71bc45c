using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Projects;

namespace Berth.Server.Scanning;

/// <summary>Whether one reader may look into the images of repositories: by the permission in the project, and by the access rules below it. Each project is asked about once.</summary>
internal sealed class VisibleImages(ApiRights rights, Caller caller)
{
    private readonly Dictionary<long, (ProjectFacts Project, ProjectRights Rights)?> _projects = [];
    private readonly Dictionary<string, bool> _repositories = new(StringComparer.Ordinal);

    /// <summary>Whether the reader may.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="repository">Full name of the repository.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<bool> MayAsync(long projectId, string repository, CancellationToken ct)
    {
        if (_repositories.TryGetValue(repository, out var known)) return known;
        if (!_projects.TryGetValue(projectId, out var own))
        {
            if (await rights.FindProjectAsync(projectId, ct).ConfigureAwait(false) is { } project)
            {
                var of = await rights.OfAsync(caller, project, ct).ConfigureAwait(false);
                if (of.May(ProjectPermissions.ArtifactList) && of.May(ProjectPermissions.ArtifactAdditionRead)) own = (project, of with { Set = of.Set.Union(PermissionSet.Of(ProjectPermissions.RepositoryPull)) });
            }
            _projects.Add(projectId, own);
        }
        // As the API asks of one artifact: who may read additions pulls, unless a rule says no.
        var may = own is { } found
            && new RepositoryRights(repository, found.Project, found.Rights, AccessRules.AllWithoutTag(found.Rights, ProjectName.WithoutProject(repository)), null).May(RepositoryAction.Pull);
        _repositories.Add(repository, may);
        return may;
    }
}
