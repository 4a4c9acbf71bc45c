using System.Data.Common;
using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Audit;

/// <summary>
/// Sends audit entries to another system. An entry that has to be sent is noted in the transaction that writes it (<see cref="AuditForward"/>), and the note is
/// deleted after the receiver has taken it: at least once, in the order of the ids, and whatever was not sent when the process ended is sent by the next.
/// One process of all replicas sends (<see cref="AuditForwardLease"/>). Each round: 1. the target, 2. the lease, 3. a batch, 4. the send, 5. the notes go.
/// </summary>
internal sealed class AuditForwarding : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly Database _database;
    private readonly RuntimeSettings _settings;
    private readonly AuditOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _owner;
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AuditSender? _sender;
    private bool _hasLease;
    private Task _loop = Task.CompletedTask;

    public AuditForwarding(Database database, RuntimeSettings settings, AuditOptions options, TimeProvider time, ILogger<AuditForwarding> log)
    {
        (_database, _settings, _options, _time, _log) = (database, settings, options, time, log);
        _owner = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
    }

    /// <summary>Where entries are sent by the settings of now; empty when they are not.</summary>
    public string TargetOf(SettingValues values) => _options.ForwardTo is { Length: > 0 } given ? given : values.Of(RuntimeSettingTable.AuditLogForwardEndpoint);

    /// <summary>Says that there is something to send. Any thread.</summary>
    public void Wake() => Volatile.Read(ref _wake).TrySetResult();

    /// <summary>Starts the loop and returns at once.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(LoopAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Ends the loop; what is not sent stays noted.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.WaitAsync(cancellationToken).ConfigureAwait(false);
        await ReleaseLeaseAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        if (_sender is not null) await _sender.DisposeAsync().ConfigureAwait(false);
        _sender = null;
    }

    private async Task LoopAsync()
    {
        var ct = _stopping.Token;
        var pause = FirstPause;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var sent = await RoundAsync(ct).ConfigureAwait(false);
                pause = FirstPause;
                if (sent == 0) await SleepAsync(ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The receiver or the database is out of order; nothing is lost, the notes stay.
                _log.ForwardFailed(e, _sender?.Target.ToString() ?? "the receiver", pause);
                await Task.Delay(pause, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    /// <summary>Sends one batch; how many entries it had.</summary>
    private async Task<int> RoundAsync(CancellationToken ct)
    {
        // 1.
        var values = await _settings.ReadAsync(ct).ConfigureAwait(false);
        if (TargetOf(values) is not { Length: > 0 } text || AuditTarget.TryParse(text) is not { } target) return 0;
        if (_sender is null || _sender.Target != target)
        {
            if (_sender is not null) await _sender.DisposeAsync().ConfigureAwait(false);
            _sender = new AuditSender(target, _options);
        }
        // 2.
        _hasLease = await TakeLeaseAsync(ct).ConfigureAwait(false);
        if (!_hasLease) return 0;
        // 3.
        var batch = await _database.ReadAsync(_options.ForwardBatch, static (session, size, token) => ReadBatchAsync(session, size, token), ct).ConfigureAwait(false);
        if (batch.Count == 0) return 0;
        // 4.
        await _sender.SendAsync(batch, ct).ConfigureAwait(false);
        // 5.
        await ForgetAsync(batch, values.Of(RuntimeSettingTable.SkipAuditLogDatabase), ct).ConfigureAwait(false);
        return batch.Count;
    }

    private Task<bool> TakeLeaseAsync(CancellationToken ct)
    {
        // SQLite has one process, and a lease that is there is of one that is gone.
        if (_database.Kind == DatabaseKind.Sqlite) return Task.FromResult(true);
        var now = _time.GetUtcNow();
        var until = now + _options.ForwardTimeout + _options.ForwardTimeout;
        return _database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await session.ExecuteAsync(TakeLease, [_owner, until.ToUnixTimeMilliseconds(), now.ToUnixTimeMilliseconds()], token).ConfigureAwait(false) == 1, ct);
    }

    // The next replica need not wait until it ends by itself.
    private async Task ReleaseLeaseAsync(CancellationToken ct)
    {
        if (_database.Kind == DatabaseKind.Sqlite || !_hasLease) return;
        try
        {
            await _database.WriteAsync(Durability.Relaxed, async (session, token) => await session.ExecuteAsync(ReleaseLease, [_owner], token).ConfigureAwait(false), ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DbException or TimeoutException or OperationCanceledException)
        {
            _log.LeaseNotReleased(e.Message);
        }
    }

    private Task<bool> ForgetAsync(List<AuditEntry> batch, bool withEntries, CancellationToken ct) =>
        _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            var ids = JsonSerializer.Serialize(batch.Select(e => e.Id));
            await session.ExecuteAsync(DeleteForwards, [ids], token).ConfigureAwait(false);
            if (withEntries) await session.ExecuteAsync(DeleteEntries, [ids], token).ConfigureAwait(false);
            return true;
        }, ct);

    private async Task SleepAsync(CancellationToken ct)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var wake = Volatile.Read(ref _wake);
        await Task.WhenAny(wake.Task, Task.Delay(Poll, _time, timer.Token)).ConfigureAwait(false);
        await timer.CancelAsync().ConfigureAwait(false);
        ct.ThrowIfCancellationRequested();
        // Before the loop looks: what is signalled from here on ends the next wait.
        if (wake.Task.IsCompleted) Volatile.Write(ref _wake, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    private static async ValueTask<List<AuditEntry>> ReadBatchAsync(DbSession session, int size, CancellationToken ct)
    {
        var batch = new List<AuditEntry>();
        await using var reader = await session.Command(SelectBatch, (long)size).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) batch.Add(AuditRows.Read(reader));
        return batch;
    }

    private static readonly Statement SelectBatch = new($"""
        SELECT {AuditRows.Columns} FROM audit_forwards f JOIN audit_entries e ON e.id = f.entry_id ORDER BY f.entry_id LIMIT @0
        """);

    private static readonly Statement DeleteForwards = new(
        "DELETE FROM audit_forwards WHERE entry_id IN (SELECT value FROM json_each(@0))",
        "DELETE FROM audit_forwards WHERE entry_id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint)");

    private static readonly Statement DeleteEntries = new(
        "DELETE FROM audit_entries WHERE id IN (SELECT value FROM json_each(@0))",
        "DELETE FROM audit_entries WHERE id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint)");

    private static readonly Statement ReleaseLease = new("DELETE FROM audit_forward_leases WHERE id = 1 AND owner = @0");

    private static readonly Statement TakeLease = new("""
        INSERT INTO audit_forward_leases (id, owner, expires_at) VALUES (1, @0, @1)
        ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
        WHERE audit_forward_leases.owner = excluded.owner OR audit_forward_leases.expires_at < @2
        """);
}

internal static partial class AuditForwardingLog
{
    [LoggerMessage(5402, LogLevel.Warning, "audit entries could not be sent to {Target}, tried again in {Pause}; none is lost")]
    public static partial void ForwardFailed(this ILogger log, Exception error, string target, TimeSpan pause);

    [LoggerMessage(5403, LogLevel.Information, "lease of the audit forwarder not released, it ends by itself: {Problem}")]
    public static partial void LeaseNotReleased(this ILogger log, string problem);
}
