using Berth.Server.Notifications;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Notifications;

/// <summary>Writer and sender of one process on a database.</summary>
internal sealed class NotificationSite : IAsyncDisposable
{
    private readonly Database _database;
    private readonly NotificationEndpoints _endpoints;
    private readonly NotificationWriter _writer;

    public NotificationSite(Database database, TimeProvider time, params IReadOnlyList<NotificationEndpointOptions> endpoints)
    {
        _database = database;
        _endpoints = new NotificationEndpoints(new NotificationOptions { Endpoints = endpoints });
        _writer = new NotificationWriter(_endpoints, new NotificationSource("here:5000", "one"), time);
        Sender = new NotificationSender(_endpoints, database, time, NullLogger<NotificationSender>.Instance);
        Queue = new DeliveryQueue(database, time);
    }

    public NotificationSender Sender { get; }

    public DeliveryQueue Queue { get; }

    public NotificationCounters Counters => _endpoints.All[0].Counters;

    public Task StartAsync() => Sender.StartAsync(CancellationToken.None);

    /// <summary>One transaction with one event.</summary>
    public Task WriteAsync(RegistryEvent e, bool rollBack = false) =>
        _database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await _writer.WriteAsync(session, e, ct);
            if (rollBack) session.Rollback();
            return 0;
        }, CancellationToken.None);

    public Task PushAsync(string tag) => WriteAsync(SampleEvents.ManifestPush(tag));

    public Task EmptyAsync(string endpoint = "a") =>
        Eventually.TrueAsync(async () => await Queue.DueAsync(endpoint, CancellationToken.None) is null, "an empty queue");

    /// <summary>Until the oldest delivery has failed so often.</summary>
    public Task FailedAsync(int attempts) =>
        Eventually.TrueAsync(async () => await _database.ReadAsync(0, static (session, _, ct) => session.ScalarAsync(Attempts, ["a"], ct), CancellationToken.None) == attempts, "failed");

    public ValueTask DisposeAsync() => Sender.DisposeAsync();

    private static readonly Statement Attempts = new("SELECT attempts FROM notification_deliveries WHERE endpoint = @0 ORDER BY id LIMIT 1");
}
