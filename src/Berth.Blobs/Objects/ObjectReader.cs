namespace Berth.Blobs.Objects;

/// <summary>
/// Reads an object: one request from the offset that is asked for, read on as long as reads follow one another, and a new one elsewhere. When
/// the connection breaks midway, another request goes on at the byte.
/// </summary>
internal sealed class ObjectReader : IBlobReader
{
    /// <summary>Most requests in a row that bring no byte.</summary>
    private const int MaxFutile = 5;

    // Reading on over a small gap is cheaper than a request.
    private const int MaxSkip = 128 << 10;

    // Bytes that are waited for before a read returns, unless the stream ends.
    private const int Together = 64 << 10;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private readonly IObjectClient _client;
    private readonly string _key;
    private readonly TimeProvider _time;
    private Stream? _stream;
    private long _position;

    private ObjectReader(IObjectClient client, string key, ObjectContent content, long offset, TimeProvider time)
    {
        _client = client;
        _key = key;
        _time = time;
        _stream = content.Stream;
        _position = offset;
        Length = content.Length;
    }

    public long Length { get; }

    /// <summary>Opens an object; null when it is not there.</summary>
    public static async Task<ObjectReader?> OpenAsync(IObjectClient client, string key, long offset, TimeProvider time, CancellationToken ct) =>
        await client.OpenAsync(key, offset, ct).ConfigureAwait(false) is { } content ? new ObjectReader(client, key, content, offset, time) : null;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken ct)
    {
        if (offset >= Length || buffer.IsEmpty) return 0;
        var wanted = buffer[..(int)Math.Min(buffer.Length, Length - offset)];
        if (_stream is not null && offset != _position) await SkipAsync(buffer, offset, ct).ConfigureAwait(false);
        for (var futile = 0; ; futile++)
        {
            _stream ??= await ReopenAsync(offset, ct).ConfigureAwait(false);
            var n = await ReadOnAsync(wanted, ct).ConfigureAwait(false);
            if (n > 0) return n + await FillAsync(wanted[n..], ct).ConfigureAwait(false);
            if (futile == MaxFutile) throw new StoreUnavailableException($"reading {_key} breaks off at byte {offset} of {Length} each time");
            if (futile > 0) await Task.Delay(FirstPause * Math.Pow(2, futile), _time, ct).ConfigureAwait(false);
        }
    }

    public void Dispose() => Close();

    // A store sends small pieces: each alone would cost the caller a write of his own.
    private async ValueTask<int> FillAsync(Memory<byte> buffer, CancellationToken ct)
    {
        var read = 0;
        while (read < Math.Min(buffer.Length, Together) && _stream is not null) read += await ReadOnAsync(buffer[read..], ct).ConfigureAwait(false);
        return read;
    }

    private async ValueTask SkipAsync(Memory<byte> scratch, long offset, CancellationToken ct)
    {
        while (_stream is not null && offset > _position && offset - _position <= MaxSkip)
        {
            if (await ReadOnAsync(scratch[..(int)Math.Min(scratch.Length, offset - _position)], ct).ConfigureAwait(false) == 0) return;
        }
        if (offset != _position) Close();
    }

    /// <summary>Bytes from the open stream; 0 when it ended, and then it is closed.</summary>
    private async ValueTask<int> ReadOnAsync(Memory<byte> buffer, CancellationToken ct)
    {
        var n = 0;
        try
        {
            n = await _stream!.ReadAsync(buffer, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException)
        {
            // As if it had ended: the next request goes on.
            n = 0;
        }
        catch (OperationCanceledException)
        {
            // What was read in between is unknown.
            Close();
            throw;
        }
        _position += n;
        if (n == 0) Close();
        return n;
    }

    private async Task<Stream> ReopenAsync(long offset, CancellationToken ct)
    {
        var content = await _client.OpenAsync(_key, offset, ct).ConfigureAwait(false) ?? throw new IOException($"{_key} is gone from the store while it is read");
        if (content.Length != Length)
        {
            await content.Stream.DisposeAsync().ConfigureAwait(false);
            throw new IOException($"{_key} had {Length} bytes and has {content.Length} now");
        }
        _position = offset;
        return content.Stream;
    }

    private void Close()
    {
        _stream?.Dispose();
        _stream = null;
    }
}
