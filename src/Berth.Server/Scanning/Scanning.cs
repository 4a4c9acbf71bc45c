using System.Globalization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Jobs;
using Berth.Server.Registry;
using Berth.Server.Scanning.Pages;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning;

/// <summary>
/// Knows what is inside images and what is known about it. <see cref="ScanJob"/> reads each layer once ever, indexes the packages and judges them by the advisory database of
/// <see cref="AdvisoryStore"/>; it is asked for by a push (<see cref="ScanOnPush"/>), by people (<see cref="ScanApi"/>) and for all images (<see cref="ScanAllJob"/>). Needs <c>scan:…</c> of the project, or
/// <c>scan-all:…</c> of the system.
/// </summary>
internal static class Scanning
{
    private const string AdvisoryFolder = "advisories";

    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    /// <param name="services">The services.</param>
    /// <param name="dataFolder">The data folder: the advisories are in it.</param>
    public static IServiceCollection AddScanning(this IServiceCollection services, string dataFolder) => services
        .AddSingleton(p => new AdvisoryStore(Path.Combine(dataFolder, AdvisoryFolder), p.GetRequiredService<ILogger<AdvisoryStore>>()))
        .AddSingleton<StoredImages>()
        .AddSingleton<LayerInventories>()
        .AddSingleton<ScanRequests>()
        .AddSingleton<IJobHandler, ScanJob>()
        .AddSingleton<IJobHandler, ScanAllJob>()
        .AddSingleton<IRegistryEventWriter, ScanOnPush>()
        .AddSingleton<IArtifactOverviews, ScanOverviews>()
        .AddSingleton<ScanApi>()
        .AddOperations(p => ScanApi.Operations(p.GetRequiredService<ScanApi>()))
        .AddOperations(_ => ScannersApi.Operations())
        .AddSingleton<ScanAllApi>()
        .AddOperations(p => ScanAllApi.Operations(p.GetRequiredService<ScanAllApi>()))
        .AddSingleton<StoredInventories>()
        .AddSingleton<ReportExport>()
        .AddOperations(p => ReportExport.Operations(p.GetRequiredService<ReportExport>()))
        // Jobs of the project alone, and of one image where it is named.
        .AddOperations(p => [p.GetRequiredService<LiveJobs>().OperationFor(
            "/projects/{project_name_or_id}/scans/live", "watchProjectScans", "scan", ApiNeed.Project(ProjectPermissions.ScanRead),
            call => new JobFilter { Kind = ScanJob.JobKind, ProjectId = call.Project!.Id, VendorKey = long.TryParse(call.Query("image"), NumberStyles.None, CultureInfo.InvariantCulture, out var image) ? $"scan:{image}" : null })
            with { Query = ["image"] }])
        .AddPages(SecurityPages.All);
}
