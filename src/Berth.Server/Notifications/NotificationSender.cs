using Berth.Server.Platform.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Notifications;

/// <summary>
/// Delivers what <see cref="NotificationWriter"/> wrote: one loop for each endpoint, one event at a time, in order, at least once. A loop
/// <list type="number">
/// <item>leases the oldest row,</item>
/// <item>posts it while the lease is renewed,</item>
/// <item>removes the row when it was accepted and leases the next in the same transaction; else counts the failure: the row is free at once,
/// or after the endpoint's back-off once its threshold is reached,</item>
/// <item>and without work waits for a commit of this process, the end of a back-off, or the next look at the table.</item>
/// </list>
/// It may be killed at any instruction: rows are still there, and their leases end.
/// </summary>
public sealed class NotificationSender : IHostedService, IAsyncDisposable
{
    /// <summary>How often a loop looks for rows of other replicas.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    /// <summary>Pause after the database failed.</summary>
    private static readonly TimeSpan Trouble = TimeSpan.FromSeconds(5);

    /// <summary>How old the count of waiting events may get.</summary>
    private static readonly TimeSpan CountInterval = TimeSpan.FromSeconds(15);

    /// <summary>How long deliveries are kept for an endpoint that is no longer in the settings, or not yet in those of this replica.</summary>
    private static readonly TimeSpan KeepForUnknown = TimeSpan.FromDays(7);

    /// <summary>Failures after which an endpoint that does not come back is warned of again.</summary>
    private const int WarnEvery = 1000;

    private readonly NotificationEndpoints _endpoints;
    private readonly Database _database;
    private readonly DeliveryQueue _queue;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _aborting = new();
    private Task _loops = Task.CompletedTask;

    /// <summary>Makes a sender; it does nothing before <see cref="StartAsync"/>.</summary>
    public NotificationSender(NotificationEndpoints endpoints, Database database, TimeProvider time, ILogger<NotificationSender> log)
    {
        _endpoints = endpoints;
        _database = database;
        _queue = new DeliveryQueue(database, time);
        _time = time;
        _log = log;
    }

    /// <summary>Starts the loops and returns at once.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var work = _endpoints.All.Select(e => Task.Run(() => RunAsync(e), CancellationToken.None));
        _loops = Task.WhenAll([Task.Run(PurgeAsync, CancellationToken.None), .. work]);
        return Task.CompletedTask;
    }

    /// <summary>Lets requests in flight end within their time limit and takes up no more.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await _loops.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host waits no longer: requests are cut off, their events are delivered again after the next start.
            await _aborting.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Cuts off what still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_aborting.IsCancellationRequested && _loops.IsCompleted) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _aborting.CancelAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(false);
        _stopping.Dispose();
        _aborting.Dispose();
    }

    private async Task RunAsync(NotificationEndpoint endpoint)
    {
        using var client = new EndpointClient(endpoint, _time);
        var released = _database.Kind != DatabaseKind.Sqlite;
        var counted = DateTimeOffset.MinValue;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                // SQLite has one process: every lease that is there at the start is of one that is gone.
                if (!released) await _queue.ReleaseAsync(endpoint.Name, _stopping.Token).ConfigureAwait(false);
                released = true;
                if (_time.GetUtcNow() - counted >= CountInterval)
                {
                    endpoint.Counters.Counted(await _queue.CountAsync(endpoint.Name, _stopping.Token).ConfigureAwait(false));
                    counted = _time.GetUtcNow();
                }
                await RoundAsync(endpoint, client).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The loop must outlive whatever happens to the database; a lease that is left ends by itself.
                _log.DeliveryBroke(e, endpoint.Name);
                await Task.Delay(Trouble, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Delivers until the queue is empty, an event fails or it is time to count, then waits for the next reason to look.</summary>
    private async Task RoundAsync(NotificationEndpoint endpoint, EndpointClient client)
    {
        var due = await _queue.DueAsync(endpoint.Name, _stopping.Token).ConfigureAwait(false);
        var wait = due is null ? Poll : DateTimeOffset.FromUnixTimeMilliseconds(due.Value) - _time.GetUtcNow();
        if (wait > TimeSpan.Zero)
        {
            // 4.
            await endpoint.Wake.WaitAsync(wait < Poll ? wait : Poll, _time, _stopping.Token).ConfigureAwait(false);
            return;
        }
        // 1.
        var delivery = await _queue.LeaseAsync(endpoint.Name, _stopping.Token).ConfigureAwait(false);
        var started = _time.GetTimestamp();
        while (delivery is not null)
        {
            var mayGoOn = _time.GetElapsedTime(started) < CountInterval;
            delivery = await DeliverAsync(endpoint, client, delivery, mayGoOn).ConfigureAwait(false);
        }
    }

    /// <summary>One try of one delivery; the next one, leased, when it was accepted and there is one.</summary>
    private async Task<LeasedDelivery?> DeliverAsync(NotificationEndpoint endpoint, EndpointClient client, LeasedDelivery delivery, bool mayGoOn)
    {
        // 2.
        var (outcome, lease) = await PostWithLeaseAsync(client, delivery).ConfigureAwait(false);
        if (outcome is not { } tried)
        {
            _log.LeaseLost(endpoint.Name, delivery.Id);
            return null;
        }
        endpoint.Counters.Tried(tried);
        // 3.
        if (tried.IsAccepted)
        {
            if (delivery.Attempts >= endpoint.Threshold) _log.EndpointRecovered(endpoint.Name, delivery.Attempts);
            endpoint.Counters.Removed();
            if (mayGoOn && !_stopping.IsCancellationRequested)
                return await _queue.RemoveAndLeaseAsync(endpoint.Name, delivery.Id, _aborting.Token).ConfigureAwait(false);
            await _queue.RemoveAsync(delivery.Id, _aborting.Token).ConfigureAwait(false);
            return null;
        }
        var attempts = delivery.Attempts + 1;
        if (attempts == endpoint.Threshold || attempts % WarnEvery == 0) _log.EndpointFails(endpoint.Name, attempts, tried.Problem!, endpoint.Backoff);
        else _log.TryFailed(endpoint.Name, attempts, tried.Problem!);
        await _queue.FailAsync(lease, attempts >= endpoint.Threshold ? endpoint.Backoff : TimeSpan.Zero, _aborting.Token).ConfigureAwait(false);
        return null;
    }

    /// <summary>Posts, and renews the lease until the answer is there. No outcome: the lease was lost, and the request was cut off.</summary>
    private async Task<(PostOutcome? Outcome, LeasedDelivery Lease)> PostWithLeaseAsync(EndpointClient client, LeasedDelivery delivery)
    {
        using var posting = CancellationTokenSource.CreateLinkedTokenSource(_aborting.Token);
        var post = client.PostAsync(delivery.Event, posting.Token);
        var lease = delivery;
        while (true)
        {
            using (var beat = CancellationTokenSource.CreateLinkedTokenSource(_aborting.Token))
            {
                await Task.WhenAny(post, Task.Delay(DeliveryQueue.LeaseTime / 3, _time, beat.Token)).ConfigureAwait(false);
                await beat.CancelAsync().ConfigureAwait(false);
            }
            if (post.IsCompleted) return (await post.ConfigureAwait(false), lease);
            var renewed = await RenewAsync(lease, post, posting).ConfigureAwait(false);
            if (renewed is null) return (null, lease);
            lease = renewed;
        }
    }

    private async Task<LeasedDelivery?> RenewAsync(LeasedDelivery lease, Task post, CancellationTokenSource posting)
    {
        LeasedDelivery? renewed = null;
        try
        {
            renewed = await _queue.RenewAsync(lease, _aborting.Token).ConfigureAwait(false);
            return renewed;
        }
        finally
        {
            if (renewed is null)
            {
                // Another replica may have the row now: this request must not go on beside its own.
                await posting.CancelAsync().ConfigureAwait(false);
                await post.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Drops old deliveries of endpoints that nobody sends to any more, and says so.</summary>
    private async Task PurgeAsync()
    {
        try
        {
            foreach (var name in await _queue.EndpointsAsync(_stopping.Token).ConfigureAwait(false))
            {
                if (_endpoints.All.Any(e => e.Name == name)) continue;
                var removed = await _queue.PurgeAsync(name, _time.GetUtcNow() - KeepForUnknown, _stopping.Token).ConfigureAwait(false);
                _log.UnknownEndpoint(name, removed, KeepForUnknown.Days);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next start goes on.
        }
        catch (Exception e)
        {
            _log.PurgeBroke(e);
        }
    }
}

internal static partial class NotificationSenderLog
{
    [LoggerMessage(4001, LogLevel.Warning, "notification endpoint {Endpoint} failed {Attempts} times in a row, last: {Problem}; trying again every {Backoff}, events are kept")]
    public static partial void EndpointFails(this ILogger log, string endpoint, int attempts, string problem, TimeSpan backoff);

    [LoggerMessage(4002, LogLevel.Information, "notification endpoint {Endpoint} accepts events again after {Attempts} failures")]
    public static partial void EndpointRecovered(this ILogger log, string endpoint, int attempts);

    [LoggerMessage(4003, LogLevel.Debug, "notification to endpoint {Endpoint} failed, try {Attempts}: {Problem}")]
    public static partial void TryFailed(this ILogger log, string endpoint, int attempts, string problem);

    [LoggerMessage(4004, LogLevel.Debug, "notification lease lost, endpoint {Endpoint}, delivery {Delivery}: another replica delivers it")]
    public static partial void LeaseLost(this ILogger log, string endpoint, long delivery);

    [LoggerMessage(4005, LogLevel.Error, "notification delivery broke, endpoint {Endpoint}; its events are kept and tried again")]
    public static partial void DeliveryBroke(this ILogger log, Exception error, string endpoint);

    [LoggerMessage(4006, LogLevel.Warning, "notifications wait for endpoint {Endpoint}, which is not in the settings: removed {Removed} that were older than {Days} days")]
    public static partial void UnknownEndpoint(this ILogger log, string endpoint, long removed, int days);

    [LoggerMessage(4007, LogLevel.Error, "removing notifications of unknown endpoints broke")]
    public static partial void PurgeBroke(this ILogger log, Exception error);
}
