using Berth.Server.Access;
using Berth.Server.Platform.Settings;

namespace Berth.Server.Projects;

/// <summary>What new projects get and who may make them, by the configuration file and the settings that administrators change while the server runs.</summary>
internal sealed class ProjectDefaults(ProjectOptions options, RuntimeSettings settings)
{
    /// <summary>Who may make a project through the API and the web UI.</summary>
    public async ValueTask<ProjectCreators> CreatorsAsync(CancellationToken ct) =>
        // Harbor's setting has no word for nobody.
        options.Creators == ProjectCreators.Nobody ? ProjectCreators.Nobody
        : await settings.ReadAsync(RuntimeSettingTable.ProjectCreationRestriction, ct).ConfigureAwait(false) == "adminonly" ? ProjectCreators.Admins
        : ProjectCreators.Everyone;

    /// <summary>Quota of new projects in bytes; -1 for none.</summary>
    public ValueTask<long> QuotaAsync(CancellationToken ct) => settings.ReadAsync(RuntimeSettingTable.StoragePerProject, ct);

    /// <summary>How a push of a caller makes a project that is not there; null when it may not.</summary>
    public async ValueTask<ProjectSeed?> SeedForAsync(Caller caller, CancellationToken ct)
    {
        var isEntitled = options.CreateOnPush switch
        {
            ProjectCreators.Everyone => caller is { Kind: CallerKind.User, Scopes: null },
            ProjectCreators.Admins => caller is { IsAdmin: true, Scopes: null },
            _ => false,
        };
        return isEntitled ? options.SeedOf(caller.SubjectId, await QuotaAsync(ct).ConfigureAwait(false)) : null;
    }
}
