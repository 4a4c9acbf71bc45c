using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>The pages about what is inside images.</summary>
internal static class SecurityPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/findings/{reference}/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), typeof(FindingsPage))
        {
            Actions = [new("scan", ScanForms.ScanAsync), new("stop", ScanForms.StopAsync)],
        },
        new("/projects/{project_name}/packages/{reference}/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), typeof(PackagesPage)),
        new(SecurityPaths.Overview, ApiNeed.System(SystemPermissions.SecurityHubRead), typeof(SecurityPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 14, l => new OverviewWords(l).Title),
            Actions = [new("scan-all", ScanAllForms.StartAsync), new("stop-all", ScanAllForms.StopAsync), new("schedule", ScanAllForms.ScheduleAsync)],
        },
    ];
}
