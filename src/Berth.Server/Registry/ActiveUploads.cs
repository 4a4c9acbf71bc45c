using System.Collections.Concurrent;

namespace Berth.Server.Registry;

/// <summary>
/// One request at a time for each upload. A client whose connection broke comes back before the server has noticed: the newcomer
/// tells the old request to stop and waits until it has, so that the upload stands still when it goes on.
/// </summary>
internal sealed class ActiveUploads(TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Turn> _turns = new();

    /// <summary>How many requests are writing now.</summary>
    public int Count => _turns.Count;

    /// <summary>Takes the turn at an upload; null when the one before does not end in time.</summary>
    public async ValueTask<Turn?> EnterAsync(string uploadId, CancellationToken aborted)
    {
        var turn = new Turn(this, uploadId, aborted);
        while (!_turns.TryAdd(uploadId, turn))
        {
            if (!_turns.TryGetValue(uploadId, out var before)) continue;
            before.Stop();
            try
            {
                await before.Ended.WaitAsync(Patience, time, aborted).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                turn.Dispose();
                return null;
            }
        }
        return turn;
    }

    /// <summary>The right to write to an upload, given back on dispose.</summary>
    internal sealed class Turn(ActiveUploads owner, string uploadId, CancellationToken aborted) : IDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Cancelled when the client is gone or another request wants the upload.</summary>
        public CancellationToken Token => _stop.Token;

        public Task Ended => _ended.Task;

        public void Stop()
        {
            try
            {
                _stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It ended by itself in this moment, which is what was wanted.
            }
        }

        public void Dispose()
        {
            owner._turns.TryRemove(new KeyValuePair<string, Turn>(uploadId, this));
            _stop.Dispose();
            _ended.TrySetResult();
        }
    }
}
