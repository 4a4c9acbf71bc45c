using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Scanning.Findings;

/// <summary>Whose findings a caller may read: those of projects in which it may read the additions of artifacts, but for repositories that access rules withhold.</summary>
internal sealed class ScanVisibility(Database database, ArtifactTargets targets)
{
    /// <summary>The projects, by their rows; null for all.</summary>
    public async ValueTask<IReadOnlyList<long>?> ProjectsAsync(ApiCall call, CancellationToken ct)
    {
        if (call.IsAdmin) return null;
        var found = new List<long>();
        foreach (var visible in await VisibleProjects.ReadAsync(database, call, ct).ConfigureAwait(false))
        {
            if (await call.FindProjectAsync(visible.Name, ct).ConfigureAwait(false) is { } project
                && await call.MayAsync(project, ProjectPermissions.ArtifactAdditionRead, ct).ConfigureAwait(false)) found.Add(project.Id);
        }
        return found;
    }

    /// <summary>The projects of a call with the parameter <c>project</c> (a name or a number); false with the answer when there is no such project for the caller.</summary>
    public async ValueTask<(bool IsFound, IReadOnlyList<long>? Projects, ApiResult? Refusal)> ScopeAsync(ApiCall call, CancellationToken ct)
    {
        var name = call.Query("project");
        if (name.Length == 0) return (true, await ProjectsAsync(call, ct).ConfigureAwait(false), null);
        var project = await call.FindProjectAsync(name, ct).ConfigureAwait(false);
        if (project is null && long.TryParse(name, out var id)) project = await call.FindProjectAsync(id, ct).ConfigureAwait(false);
        if (project is not null && await call.MayAsync(project, ProjectPermissions.ArtifactAdditionRead, ct).ConfigureAwait(false)) return (true, [project.Id], null);
        // What is not there and what must not be seen look alike.
        return (false, null, call.Caller.IsAnonymous ? call.Refuse() : ApiResult.NotFound($"project {name} not found"));
    }

    /// <summary>The items whose repositories the caller may read.</summary>
    public async ValueTask<List<T>> ReadableAsync<T>(ApiCall call, IReadOnlyList<T> items, Func<T, (long ProjectId, string Repository)> of, CancellationToken ct)
    {
        if (call.IsAdmin) return [.. items];
        var (known, projects) = (new Dictionary<string, bool>(StringComparer.Ordinal), new Dictionary<long, ProjectFacts?>());
        var found = new List<T>(items.Count);
        foreach (var item in items)
        {
            var (id, repository) = of(item);
            if (!known.TryGetValue(repository, out var mayRead))
            {
                if (!projects.TryGetValue(id, out var project)) projects.Add(id, project = await call.FindProjectAsync(id, ct).ConfigureAwait(false));
                known.Add(repository, mayRead = project is not null && await targets.MayReadAsync(call, project, repository, ct).ConfigureAwait(false));
            }
            if (mayRead) found.Add(item);
        }
        return found;
    }
}
