using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.GarbageCollection.Pages;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Gives back the space of what nothing needs any more, without a mark phase and without a read-only window. Whatever may orphan something writes a review in its own
/// transaction (<see cref="Registry.Reviews"/>); after a delay <see cref="Collector"/> looks at it, and removes what is not needed. Its cost follows the
/// garbage, not the store. <see cref="OfflineCollection"/> is Docker Registry's command, which looks at everything.
/// </summary>
internal static class GarbageCollection
{
    /// <summary>Registers the feature.</summary>
    public static IServiceCollection AddGarbageCollection(this IServiceCollection services) => services
        .AddSingleton<ManifestReviewer>()
        .AddSingleton<BlobReviewer>()
        .AddSingleton<ByteRemoval>()
        .AddSingleton(p =>
        {
            var counters = new GarbageCounters();
            var metrics = p.GetRequiredService<MetricRegistry>();
            counters.AddTo(metrics);
            ActivatorUtilities.CreateInstance<GarbageGauges>(p).AddTo(metrics);
            return counters;
        })
        .AddSingleton<Collector>()
        .AddSingleton<GarbagePreview>()
        .AddSingleton<UntaggedSweep>()
        .AddSingleton<GarbageWorker>()
        .AddHostedService(p => p.GetRequiredService<GarbageWorker>());

    /// <summary>Registers what the management API has of it (mode <c>local</c>).</summary>
    public static IServiceCollection AddGarbageApi(this IServiceCollection services) => services
        .AddSingleton<RememberedUsage>()
        .AddSingleton<IJobHandler, GarbageJob>()
        .AddSingleton<WhyKept>()
        .AddSingleton<GarbageRunsApi>()
        .AddOperations(p => GarbageRunsApi.Operations(p.GetRequiredService<GarbageRunsApi>()))
        .AddSingleton<GarbageApi>()
        .AddOperations(p => GarbageApi.Operations(p.GetRequiredService<GarbageApi>()))
        .AddOperations(p => [p.GetRequiredService<LiveJobs>().OperationFor(
            "/gc/live", "watchGarbage", "gc", ApiNeed.System(SystemPermissions.GarbageCollectionRead), _ => new JobFilter { Kind = GarbageJob.JobKind })])
        .AddPages(GarbagePages.All);
}
