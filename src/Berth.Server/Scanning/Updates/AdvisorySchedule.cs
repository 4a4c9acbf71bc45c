using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.Extensions.Hosting;

namespace Berth.Server.Scanning.Updates;

/// <summary>Sets the schedule of updates as the settings say when a server starts: without sources there is none. A new one also fires at once, so that a new installation has advisories soon.</summary>
internal sealed class AdvisorySchedule(Database database, JobSchedules schedules, JobQueue queue, AdvisoryOptions options) : IHostedService
{
    private const string Key = "settings";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Sources.Count == 0)
        {
            await database.WriteAsync(Durability.Full, static async (session, token) => await JobSchedules.DeleteAsync(session, AdvisoryUpdateJob.JobKind, Key, token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            return;
        }
        if (!CronExpression.TryParse(options.Schedule, out var cron, out var problem)) throw new InvalidOperationException($"advisories.schedule: {problem}");
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var before = await JobSchedules.FindAsync(session, AdvisoryUpdateJob.JobKind, Key, token).ConfigureAwait(false);
            if (before is not null && before.Cron == cron.ToString()) return false;
            await schedules.PutAsync(session, new NewSchedule { Kind = AdvisoryUpdateJob.JobKind, VendorKey = Key, Cron = cron }, token).ConfigureAwait(false);
            if (before is null) await EnqueueAsync(session, queue, isForced: false, JobTrigger.Schedule, token).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Asks for an update; one that waits already serves this too.</summary>
    public static ValueTask<EnqueuedJob> EnqueueAsync(DbSession session, JobQueue queue, bool isForced, JobTrigger trigger, CancellationToken ct) => queue.EnqueueAsync(
        session,
        NewJob.Of(AdvisoryUpdateJob.JobKind, new AdvisoryWork { IsForced = isForced }, AdvisoryJson.Default.AdvisoryWork) with
        {
            VendorKey = AdvisoryUpdateJob.JobKind,
            DedupeKey = AdvisoryUpdateJob.JobKind,
            Trigger = trigger,
            MaxAttempts = AdvisoryUpdateJob.MaxAttempts,
        },
        ct);
}
