using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Registry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Audit;

/// <summary>
/// Gathers pulls and failed sign-ins in memory and writes them together, about once a second and at the end. What differs in nothing but the time is one entry
/// with a count, so a thousand nodes that pull the same image behind one address cost one row. What a crash loses is that last second.
/// </summary>
internal sealed class AuditBuffer : IPullListener, ISignInListener, IHostedService, IAsyncDisposable
{
    /// <summary>Most different entries in memory; what comes beyond is dropped, counted and logged.</summary>
    internal const int MaxEntries = 50_000;

    private readonly Database _database;
    private readonly RuntimeSettings _settings;
    private readonly AuditForwarding _forwarding;
    private readonly AuditOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Dictionary<Key, Gathered> _gathered = [];
    private long _dropped;
    private Task _loop = Task.CompletedTask;

    public AuditBuffer(Database database, RuntimeSettings settings, AuditForwarding forwarding, AuditOptions options, TimeProvider time, ILogger<AuditBuffer> log) =>
        (_database, _settings, _forwarding, _options, _time, _log) = (database, settings, forwarding, options, time, log);

    /// <inheritdoc/>
    public void Pulled(RegistryRequest request, string tag, string digest)
    {
        var resource = tag.Length > 0 ? $"{request.Repository}:{tag}" : $"{request.Repository}@{digest}";
        var caller = request.Caller.IsAnonymous ? "anonymous" : request.Caller.Name;
        Add(new Key("pull", "artifact", resource, caller, request.Address, $"pull artifact: {request.Repository}@{digest}", request.Rights.Project?.Id, IsSuccessful: true), request.Facts.RequestId);
    }

    /// <inheritdoc/>
    public void SignInFailed(string? name, string address)
    {
        var actor = AuditWords.Cut(name is { Length: > 0 } ? name : "anonymous", 255);
        Add(new Key("login", "user", actor, actor, address, $"sign-in failed: {actor}", null, IsSuccessful: false), "");
    }

    /// <summary>Starts the loop and returns at once.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(LoopAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Ends the loop and writes what is left.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested) await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    /// <summary>Writes what was gathered.</summary>
    internal async Task FlushAsync(CancellationToken ct)
    {
        Dictionary<Key, Gathered> batch;
        lock (_gate)
        {
            if (_dropped > 0) _log.EntriesDropped(_dropped);
            _dropped = 0;
            if (_gathered.Count == 0) return;
            (batch, _gathered) = (_gathered, []);
        }
        try
        {
            await WriteAsync(batch, ct).ConfigureAwait(false);
        }
        catch
        {
            PutBack(batch);
            throw;
        }
    }

    private async Task WriteAsync(Dictionary<Key, Gathered> batch, CancellationToken ct)
    {
        var values = await _settings.ReadAsync(ct).ConfigureAwait(false);
        var withoutPulls = values.Of(RuntimeSettingTable.PullAuditLogDisable);
        var entries = batch.Where(p => !withoutPulls || p.Key.Operation != "pull").Select(p => EntryOf(p.Key, p.Value)).Where(e => !AuditWriter.IsDisabled(values, e)).ToList();
        if (entries.Count == 0) return;
        var forward = _forwarding.TargetOf(values).Length > 0;
        await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            foreach (var entry in entries) await AuditRows.AddAsync(session, entry, forward, token).ConfigureAwait(false);
            if (forward) session.AfterCommit(_forwarding.Wake);
            return true;
        }, ct).ConfigureAwait(false);
    }

    private async Task LoopAsync()
    {
        var ct = _stopping.Token;
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(_options.PullFlushInterval, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ct.IsCancellationRequested) return;
            try
            {
                await FlushAsync(ct).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The database is out of order: what was gathered is kept and written when it is back.
                _log.FlushFailed(e);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Add(Key key, string requestId)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (_gate)
        {
            if (_gathered.TryGetValue(key, out var same)) same.Count++;
            else if (_gathered.Count < MaxEntries) _gathered.Add(key, new Gathered { At = now, RequestId = requestId, Count = 1 });
            else _dropped++;
        }
    }

    private void PutBack(Dictionary<Key, Gathered> batch)
    {
        lock (_gate)
        {
            foreach (var (key, gathered) in batch)
            {
                if (_gathered.TryGetValue(key, out var same)) same.Count += gathered.Count;
                else if (_gathered.Count < MaxEntries) _gathered.Add(key, gathered);
                else _dropped += gathered.Count;
            }
        }
    }

    private static AuditEntry EntryOf(Key key, Gathered gathered) => new()
    {
        At = gathered.At,
        ProjectId = key.ProjectId,
        Operation = key.Operation,
        ResourceType = key.ResourceType,
        Resource = AuditWords.Cut(key.Resource, 4096),
        Actor = AuditWords.Cut(key.Actor, 512),
        Address = AuditWords.Cut(key.Address, 64),
        RequestId = AuditWords.Cut(gathered.RequestId, 128),
        Description = AuditWords.Cut(key.Description, 4096),
        IsSuccessful = key.IsSuccessful,
        Count = gathered.Count,
    };

    private readonly record struct Key(
        string Operation, string ResourceType, string Resource, string Actor, string Address, string Description, long? ProjectId, bool IsSuccessful);

    private sealed class Gathered
    {
        public long At { get; init; }

        public required string RequestId { get; init; }

        public int Count { get; set; }
    }
}

internal static partial class AuditBufferLog
{
    [LoggerMessage(5400, LogLevel.Warning, "audit entries of pulls and sign-ins could not be written, they are kept and tried again")]
    public static partial void FlushFailed(this ILogger log, Exception error);

    [LoggerMessage(5401, LogLevel.Error, "audit entries of pulls and sign-ins dropped: {Count}; the database takes them more slowly than they come")]
    public static partial void EntriesDropped(this ILogger log, long count);
}
