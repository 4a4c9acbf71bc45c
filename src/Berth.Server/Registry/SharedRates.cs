using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Registry;

/// <summary>
/// Counts for all replicas together. Each key has a row (<see cref="RateLimitRow"/>) that holds one number, the generic cell rate algorithm's; a replica
/// takes a share of the limit from it, a twentieth or what waits, and gives it out from memory. So a limit costs each replica at most some twenty
/// queries in a period, whatever the load; what waits for shares at a time is asked in one statement; and who was refused is refused from memory until
/// there is room again. A share that is not used up within a period is void. Hence never more than the limit and one share a replica pass in a
/// period, and at least the limit less one share a replica. While the database is away each replica counts for itself.
/// </summary>
internal sealed class SharedRates(Database database, TimeProvider time, ILogger<SharedRates> log) : IRates
{
    private const int MaxKeys = 100_000;
    private const int Shares = 20;
    private const int MaxRefills = 8;
    private static readonly TimeSpan TellAgainAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(10);

    private readonly LocalRates _alone = new(time);
    private readonly ConcurrentDictionary<RateKey, Share> _shares = new();
    private readonly Lock _gate = new();
    private List<Share> _wanted = [];
    private bool _isAsking;
    private long _toldAt = long.MinValue;
    private long _forgotAt = time.GetTimestamp();

    /// <summary>Statements sent so far; for tests.</summary>
    internal long Asked { get; private set; }

    public ValueTask<TimeSpan?> TakeAsync(RateKey key, Rate rate, CancellationToken ct)
    {
        if (_shares.Count > MaxKeys) _shares.Clear();
        if (!_shares.TryGetValue(key, out var share) || share.Rate != rate) share = _shares.AddOrUpdate(key, k => new Share(k, rate), (k, old) => old.Rate == rate ? old : new Share(k, rate));
        return share.TryTake(time, out var wait) ? new ValueTask<TimeSpan?>(wait) : TakeAfterRefillAsync(share, ct);
    }

    private async ValueTask<TimeSpan?> TakeAfterRefillAsync(Share share, CancellationToken ct)
    {
        for (var refills = 0; refills < MaxRefills; refills++)
        {
            if (!await RefillAsync(share).WaitAsync(ct).ConfigureAwait(false)) return _alone.Take(share.Key, share.Rate);
            if (share.TryTake(time, out var wait)) return wait;
        }
        // Others were quicker each time: there is a crowd, and it is over the limit or close to it.
        return TimeSpan.FromMicroseconds(share.Rate.StepMicroseconds);
    }

    // One statement at a time asks for whatever is wanted then. True when the share was asked for, false when the database did not answer.
    private Task<bool> RefillAsync(Share share)
    {
        lock (_gate)
        {
            share.Waiting++;
            if (share.Refill is { } running) return running.Task;
            share.Refill = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            _wanted.Add(share);
            if (!_isAsking)
            {
                _isAsking = true;
                // It lives no longer than the requests that wait for it.
                _ = Task.Run(AskAsync, CancellationToken.None);
            }
            return share.Refill.Task;
        }
    }

    private async Task AskAsync()
    {
        while (true)
        {
            List<Share> shares;
            List<Wish> wishes;
            lock (_gate)
            {
                if (_wanted.Count == 0)
                {
                    _isAsking = false;
                    return;
                }
                (shares, _wanted) = (_wanted, []);
                wishes = shares.ConvertAll(s => s.Wish());
            }
            var answered = await TryAskAsync(shares, wishes).ConfigureAwait(false);
            foreach (var share in shares)
            {
                TaskCompletionSource<bool>? refill;
                lock (_gate) (refill, share.Refill, share.Waiting) = (share.Refill, null, 0);
                refill!.SetResult(answered);
            }
        }
    }

    private async Task<bool> TryAskAsync(List<Share> shares, List<Wish> wishes)
    {
        try
        {
            Asked++;
            var answers = await database.WriteAsync(Durability.Relaxed, (session, ct) => TakeSharesAsync(session, wishes, ct), CancellationToken.None).ConfigureAwait(false);
            foreach (var share in shares)
            {
                if (answers.TryGetValue(share.Key.Text, out var answer)) share.Fill(answer.Granted, TimeSpan.FromMicroseconds(answer.WaitMicroseconds), time);
            }
            return true;
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            var now = time.GetTimestamp();
            if (_toldAt == long.MinValue || time.GetElapsedTime(_toldAt, now) > TellAgainAfter)
            {
                _toldAt = now;
                log.CountsAlone(e);
            }
            return false;
        }
    }

    private async Task<Dictionary<string, (int Granted, long WaitMicroseconds)>> TakeSharesAsync(DbSession session, List<Wish> wishes, CancellationToken ct)
    {
        if (time.GetElapsedTime(_forgotAt) > ForgetEvery)
        {
            _forgotAt = time.GetTimestamp();
            await session.ExecuteAsync(ForgetOld, [], ct).ConfigureAwait(false);
        }
        var answers = new Dictionary<string, (int, long)>(StringComparer.Ordinal);
        await using var reader = await session.Command(TakeShares, JsonSerializer.Serialize(wishes, RateJson.Default.ListWish)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) answers[reader.GetString(0)] = (reader.GetInt32(1), reader.GetInt64(2));
        return answers;
    }

    /// <summary>What this replica may still give out of a limit.</summary>
    private sealed class Share(RateKey key, Rate rate)
    {
        private readonly Lock _gate = new();
        private int _left;
        private long _filledAt;
        private long _refusedAt;
        private TimeSpan _refusedFor;

        public RateKey Key => key;

        public Rate Rate => rate;

        // Both under the gate of the owner.
        public TaskCompletionSource<bool>? Refill { get; set; }

        public int Waiting { get; set; }

        /// <summary>False when the database must be asked.</summary>
        public bool TryTake(TimeProvider time, out TimeSpan? wait)
        {
            var now = time.GetTimestamp();
            lock (_gate)
            {
                wait = null;
                if (_left > 0 && time.GetElapsedTime(_filledAt, now) <= rate.Period)
                {
                    _left--;
                    return true;
                }
                _left = 0;
                if (_refusedFor <= TimeSpan.Zero) return false;
                wait = _refusedFor - time.GetElapsedTime(_refusedAt, now);
                if (wait > TimeSpan.Zero) return true;
                _refusedFor = TimeSpan.Zero;
                return false;
            }
        }

        public Wish Wish() => new(key.Text, Math.Min(rate.Count, Math.Max(Math.Max(1, rate.Count / Shares), Waiting)), rate.StepMicroseconds, rate.PeriodMicroseconds);

        public void Fill(int granted, TimeSpan wait, TimeProvider time)
        {
            var now = time.GetTimestamp();
            lock (_gate)
            {
                (_left, _filledAt) = (_left + granted, now);
                // Less than was wanted: what comes after these is refused without a question.
                (_refusedFor, _refusedAt) = (wait, now);
            }
        }
    }

    /// <summary>How many are wanted of a limit.</summary>
    internal sealed record Wish(
        [property: JsonPropertyName("k")] string Key, [property: JsonPropertyName("n")] int Count,
        [property: JsonPropertyName("s")] long StepMicroseconds, [property: JsonPropertyName("p")] long PeriodMicroseconds);

    private const string Now = "(extract(epoch FROM now()) * 1000000)::bigint";
    private const string Begin = $"greatest(rate_limits.earliest, {Now})";

    // granted: as many as fit between the row's number and the end of the period. The last column: how long until there is room for one more, where fewer
    // than wanted were granted. Rows in the order of their keys, so that replicas do not wait for each other in a ring. The clock is the database's.
    private static readonly Statement TakeShares = new("SELECT @0", $"""
        INSERT INTO rate_limits (key, earliest, granted, step, period)
        SELECT j.k, {Now} + j.n * j.s, j.n, j.s, j.p FROM jsonb_to_recordset(@0::jsonb) AS j(k text, n int, s bigint, p bigint) ORDER BY j.k COLLATE "C"
        ON CONFLICT (key) DO UPDATE SET
            granted = least(excluded.granted, greatest(0, ({Now} + excluded.period + excluded.step / 2 - {Begin}) / excluded.step))::int,
            earliest = {Begin} + excluded.step * least(excluded.granted, greatest(0, ({Now} + excluded.period + excluded.step / 2 - {Begin}) / excluded.step)),
            step = excluded.step, period = excluded.period
        RETURNING key, granted, greatest(0, earliest + step - period - step / 2 - {Now})
        """);

    private static readonly Statement ForgetOld = new("SELECT 1", $"DELETE FROM rate_limits WHERE earliest < {Now}");
}

[JsonSerializable(typeof(List<SharedRates.Wish>))]
internal sealed partial class RateJson : JsonSerializerContext;

internal static partial class SharedRatesLog
{
    [LoggerMessage(1040, LogLevel.Warning, "rate limits are counted by each replica for itself while the database is away")]
    public static partial void CountsAlone(this ILogger logger, Exception error);
}
