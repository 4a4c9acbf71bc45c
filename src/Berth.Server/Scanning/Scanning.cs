using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Registry;
using Berth.Server.Scanning.Advisories;
using Berth.Server.Scanning.Export;
using Berth.Server.Scanning.Findings;
using Berth.Server.Scanning.SecurityHub;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning;

/// <summary>
/// Knows what is inside images and what is known about it. <see cref="ScanJob"/> reads each layer once ever, indexes the packages and judges them by the advisory database of
/// <see cref="AdvisoryStore"/>; it is asked for by a push (<see cref="ScanOnPush"/>), by people (<see cref="ScanApi"/>) and for all images (<see cref="ScanAllJob"/>). When another database is used, <see cref="Rejudging"/> brings the reports up
/// to it without reading a layer. Findings are rows (<see cref="FindingTable"/>) that <see cref="FindingsApi"/>, <see cref="SecurityHubApi"/> and <see cref="ScanExportApi"/> show. Needs <c>scan:…</c> of the project, or
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
        .AddSingleton<ScannersApi>()
        .AddOperations(p => ScannersApi.Operations(p.GetRequiredService<ScannersApi>()))
        .AddSingleton<ScanAllApi>()
        .AddOperations(p => ScanAllApi.Operations(p.GetRequiredService<ScanAllApi>()))
        .AddKnowledge();

    // What is done with reports once they are there.
    private static IServiceCollection AddKnowledge(this IServiceCollection services) => services
        .AddSingleton(p =>
        {
            var counters = ActivatorUtilities.CreateInstance<ScanCounters>(p);
            counters.AddTo(p.GetRequiredService<MetricRegistry>());
            return counters;
        })
        .AddSingleton<Rejudging>()
        .AddSingleton<IJobHandler, RejudgeJob>()
        .AddSingleton<AdvisoryWatch>()
        .AddHostedService(p => p.GetRequiredService<AdvisoryWatch>())
        .AddSingleton<ScanVisibility>()
        .AddSingleton<FindingsApi>()
        .AddOperations(p => FindingsApi.Operations(p.GetRequiredService<FindingsApi>()))
        .AddSingleton<AdvisoryRoundsApi>()
        .AddOperations(p => AdvisoryRoundsApi.Operations(p.GetRequiredService<AdvisoryRoundsApi>()))
        .AddSingleton<SecurityHubApi>()
        .AddOperations(p => SecurityHubApi.Operations(p.GetRequiredService<SecurityHubApi>()))
        .AddSingleton<IJobHandler, ScanExportJob>()
        .AddSingleton<ScanExportApi>()
        .AddOperations(p => ScanExportApi.Operations(p.GetRequiredService<ScanExportApi>()));
}
