using System.Data.Common;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Integrity;

/// <summary>One slice of a pass: at most ten minutes, so that the rooms of jobs are shared.</summary>
internal sealed class ScrubJob(Scrub scrub) : IJobHandler
{
    /// <summary>Kind of the jobs.</summary>
    public const string JobKind = "scrub";

    private static readonly TimeSpan Slice = TimeSpan.FromMinutes(10);

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var state = await scrub.RunAsync(Slice, run.Log, s => run.Report(null, $"{s.Blobs} blobs looked at, {s.Bad} bad"), ct).ConfigureAwait(false);
        run.SetResult(state, IntegrityJson.Default.ScrubState);
        return JobOutcome.Done;
    }
}

/// <summary>Adds a slice whenever there is something to do and none is queued or running in any replica.</summary>
internal sealed class ScrubWorker(Database database, JobQueue queue, ScrubOptions options, TimeProvider time, ILogger<ScrubWorker> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (options.Enabled && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(LookEvery, time, stoppingToken).ConfigureAwait(false);
                var state = await ScrubState.ReadAsync(database, stoppingToken).ConfigureAwait(false);
                if (!state.IsDue(options.Interval, time.GetUtcNow())) continue;
                await database.WriteAsync(Durability.Relaxed, async (session, token) =>
                    (await queue.EnqueueAsync(session, new NewJob { Kind = ScrubJob.JobKind, DedupeKey = ScrubJob.JobKind, Trigger = JobTrigger.Schedule }, token).ConfigureAwait(false)).IsNew,
                    stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or TimeoutException or InvalidOperationException)
            {
                // The next look tries again.
                logger.NotAdded(e);
            }
        }
    }
}

internal static partial class ScrubWorkerLog
{
    [LoggerMessage(1820, LogLevel.Warning, "no scrub was started, will be tried again")]
    public static partial void NotAdded(this ILogger logger, Exception error);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScrubState))]
[JsonSerializable(typeof(StoreMoveRequest))]
[JsonSerializable(typeof(StoreMoveResult))]
[JsonSerializable(typeof(StoreMoveJson))]
[JsonSerializable(typeof(StoreMoveJson[]))]
[JsonSerializable(typeof(StoreJson[]))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class IntegrityJson : JsonSerializerContext;
