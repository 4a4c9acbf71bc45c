namespace Berth.Server.Platform.Jobs;

/// <summary>Wakes one waiting loop. Signals that come while nobody waits are kept as one.</summary>
internal sealed class WakeSignal
{
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Any thread.</summary>
    public void Set() => Volatile.Read(ref _set).TrySetResult();

    /// <summary>Ends with a signal or after the time. Only one caller at a time.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken ct)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(_set.Task, Task.Delay(atMost, time, timer.Token)).ConfigureAwait(false);
        await timer.CancelAsync().ConfigureAwait(false);
        ct.ThrowIfCancellationRequested();
        // Before the caller looks at its queue: what is signalled from here on ends the next wait.
        if (_set.Task.IsCompleted) Volatile.Write(ref _set, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
