using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Registry;
using Berth.Server.Scanning.Updates;
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
        .AddOperations(_ => ScannersApi.Operations())
        .AddSingleton<ScanAllApi>()
        .AddOperations(p => ScanAllApi.Operations(p.GetRequiredService<ScanAllApi>()));
}
