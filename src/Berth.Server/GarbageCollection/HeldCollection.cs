using System.Security.Cryptography;
using Berth.Server.Platform.Data;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Keeps bytes where they are (<see cref="CollectionHold"/>) until it is disposed: writes the row, renews it, and removes it. Whoever relies on it looks at
/// <see cref="Lost"/>, which is cancelled when the row could not be renewed in time.
/// </summary>
internal sealed class HeldCollection : IAsyncDisposable
{
    private static readonly TimeSpan RenewEvery = CollectionHold.Lifetime / 6;

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly string _id = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly string _reason;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _renewal = Task.CompletedTask;
    private long _until;

    private HeldCollection(Database database, string reason, TimeProvider time) => (_database, _reason, _time) = (database, reason, time);

    /// <summary>Cancelled when the hold does not hold any more.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Begins to hold: nothing whose row is there after this loses its bytes.</summary>
    public static async Task<HeldCollection> BeginAsync(Database database, string reason, TimeProvider time, CancellationToken ct)
    {
        var hold = new HeldCollection(database, reason, time);
        await hold.WriteAsync(ct).ConfigureAwait(false);
        hold._renewal = Task.Run(hold.RenewAsync, CancellationToken.None);
        return hold;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _renewal.ConfigureAwait(false);
        try
        {
            await _database.WriteAsync(Durability.Relaxed, async (session, ct) => await session.ExecuteAsync(Delete, [_id], ct).ConfigureAwait(false), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is System.Data.Common.DbException or TimeoutException)
        {
            // It ends by itself; what failed before is what the caller hears of.
        }
        _lost.Dispose();
        _stop.Dispose();
    }

    private async Task RenewAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(RenewEvery, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested) return;
            try
            {
                await WriteAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is System.Data.Common.DbException or TimeoutException or OperationCanceledException)
            {
                if (_time.GetUtcNow().ToUnixTimeMilliseconds() < _until) continue;
                await _lost.CancelAsync().ConfigureAwait(false);
                return;
            }
        }
    }

    private async Task WriteAsync(CancellationToken ct)
    {
        var until = (_time.GetUtcNow() + CollectionHold.Lifetime).ToUnixTimeMilliseconds();
        await _database.WriteAsync(Durability.Full, async (session, token) => await session.ExecuteAsync(Put, [_id, until, _reason], token).ConfigureAwait(false), ct).ConfigureAwait(false);
        _until = until;
    }

    private static readonly Statement Put = new("INSERT INTO gc_holds (id, until, reason) VALUES (@0, @1, @2) ON CONFLICT (id) DO UPDATE SET until = excluded.until");
    private static readonly Statement Delete = new("DELETE FROM gc_holds WHERE id = @0");
}
