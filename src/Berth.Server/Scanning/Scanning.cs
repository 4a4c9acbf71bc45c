using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Registry;
using Berth.Server.Scanning.Advisories;
using Berth.Server.Scanning.Bases;
using Berth.Server.Scanning.Contents;
using Berth.Server.Scanning.Diff;
using Berth.Server.Scanning.Exceptions;
using Berth.Server.Scanning.Export;
using Berth.Server.Scanning.Findings;
using Berth.Server.Scanning.Pages;
using Berth.Server.Scanning.PullGate;
using Berth.Server.Scanning.Sboms;
using Berth.Server.Scanning.SecurityHub;
using Berth.Server.Scanning.Updates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning;

/// <summary>
/// Knows what is inside images and what is known about it. <see cref="ScanJob"/> reads each layer once ever, indexes the packages and judges them by the advisory database of
/// <see cref="AdvisoryStore"/>; it is asked for by a push (<see cref="ScanOnPush"/>), by people (<see cref="ScanApi"/>) and for all images (<see cref="ScanAllJob"/>). When another database is
/// used, <see cref="Rejudging"/> brings the reports up to it without reading a layer. Findings are rows (<see cref="FindingTable"/>) that <see cref="FindingsApi"/>,
/// <see cref="SecurityHubApi"/> and <see cref="ScanExportApi"/> show. <see cref="ScanExceptions"/> says which of them do not count, <see cref="ScanPullGate"/> keeps what has others from being
/// pulled. Bills of materials are in <c>Sboms</c>, secrets, problems of the configuration and whole reports in <c>Contents</c>, base images in <c>Bases</c>, differences in <c>Diff</c>.
/// Needs <c>scan:…</c> of the project, or <c>scan-all:…</c> of the system.
/// </summary>
internal static class Scanning
{
    private const string AdvisoryFolder = "advisories";
    private const string RulesFolder = "scanning";
    private const string SecretRulesFile = "trivy-secret.yaml";

    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    /// <param name="services">The services.</param>
    /// <param name="dataFolder">The data folder: the advisories are in it.</param>
    /// <param name="advisories">Where advisories come from.</param>
    /// <param name="outgoing">Where the server may connect to beside that.</param>
    public static IServiceCollection AddScanning(this IServiceCollection services, string dataFolder, AdvisoryOptions advisories, OutgoingOptions outgoing) => services
        .AddAdvisoryUpdates(advisories, outgoing, Path.Combine(dataFolder, AdvisoryFolder))
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
        .AddContents(dataFolder)
        .AddSecurityPages()
        .AddKnowledge()
        .AddExceptions()
        .AddPullGate();

    private static IServiceCollection AddContents(this IServiceCollection services, string dataFolder) => services
        .AddSingleton(p => new SecretRules(Path.Combine(dataFolder, RulesFolder, SecretRulesFile), p.GetRequiredService<ILogger<SecretRules>>()))
        .AddSingleton<BaseImages>()
        .AddSingleton<AttachedSboms>()
        .AddSingleton<ScanContents>()
        .AddSingleton<KnownImages>()
        .AddSingleton<ImageReports>()
        .AddSingleton<ImageDiff>()
        .AddSingleton<SbomRequests>()
        .AddSingleton<SbomStore>()
        .AddSingleton<IRegistryEventWriter, SbomRemoval>()
        .AddSingleton<IJobHandler, SbomJob>()
        .AddSingleton<IArtifactOverviews, SbomOverviews>()
        .AddSingleton<ReadableArtifacts>()
        .AddSingleton<SbomApi>()
        .AddOperations(p => SbomApi.Operations(p.GetRequiredService<SbomApi>()))
        .AddSingleton<ContentsApi>()
        .AddOperations(p => ContentsApi.Operations(p.GetRequiredService<ContentsApi>()))
        .AddSingleton<BaseImageApi>()
        .AddOperations(p => BaseImageApi.Operations(p.GetRequiredService<BaseImageApi>()))
        .AddSingleton<DiffApi>()
        .AddOperations(p => DiffApi.Operations(p.GetRequiredService<DiffApi>()));

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

    private static IServiceCollection AddExceptions(this IServiceCollection services) => services
        .AddSingleton<AttachedDocuments>()
        .AddSingleton<ScanExceptions>()
        .AddSingleton<SystemAllowList>()
        .AddOperations(p => SystemAllowList.Operations(p.GetRequiredService<SystemAllowList>()))
        .AddSingleton<ExceptionsApi>()
        .AddOperations(p => ExceptionsApi.Operations(p.GetRequiredService<ExceptionsApi>()))
        .AddSingleton<MarkedFindingsApi>()
        .AddOperations(p => MarkedFindingsApi.Operations(p.GetRequiredService<MarkedFindingsApi>()));

    private static IServiceCollection AddPullGate(this IServiceCollection services) => services
        .AddSingleton<GateCounters>()
        .AddSingleton<GateAudit>()
        .AddSingleton<ExceptedCounts>()
        .AddSingleton<GateJudge>()
        .AddSingleton<IPullGate, ScanPullGate>()
        .AddSingleton<PreviewApi>()
        .AddOperations(p => PreviewApi.Operations(p.GetRequiredService<PreviewApi>()));
}
