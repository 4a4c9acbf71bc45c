using Npgsql;

namespace Berth.Server.Platform.Data;

/// <summary>
/// One connection that listens for the announcements of all replicas. It is told nothing while it is broken: then
/// <see cref="Announcements.IsListening"/> is false until it is whole again.
/// </summary>
internal sealed class PostgresListener : IAsyncDisposable
{
    /// <summary>Channel of all announcements; the payload is the topic, a line feed and the key.</summary>
    public const string Channel = "berth";

    private const int KeepAliveSeconds = 3;

    // A server that is gone without a word is noticed after these.
    private const int AnswerSeconds = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly string _connectionString;
    private readonly Announcements _announcements;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public PostgresListener(string connectionString, Announcements announcements)
    {
        _connectionString = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, KeepAlive = KeepAliveSeconds, Multiplexing = false, CommandTimeout = AnswerSeconds, Timeout = AnswerSeconds }.ConnectionString;
        _announcements = announcements;
        announcements.Lost();
        announcements.Outage.Watch();
        _loop = Task.Run(ListenAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ListenAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ListenOnceAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                // Requests that need the database fail and say why; here only the next try matters.
                _announcements.Lost();
            }
            await Task.Delay(Pause, TimeProvider.System, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenOnceAsync(CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await ConnectAsync(connection, ct).ConfigureAwait(false);
        connection.Notification += (_, e) => Hear(e.Payload);
        await using (var listen = connection.CreateCommand())
        {
            listen.CommandText = "LISTEN " + Channel;
            await listen.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
        _announcements.Regained();
        while (true) await connection.WaitAsync(ct).ConfigureAwait(false);
    }

    private async Task ConnectAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        try
        {
            await connection.OpenAsync(ct).ConfigureAwait(false);
        }
        // Too many connections, or a wrong password: there is somebody, who may serve the connections of the pool.
        catch (Exception e) when (e is TimeoutException or NpgsqlException and not PostgresException || e is PostgresException refused && DatabaseFailure.IsUnreachable(refused))
        {
            _announcements.Outage.Begin(e);
            throw;
        }
    }

    private void Hear(string payload)
    {
        var end = payload.IndexOf('\n', StringComparison.Ordinal);
        if (end > 0) _announcements.Publish(payload[..end], payload[(end + 1)..]);
    }
}
