using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Registry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Artifacts;

/// <summary>
/// Counts pulls and remembers when they were. A pull takes a short lock and one entry in memory; once a second, and when the server stops, everything that was counted goes
/// into the database in one transaction, but what the settings <c>pull_count_update_disable</c>, <c>pull_time_update_disable</c> and, of scanners, <c>scanner_skip_update_pulltime</c> leave out. A power
/// cut loses a second of it.
/// </summary>
internal sealed class PullCounts(Database database, RuntimeSettings settings, TimeProvider time, ILogger<PullCounts> logger) : BackgroundService, IPullCounter
{
    private const int Stripes = 8;

    /// <summary>Most different things that a stripe counts between two writes; what comes on top is not counted.</summary>
    private const int MaxEntries = 8192;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe())];

    // What a failed write gives back.
    private List<PullEntry> _unwritten = [];
    private long _dropped;

    public void Count(string repository, string tag, Digest digest, bool byScanner)
    {
        var key = new Key(repository, tag, digest, byScanner);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var stripe = _stripes[(uint)key.GetHashCode() % Stripes];
        lock (stripe.Gate)
        {
            if (stripe.Entries.TryGetValue(key, out var known)) stripe.Entries[key] = (known.Count + 1, now);
            else if (stripe.Entries.Count < MaxEntries) stripe.Entries.Add(key, (1, now));
            else Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Writes everything that was counted until now.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        var entries = _unwritten;
        _unwritten = [];
        foreach (var stripe in _stripes)
        {
            Dictionary<Key, (long Count, long At)> taken;
            lock (stripe.Gate)
            {
                if (stripe.Entries.Count == 0) continue;
                (taken, stripe.Entries) = (stripe.Entries, []);
            }
            entries.AddRange(taken.Select(e => new PullEntry(e.Key.Repository, e.Key.Digest.Value, e.Key.Tag, e.Value.Count, e.Value.At) { IsByScanner = e.Key.IsByScanner }));
        }
        if (Interlocked.Exchange(ref _dropped, 0) is var dropped and > 0) logger.PullsNotCounted(dropped);
        if (entries.Count == 0) return;
        try
        {
            var values = await settings.ReadAsync(ct).ConfigureAwait(false);
            var (wantsCount, wantsTime) = (!values.Of(RuntimeSettingTable.PullCountUpdateDisable), !values.Of(RuntimeSettingTable.PullTimeUpdateDisable));
            var counted = values.Of(RuntimeSettingTable.ScannerSkipUpdatePullTime) ? [.. entries.Select(static entry => entry.IsByScanner ? entry with { At = 0 } : entry)] : entries;
            if (wantsCount || wantsTime) await WriteAsync(counted, wantsCount, wantsTime, ct).ConfigureAwait(false);
        }
        catch
        {
            // The next round tries again, as far as there is room.
            _unwritten = entries.Count <= MaxEntries * Stripes ? entries : [];
            throw;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(false);
                await FlushAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                logger.PullsNotWritten(e);
            }
        }
    }

    /// <summary>The last second before the end. By then no request runs any more: the listener stops first.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            logger.PullsNotWritten(e);
        }
    }

    // Repositories first: pushes take their rows in that order too.
    private Task<bool> WriteAsync(List<PullEntry> entries, bool wantsCount, bool wantsTime, CancellationToken ct)
    {
        var all = JsonSerializer.Serialize(entries, PullJsonContext.Default.ListPullEntry);
        return database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            if (wantsCount) await session.ExecuteAsync(CountRepositories, [all], token).ConfigureAwait(false);
            await session.ExecuteAsync(CountManifests, [all, wantsCount ? 1L : 0L, wantsTime ? 1L : 0L], token).ConfigureAwait(false);
            if (wantsTime) await session.ExecuteAsync(TouchTags, [all], token).ConfigureAwait(false);
            return true;
        }, ct);
    }

    private readonly record struct Key(string Repository, string Tag, Digest Digest, bool IsByScanner);

    private sealed class Stripe
    {
        public readonly Lock Gate = new();
        public Dictionary<Key, (long Count, long At)> Entries = [];
    }

    private const string OnPostgres = "jsonb_to_recordset(@0::jsonb) AS j(r text, d text, t text, n bigint, a bigint)";

    private static readonly Statement CountRepositories = new("""
        UPDATE repositories SET pull_count = pull_count + p.n
        FROM (SELECT value ->> 'r' AS name, SUM(value ->> 'n') AS n FROM json_each(@0) GROUP BY 1) p WHERE repositories.name = p.name
        """, $"""
        UPDATE repositories SET pull_count = pull_count + p.n FROM (SELECT j.r, SUM(j.n)::bigint AS n FROM {OnPostgres} GROUP BY 1) p WHERE repositories.name = p.r
        """);

    private static readonly Statement CountManifests = new("""
        UPDATE manifests SET pull_count = pull_count + p.n * @1, pulled_at = MAX(pulled_at, p.a * @2)
        FROM (SELECT r.id AS repository, j.value ->> 'd' AS digest, SUM(j.value ->> 'n') AS n, MAX(j.value ->> 'a') AS a
            FROM json_each(@0) j JOIN repositories r ON r.name = j.value ->> 'r' GROUP BY 1, 2) p
        WHERE manifests.repository_id = p.repository AND manifests.digest = p.digest
        """, $"""
        UPDATE manifests SET pull_count = pull_count + p.n * @1, pulled_at = GREATEST(pulled_at, p.a * @2)
        FROM (SELECT r.id AS repository, j.d AS digest, SUM(j.n)::bigint AS n, MAX(j.a) AS a FROM {OnPostgres} JOIN repositories r ON r.name = j.r GROUP BY 1, 2) p
        WHERE manifests.repository_id = p.repository AND manifests.digest = p.digest
        """);

    private static readonly Statement TouchTags = new("""
        UPDATE tags SET pulled_at = MAX(COALESCE(pulled_at, 0), p.a)
        FROM (SELECT r.id AS repository, j.value ->> 't' AS name, MAX(j.value ->> 'a') AS a
            FROM json_each(@0) j JOIN repositories r ON r.name = j.value ->> 'r' WHERE j.value ->> 't' <> '' AND j.value ->> 'a' > 0 GROUP BY 1, 2) p
        WHERE tags.repository_id = p.repository AND tags.name = p.name
        """, $"""
        UPDATE tags SET pulled_at = GREATEST(COALESCE(pulled_at, 0), p.a)
        FROM (SELECT r.id AS repository, j.t AS name, MAX(j.a) AS a FROM {OnPostgres} JOIN repositories r ON r.name = j.r WHERE j.t <> '' AND j.a > 0 GROUP BY 1, 2) p
        WHERE tags.repository_id = p.repository AND tags.name = p.name
        """);
}

/// <summary>Pulls of one manifest by one reference since the last write; those whose time does not count have none (0).</summary>
internal sealed record PullEntry(
    [property: JsonPropertyName("r")] string Repository, [property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("t")] string Tag,
    [property: JsonPropertyName("n")] long Count, [property: JsonPropertyName("a")] long At)
{
    [JsonIgnore]
    public bool IsByScanner { get; init; }
}

[JsonSerializable(typeof(List<PullEntry>))]
internal sealed partial class PullJsonContext : JsonSerializerContext;

internal static partial class PullCountsLog
{
    [LoggerMessage(2200, LogLevel.Warning, "pulls not counted: {Count}, more different manifests were pulled in a second than are kept in memory")]
    public static partial void PullsNotCounted(this ILogger logger, long count);

    [LoggerMessage(2201, LogLevel.Warning, "pull counts not written, will be tried again")]
    public static partial void PullsNotWritten(this ILogger logger, Exception error);
}
