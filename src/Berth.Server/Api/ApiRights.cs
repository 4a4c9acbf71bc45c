using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Api;

/// <summary>Asks what callers of the management API may do.</summary>
internal sealed class ApiRights(RightsCache rights, Database database)
{
    /// <summary>The project of a name, or null.</summary>
    public ValueTask<ProjectFacts?> FindProjectAsync(string name, CancellationToken ct) => rights.FindProjectAsync(name, ct);

    /// <summary>The project of an id, or null.</summary>
    public ValueTask<ProjectFacts?> FindProjectAsync(long id, CancellationToken ct) =>
        database.ReadAsync(id, static (s, i, t) => ProjectRows.ReadAsync(s, i, t), ct);

    /// <summary>The name that a repository has now.</summary>
    public ValueTask<string> CurrentNameAsync(string repository, CancellationToken ct) => rights.CurrentNameAsync(repository, ct);

    /// <summary>What the caller may do in a project.</summary>
    public ValueTask<ProjectRights> OfAsync(Caller caller, ProjectFacts project, CancellationToken ct) => rights.OfAsync(caller, project, ct);

    /// <summary>Whether the caller has a permission in a project.</summary>
    public async ValueTask<bool> MayAsync(Caller caller, ProjectFacts project, Permission permission, CancellationToken ct) =>
        (await rights.OfAsync(caller, project, ct).ConfigureAwait(false)).May(permission);

    /// <summary>Whether the caller has a permission for the installation.</summary>
    public async ValueTask<bool> MayAsync(Caller caller, Permission permission, CancellationToken ct) =>
        (await rights.OfSystemAsync(caller, ct).ConfigureAwait(false)).Has(permission);
}
