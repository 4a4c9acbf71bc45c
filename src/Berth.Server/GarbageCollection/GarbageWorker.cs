using System.Data.Common;
using Berth.Server.Registry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.GarbageCollection;

/// <summary>Collects garbage at an interval, in the background.</summary>
internal sealed class GarbageWorker(Collector collector, UntaggedSweep untagged, GarbageOptions options, TimeProvider time, ILogger<GarbageWorker> logger) : BackgroundService
{
    // A quarter of the time at most, so that those who pull and push do not feel it (bench/run --garbage).
    private const int Rest = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Enabled) return;
        // The installation's days may have been set since the last start: what was untagged before has no review.
        var isReviewed = options.UntaggedDays < 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.Interval, time, stoppingToken).ConfigureAwait(false);
                if (!isReviewed) await untagged.ReviewAsync(projectId: null, stoppingToken).ConfigureAwait(false);
                isReviewed = true;
                var done = await collector.RunAsync(tell: null, Rest, stoppingToken).ConfigureAwait(false);
                if (done.Manifests + done.Blobs + done.Removals > 0) logger.Collected(done.Manifests, done.Blobs, done.FreedBytes);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException or DbException or InvalidOperationException or TimeoutException)
            {
                // The next round goes on: everything that is to be done is a row.
                logger.RoundFailed(e);
            }
        }
    }
}

internal static partial class GarbageWorkerLog
{
    [LoggerMessage(1810, LogLevel.Information, "garbage collected: {Manifests} untagged manifests, {Blobs} blobs, {Bytes} bytes freed")]
    public static partial void Collected(this ILogger logger, long manifests, long blobs, long bytes);

    [LoggerMessage(1811, LogLevel.Warning, "garbage collection failed, will be tried again")]
    public static partial void RoundFailed(this ILogger logger, Exception error);
}
