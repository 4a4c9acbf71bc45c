using System.Data.Common;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Export;
using Berth.Server.Scanning.Findings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning.Advisories;

/// <summary>
/// Looks every few seconds whether this process uses another advisory database than reports are judged by, and adds the job that judges them again. Any number of replicas may look: there is one
/// job. Once an hour it also writes the day's trend and removes exports that are over.
/// </summary>
internal sealed class AdvisoryWatch(Database database, AdvisoryStore advisories, Rejudging rejudging, JobQueue queue, TimeProvider time, ILogger<AdvisoryWatch> logger) : BackgroundService
{
    private const int KeepTrendDays = 730;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    // What others left over, and what is scanned by replicas that are behind, may wait.
    private static readonly TimeSpan s_wholeLook = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_housekeeping = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_firstHousekeeping = TimeSpan.FromMinutes(2);

    private string? _seen;
    private long? _lookedAt;
    private DateTimeOffset _keepAt = time.GetUtcNow() + s_firstHousekeeping;

    /// <summary>Adds the job if reports are to be judged again; whether they are.</summary>
    public async Task<bool> LookAsync(CancellationToken ct)
    {
        var (use, _, isNeeded) = await rejudging.LookAsync(ct).ConfigureAwait(false);
        if (use is null || !isNeeded) return false;
        await database.WriteAsync(Durability.Full, async (session, token) => await queue.EnqueueAsync(session, RejudgeJob.Of(use.BuiltAt), token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return true;
    }

    /// <summary>Writes the trend of today, and removes exports that are over.</summary>
    public async Task KeepHouseAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await ScanStatistics.WriteTrendAsync(session, now, KeepTrendDays, token).ConfigureAwait(false);
            await ScanExports.RemoveOverAsync(session, now.ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(s_interval, time, stoppingToken).ConfigureAwait(false);
                await TickAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or TimeoutException or InvalidOperationException or IOException)
            {
                // Nothing is lost: each report says by which database it is.
                logger.LookFailed(e);
            }
        }
    }

    private async Task TickAsync(CancellationToken ct)
    {
        using (var loan = advisories.Borrow())
        {
            var isDue = _lookedAt is not { } at || time.GetElapsedTime(at) >= s_wholeLook;
            if (loan is not null && (isDue || loan.Path != _seen))
            {
                _lookedAt = time.GetTimestamp();
                await LookAsync(ct).ConfigureAwait(false);
                _seen = loan.Path;
            }
        }
        if (time.GetUtcNow() < _keepAt) return;
        _keepAt = time.GetUtcNow() + s_housekeeping;
        await KeepHouseAsync(ct).ConfigureAwait(false);
    }
}

internal static partial class AdvisoryWatchLog
{
    [LoggerMessage(5510, LogLevel.Warning, "look for another advisory database failed, will be tried again")]
    public static partial void LookFailed(this ILogger logger, Exception error);
}
