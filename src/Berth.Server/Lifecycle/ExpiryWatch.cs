using System.Data.Common;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Lifecycle;

/// <summary>
/// Looks every half a minute whether the end of a tag is to be announced or has come, which is one look at a short index, and adds a job if so. Any number of replicas may look: there is
/// one job.
/// </summary>
internal sealed class ExpiryWatch(Database database, JobQueue queue, LifecycleOptions options, TimeProvider time, ILogger<ExpiryWatch> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(30);

    /// <summary>Adds the job if something is to be done; whether it did.</summary>
    public async Task<bool> LookAsync(CancellationToken ct)
    {
        if (!await IsDueAsync(ct).ConfigureAwait(false)) return false;
        return await database.WriteAsync(Durability.Relaxed, async (session, token) => (await queue.EnqueueAsync(
            session, new NewJob { Kind = ExpiryJob.JobKind, VendorKey = ExpiryJob.JobKind, DedupeKey = ExpiryJob.JobKind, Trigger = JobTrigger.Event }, token).ConfigureAwait(false)).IsNew, ct).ConfigureAwait(false);
    }

    /// <summary>Whether something is to be announced or to go.</summary>
    public async Task<bool> IsDueAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var span = (Now: now.ToUnixTimeMilliseconds(), Near: (now + options.ExpiryNotice).ToUnixTimeMilliseconds());
        return await database.ReadAsync(span, static (session, q, token) => session.ScalarAsync(SelectAny, [q.Now, q.Near], token), ct).ConfigureAwait(false) is not null;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(s_interval, time, stoppingToken).ConfigureAwait(false);
                await LookAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or TimeoutException or InvalidOperationException)
            {
                // Nothing is lost: what is due is a row, and a tag whose time has come is not served.
                logger.LookFailed(e);
            }
        }
    }

    private static readonly Statement SelectAny = new("SELECT 1 FROM tags WHERE expires_at IS NOT NULL AND (expires_at <= @0 OR (expires_at <= @1 AND NOT is_expiry_told)) LIMIT 1");
}

internal static partial class ExpiryLog
{
    [LoggerMessage(2421, LogLevel.Warning, "look for expired tags failed, will be tried again")]
    public static partial void LookFailed(this ILogger logger, Exception error);
}
