using System.Globalization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Jobs;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Scanning.Pages;

/// <summary>The pages about what is inside images.</summary>
internal static class SecurityPages
{
    /// <summary>Registers the pages, and the operations that only they and people at scripts ask: streams, tables, searches.</summary>
    public static IServiceCollection AddSecurityPages(this IServiceCollection services) => services
        .AddSingleton<FindingsExport>()
        .AddOperations(p => FindingsExport.Operations(p.GetRequiredService<FindingsExport>()))
        .AddSingleton<BaseFigures>()
        .AddSingleton<AffectedExport>()
        .AddOperations(p => AffectedExport.Operations(p.GetRequiredService<AffectedExport>()))
        // Jobs of the project alone; of one image where it is named, whichever scanner reads it.
        .AddOperations(p => [p.GetRequiredService<LiveJobs>().OperationFor(
            "/projects/{project_name_or_id}/scans/live", "watchProjectScans", "scan", ApiNeed.Project(ProjectPermissions.ScanRead),
            call => long.TryParse(call.Query("image"), NumberStyles.None, CultureInfo.InvariantCulture, out var image)
                ? new JobFilter { ProjectId = call.Project!.Id, VendorKey = $"scan:{image}" }
                : new JobFilter { ProjectId = call.Project!.Id, Kind = ScanJob.JobKind })
            with { Query = ["image"] }])
        .AddPages(All);

    private static readonly UiAction[] s_exceptions = [new("save-list", ExceptionForms.SaveListAsync), new("add", ExceptionForms.AddAsync), new("remove", ExceptionForms.RemoveAsync)];

    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/findings/{reference}/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), typeof(FindingsPage))
        {
            Actions = [new("scan", ScanForms.ScanAsync), new("stop", ScanForms.StopAsync)],
        },
        new("/projects/{project_name}/packages/{reference}/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), typeof(PackagesPage)),
        new("/projects/{project_name}/inside/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), typeof(DiffPage)),
        new("/projects/{project_name}/security", ApiNeed.Project(ProjectPermissions.ScanRead), typeof(ProjectSecurityPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 15, l => new OverviewWords(l).Title),
            Actions = [new("save-gate", ExceptionForms.SaveGateAsync), new("save-scanning", ExceptionForms.SaveScanningAsync), new("choose-scanner", ExceptionForms.ChooseScannerAsync)],
        },
        new("/projects/{project_name}/exceptions", ApiNeed.Project(ProjectPermissions.ScanRead), typeof(ExceptionsPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 16, l => new ExceptionWords(l).Title),
            Actions = s_exceptions,
        },
        new(SecurityPaths.SearchPage, ApiNeed.Anybody, typeof(VulnerabilitySearchPage)),
        new(SecurityPaths.Exceptions, ApiNeed.Admin, typeof(ExceptionsPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 15, l => new ExceptionWords(l).Title),
            Actions = s_exceptions,
        },
        new(SecurityPaths.Overview, ApiNeed.System(SystemPermissions.SecurityHubRead), typeof(SecurityPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 14, l => new OverviewWords(l).Title),
            Actions = [new("scan-all", ScanAllForms.StartAsync), new("stop-all", ScanAllForms.StopAsync), new("schedule", ScanAllForms.ScheduleAsync),
                new("add-scanner", ScannerForms.AddAsync), new("default-scanner", ScannerForms.MakeDefaultAsync), new("remove-scanner", ScannerForms.RemoveAsync)],
        },
    ];
}
