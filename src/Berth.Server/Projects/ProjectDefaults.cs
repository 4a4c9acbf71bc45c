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
}
