using Berth.Blobs;
using Berth.Server.Api;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Integrity;

/// <summary>
/// Sees to it that what the database promises the blob stores have: <see cref="Scrub"/> reads all bytes again, <see cref="Fsck"/> compares both,
/// <see cref="StoreMove"/> carries content from one store to another.
/// </summary>
internal static class Integrity
{
    /// <summary>Registers the feature.</summary>
    public static IServiceCollection AddIntegrity(this IServiceCollection services, ScrubOptions options, RedirectOptions redirect) => services
        .AddSingleton(options)
        .AddSingleton(p =>
        {
            var counters = new ScrubCounters();
            counters.AddTo(p.GetRequiredService<MetricRegistry>());
            return counters;
        })
        .AddSingleton<Quarantine>()
        .AddSingleton<BlobCopy>()
        .AddSingleton<BlobRepair>()
        .AddSingleton<Scrub>()
        .AddSingleton<IJobHandler, ScrubJob>()
        .AddHostedService<ScrubWorker>()
        .AddSingleton(p => ActivatorUtilities.CreateInstance<StoreMove>(p, redirect))
        .AddSingleton<IJobHandler, StoreMoveJob>();

    /// <summary>Registers what the management API has of it (mode <c>local</c>).</summary>
    public static IServiceCollection AddStoresApi(this IServiceCollection services) => services
        .AddSingleton<StoresApi>()
        .AddOperations(p => StoresApi.Operations(p.GetRequiredService<StoresApi>()));
}
