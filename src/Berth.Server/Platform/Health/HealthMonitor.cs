using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Health;

/// <summary>
/// Evaluates the checks in the background, each in its own time, the first at once; requests read the last outcome. A check that hangs is
/// counted as a failure for each interval and is never started twice.
/// </summary>
public sealed class HealthMonitor : IHostedService, IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenRegistration _draining;
    private Task _loops = Task.CompletedTask;

    /// <summary>Makes a monitor; it evaluates nothing before <see cref="StartAsync"/>.</summary>
    public HealthMonitor(IReadOnlyList<HealthCheck> checks, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<HealthMonitor> log)
    {
        Checks = checks;
        _time = time;
        _log = log;
        _draining = lifetime.ApplicationStopping.Register(() => IsDraining = true);
    }

    /// <summary>The checks with their readings.</summary>
    public IReadOnlyList<HealthCheck> Checks { get; }

    /// <summary>True once the shutdown has begun: running requests go on, new ones should go elsewhere.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Whether each check has passed, none is failing, and the server is not about to stop.</summary>
    public bool IsReady
    {
        get
        {
            if (IsDraining) return false;
            foreach (var check in Checks)
            {
                if (check.Reading.Status != HealthStatus.Ok) return false;
            }
            return true;
        }
    }

    /// <summary>Whether a check is failing: Docker Registry refuses all requests then.</summary>
    public bool IsFailing
    {
        get
        {
            foreach (var check in Checks)
            {
                if (check.Reading.Status == HealthStatus.Failing) return true;
            }
            return false;
        }
    }

    /// <summary>Starts the loops and returns at once.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loops = Task.WhenAll(Checks.Select(c => Task.Run(() => RunAsync(c), CancellationToken.None)));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Ends the loops; what they read last stays. A probe that runs is told to end and not waited for: a driver may block in the very call
    /// that cancels it, for as long as the thing it asks does not answer. So this ends at once, also when others have used up the host's time.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(false);
    }

    /// <summary>Ends the loops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested && _loops.IsCompleted) return;
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _draining.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task RunAsync(HealthCheck check)
    {
        var stop = _stopping.Token;
        var ended = new CancellationTokenSource();
        Task<string?>? probe = null;
        while (!stop.IsCancellationRequested)
        {
            if (probe is null or { IsCompleted: true })
            {
                ended = new CancellationTokenSource();
                var token = ended.Token;
                // On its own thread: a file system that hangs does so inside the call.
                probe = Task.Run(async () => await check.Probe(token).ConfigureAwait(false), CancellationToken.None);
            }
            var error = await OutcomeAsync(check, probe, stop).ConfigureAwait(false);
            if (!probe.IsCompleted) _ = ended.CancelAsync();
            if (stop.IsCancellationRequested) return;
            Record(check, error);
            await Task.Delay(check.Interval, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What a probe found, or that it took too long.</summary>
    private async Task<string?> OutcomeAsync(HealthCheck check, Task<string?> probe, CancellationToken stop)
    {
        try
        {
            return await probe.WaitAsync(check.Timeout, _time, stop).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!probe.IsCompleted)
        {
            return $"{check.DebugName}: no answer within {check.Timeout}";
        }
        catch (Exception e)
        {
            // Whatever a probe throws is what is wrong with the thing it looks at.
            return $"{check.DebugName}: {e.Message}";
        }
    }

    private void Record(HealthCheck check, string? error)
    {
        var before = check.Record(error);
        var after = check.Reading;
        if (after.Status == HealthStatus.Failing && before.Status != HealthStatus.Failing) _log.CheckFailing(check.Name, after.Failures, error!);
        else if (after.Status == HealthStatus.Ok && before.Status == HealthStatus.Failing) _log.CheckRecovered(check.Name, before.Failures);
        else if (error is not null) _log.CheckFailed(check.Name, after.Failures, error);
    }
}

internal static partial class HealthMonitorLog
{
    [LoggerMessage(1401, LogLevel.Warning, "health check {Check} is failing after {Failures} failures in a row: {Problem}")]
    public static partial void CheckFailing(this ILogger log, string check, int failures, string problem);

    [LoggerMessage(1402, LogLevel.Information, "health check {Check} passes again after {Failures} failures")]
    public static partial void CheckRecovered(this ILogger log, string check, int failures);

    [LoggerMessage(1403, LogLevel.Debug, "health check {Check} failed, {Failures} in a row: {Problem}")]
    public static partial void CheckFailed(this ILogger log, string check, int failures, string problem);
}
