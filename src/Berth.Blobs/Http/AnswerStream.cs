namespace Berth.Blobs.Http;

/// <summary>
/// The body of an answer. It ends early when the connection breaks or falls silent: the reader knows the length and asks for the rest, which is the
/// one thing to do about any failure here.
/// </summary>
internal sealed class AnswerStream(IDisposable response, Stream body, TimeSpan stall, TimeProvider time) : Stream
{
    private CancellationTokenSource? _silence;
    private bool _broken;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct = default)
    {
        if (_broken) return 0;
        // What has arrived already needs no timer.
        var read = body.ReadAsync(buffer, ct);
        if (read.IsCompletedSuccessfully) return await read.ConfigureAwait(false);
        return await WaitAsync(read.AsTask(), ct).ConfigureAwait(false);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken ct) => ReadAsync(buffer.AsMemory(offset, count), ct).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read it asynchronously");

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            response.Dispose();
            _silence?.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task<int> WaitAsync(Task<int> read, CancellationToken ct)
    {
        try
        {
            _silence ??= ListenForSilence();
            _silence.CancelAfter(stall);
            return await read.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            // Ends early, as the summary says. The buffer is free again: the read has ended.
            _broken = true;
            return 0;
        }
        finally
        {
            // Between two reads it is the caller who takes his time.
            _silence?.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    // One timer for all reads.
    private CancellationTokenSource ListenForSilence()
    {
        var silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        silence.Token.UnsafeRegister(static answer => ((IDisposable)answer!).Dispose(), response);
        return silence;
    }
}
