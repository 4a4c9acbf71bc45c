using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Berth.Server.Integrity;

/// <summary>
/// Sees to it that what the database promises the blob stores have: <see cref="Scrub"/> reads all bytes again.
/// </summary>
internal static class Integrity
{
    /// <summary>Registers the feature.</summary>
    public static IServiceCollection AddIntegrity(this IServiceCollection services, ScrubOptions options) => services
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
        .AddHostedService<ScrubWorker>();
}
