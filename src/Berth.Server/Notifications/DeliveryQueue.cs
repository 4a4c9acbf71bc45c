using Berth.Server.Platform.Data;

namespace Berth.Server.Notifications;

/// <summary>A delivery that this process has to itself until a time.</summary>
/// <param name="Id">The row.</param>
/// <param name="Event">The event as JSON.</param>
/// <param name="Attempts">Tries that failed.</param>
/// <param name="LeasedUntil">Unix milliseconds; also the proof that the lease is still this one.</param>
internal sealed record LeasedDelivery(long Id, string Event, int Attempts, long LeasedUntil);

/// <summary>
/// The rows of <c>notification_deliveries</c> as one queue for each endpoint. Only the oldest row of an endpoint can be leased, and none while
/// another near the head is, so that an endpoint gets its events one at a time and in order from all replicas together. A row that failed
/// and waits for its next try stays leased until then, whoever makes it. The clocks of replicas must agree within seconds.
/// Nothing here is durable in itself: what is lost with the machine is delivered again.
/// </summary>
internal sealed class DeliveryQueue(Database database, TimeProvider time)
{
    /// <summary>How long a lease lasts unless it is renewed: how long a killed process holds up its endpoints.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);

    /// <summary>Rows beyond which <see cref="CountAsync"/> stops counting.</summary>
    public const int MaxCount = 100_000;

    /// <summary>Rows of an endpoint that is not in the settings which one transaction removes.</summary>
    private const int PurgeBatch = 1000;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Adds a row in the caller's transaction.</summary>
    public static ValueTask<int> AddAsync(DbSession session, string endpoint, string eventJson, long createdAt, CancellationToken ct) =>
        session.ExecuteAsync(Insert, [endpoint, eventJson, createdAt], ct);

    /// <summary>When the endpoint's next delivery may be leased in Unix milliseconds (past or 0: now), or null when there is none.</summary>
    public ValueTask<long?> DueAsync(string endpoint, CancellationToken ct) =>
        database.ReadAsync(endpoint, static (session, name, token) => session.ScalarAsync(Due, [name], token), ct);

    /// <summary>Leases the oldest delivery.</summary>
    /// <returns>Null when there is none, or when it is leased or waits.</returns>
    public Task<LeasedDelivery?> LeaseAsync(string endpoint, CancellationToken ct) =>
        database.WriteAsync(Durability.Relaxed, (session, token) => LeaseAsync(session, endpoint, token), ct);

    /// <summary>Removes a delivery that was accepted and leases the next in the same transaction.</summary>
    public Task<LeasedDelivery?> RemoveAndLeaseAsync(string endpoint, long id, CancellationToken ct) =>
        database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await session.ExecuteAsync(Delete, [id], token).ConfigureAwait(false);
            return await LeaseAsync(session, endpoint, token).ConfigureAwait(false);
        }, ct);

    /// <summary>Removes a delivery that was accepted.</summary>
    public Task RemoveAsync(long id, CancellationToken ct) =>
        database.WriteAsync(Durability.Relaxed, async (session, token) => await session.ExecuteAsync(Delete, [id], token).ConfigureAwait(false), ct);

    /// <summary>Counts a failed try and frees the delivery at a time; nothing happens when the lease was lost.</summary>
    public Task FailAsync(LeasedDelivery delivery, TimeSpan pause, CancellationToken ct)
    {
        var freeAt = pause > TimeSpan.Zero ? Now + (long)pause.TotalMilliseconds : 0;
        return database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await session.ExecuteAsync(Fail, [delivery.Id, delivery.LeasedUntil, freeAt], token).ConfigureAwait(false), ct);
    }

    /// <summary>Makes a lease longer.</summary>
    /// <returns>The new lease, or null when it was lost.</returns>
    public async Task<LeasedDelivery?> RenewAsync(LeasedDelivery delivery, CancellationToken ct)
    {
        var until = Math.Max(Now + (long)LeaseTime.TotalMilliseconds, delivery.LeasedUntil + 1);
        var renewed = await database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await session.ExecuteAsync(Renew, [delivery.Id, delivery.LeasedUntil, until], token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return renewed == 1 ? delivery with { LeasedUntil = until } : null;
    }

    /// <summary>Frees all deliveries of an endpoint: only for a database that no other process uses.</summary>
    public Task ReleaseAsync(string endpoint, CancellationToken ct) =>
        database.WriteAsync(Durability.Relaxed, async (session, token) => await session.ExecuteAsync(Release, [endpoint], token).ConfigureAwait(false), ct);

    /// <summary>Deliveries that wait for an endpoint; at most <see cref="MaxCount"/>.</summary>
    public async ValueTask<long> CountAsync(string endpoint, CancellationToken ct) =>
        await database.ReadAsync(endpoint, static (session, name, token) => session.ScalarAsync(Count, [name, (long)MaxCount], token), ct).ConfigureAwait(false) ?? 0;

    /// <summary>Names that have deliveries, by hops over the index.</summary>
    public async Task<IReadOnlyList<string>> EndpointsAsync(CancellationToken ct) =>
        await database.ReadAsync(0, static async (session, _, token) =>
        {
            var names = new List<string>();
            var last = "";
            while (await session.Command(NextEndpoint, last).ExecuteScalarAsync(token).ConfigureAwait(false) is string name) names.Add(last = name);
            return names;
        }, ct).ConfigureAwait(false);

    /// <summary>Removes deliveries of an endpoint that were written before a time.</summary>
    /// <returns>How many.</returns>
    public async Task<long> PurgeAsync(string endpoint, DateTimeOffset before, CancellationToken ct)
    {
        long total = 0;
        while (true)
        {
            var removed = await database.WriteAsync(Durability.Relaxed, async (session, token) =>
                await session.ExecuteAsync(Purge, [endpoint, before.ToUnixTimeMilliseconds(), (long)PurgeBatch], token).ConfigureAwait(false), ct).ConfigureAwait(false);
            total += removed;
            if (removed < PurgeBatch) return total;
        }
    }

    private async Task<LeasedDelivery?> LeaseAsync(DbSession session, string endpoint, CancellationToken ct)
    {
        var now = Now;
        var until = now + (long)LeaseTime.TotalMilliseconds;
        await using var reader = await session.Command(Lease, endpoint, now, until).ExecuteReaderAsync(ct).ConfigureAwait(false);
        LeasedDelivery? leased = null;
        // Read to the end: only then SQLite has carried out the statement.
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) leased = new LeasedDelivery(reader.GetInt64(0), reader.GetString(1), reader.GetInt32(2), until);
        return leased;
    }

    private static readonly Statement Insert = new(
        "INSERT INTO notification_deliveries (endpoint, event, attempts, created_at, leased_until) VALUES (@0, @1, 0, @2, 0)");

    // A transaction that began earlier can commit later: a new head may appear before the row in flight, so a few rows are looked at.
    private static readonly Statement Due = new("""
        SELECT MAX(leased_until) FROM (SELECT leased_until FROM notification_deliveries WHERE endpoint = @0 ORDER BY id LIMIT 16) AS head
        """);

    private static readonly Statement Lease = new("""
        UPDATE notification_deliveries SET leased_until = @2
        WHERE id = (SELECT id FROM notification_deliveries WHERE endpoint = @0 ORDER BY id LIMIT 1) AND leased_until <= @1
          AND NOT EXISTS (SELECT 1 FROM (SELECT leased_until FROM notification_deliveries WHERE endpoint = @0 ORDER BY id LIMIT 16) AS head
            WHERE head.leased_until > @1)
        RETURNING id, event, attempts
        """);

    private static readonly Statement Delete = new("DELETE FROM notification_deliveries WHERE id = @0");

    private static readonly Statement Fail = new(
        "UPDATE notification_deliveries SET attempts = attempts + 1, leased_until = @2 WHERE id = @0 AND leased_until = @1");

    private static readonly Statement Renew = new("UPDATE notification_deliveries SET leased_until = @2 WHERE id = @0 AND leased_until = @1");

    private static readonly Statement Release = new("UPDATE notification_deliveries SET leased_until = 0 WHERE endpoint = @0 AND leased_until <> 0");

    private static readonly Statement Count = new("SELECT COUNT(*) FROM (SELECT 1 FROM notification_deliveries WHERE endpoint = @0 LIMIT @1) AS waiting");

    private static readonly Statement NextEndpoint = new("SELECT MIN(endpoint) FROM notification_deliveries WHERE endpoint > @0");

    private static readonly Statement Purge = new("""
        DELETE FROM notification_deliveries
        WHERE id IN (SELECT id FROM notification_deliveries WHERE endpoint = @0 AND created_at < @1 ORDER BY id LIMIT @2)
        """);
}
