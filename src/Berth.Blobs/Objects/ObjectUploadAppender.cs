using System.Buffers;
using System.Security.Cryptography;
using Berth.Oci;

namespace Berth.Blobs.Objects;

/// <summary>
/// Appends to an upload of an object store. Bytes collect in the buffer of one part; full ones are sent in the background while the next fills. What
/// a save finds in the buffer becomes a tail: a small object beside, under a name that is never used again, so that a mark once saved
/// stays true whatever other processes still write. Content that fits into one part is one object written at the commit.
/// A call that failed may be repeated: nothing that was taken in is dropped before it is written.
/// </summary>
internal sealed class ObjectUploadAppender : IUploadAppender
{
    private readonly IObjectClient _client;
    private readonly ObjectPaths _paths;
    private readonly PartMemory _memory;
    private readonly string _key;
    private readonly string _contentKey;
    private readonly List<Part> _parts;
    private readonly List<PartUpload> _underWay = [];
    private readonly CancellationTokenSource _stop = new();
    private List<UploadTail> _tails;
    private bool _hadTails;
    private string? _session;
    private PartBuffer? _buffer;
    private bool _isCommitted;

    private ObjectUploadAppender(IObjectClient client, ObjectPaths paths, PartMemory memory, UploadMark mark, UploadState state)
    {
        _client = client;
        _paths = paths;
        _memory = memory;
        _key = mark.Key;
        _contentKey = paths.Content(mark.Key);
        _session = state.Session;
        _parts = [.. state.Parts];
        _tails = [.. state.Tails];
        _hadTails = state.HadTails;
        Offset = mark.Offset;
        Saved = mark;
    }

    public long Offset { get; private set; }

    public UploadMark Saved { get; private set; }

    /// <summary>Opens an upload where its session stands.</summary>
    public static async Task<IUploadAppender> OpenAsync(IObjectClient client, ObjectPaths paths, PartMemory memory, UploadMark mark, TimeProvider time, CancellationToken ct)
    {
        UploadKey.Check(mark.Key);
        var state = mark.Offset == 0 ? new UploadState() : UploadState.Read(mark.State) ?? throw new UploadBytesMissingException(mark.Key);
        if (state.Sizes.Sum(s => (long)s) + state.Tails.Sum(t => (long)t.Size) != mark.Offset) throw new UploadBytesMissingException(mark.Key);
        var appender = new ObjectUploadAppender(client, paths, memory, mark, state);
        try
        {
            await appender.ReadTailsAsync(time, ct).ConfigureAwait(false);
            return appender;
        }
        catch
        {
            await appender.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(_isCommitted, this);
        while (!data.IsEmpty)
        {
            // A full buffer is sent when more comes, not before: it may be the last, which goes with the commit.
            if (_buffer is { IsFull: true }) await SendBufferAsync(ct).ConfigureAwait(false);
            _buffer ??= _memory.Rent(NextSize());
            var rest = _buffer.Take(data);
            Offset += data.Length - rest.Length;
            data = rest;
        }
    }

    public async ValueTask<UploadMark> SaveAsync(CancellationToken ct)
    {
        if (Offset == Saved.Offset) return Saved;
        await FinishAllAsync(ct).ConfigureAwait(false);
        await SaveAsPartAsync(ct).ConfigureAwait(false);
        await SaveAsTailAsync(ct).ConfigureAwait(false);
        var state = new UploadState
        {
            Session = _session,
            Sizes = [.. _parts.Select(p => p.Size)],
            Tags = [.. _parts.Select(p => p.Tag)],
            Tails = _tails,
            HadTails = _hadTails,
        };
        Saved = new UploadMark(_key, Offset, UploadState.Write(state));
        return Saved;
    }

    public async ValueTask CommitAsync(Digest digest, CancellationToken ct)
    {
        if (_isCommitted) return;
        await FinishAllAsync(ct).ConfigureAwait(false);
        var last = _buffer?.Bytes ?? ReadOnlyMemory<byte>.Empty;
        if (_parts.Sum(p => (long)p.Size) + last.Length != Offset) throw new InvalidOperationException($"upload {_key} has lost bytes on the way");
        if (_session is null)
        {
            await _client.PutAsync(_contentKey, last, ct).ConfigureAwait(false);
        }
        else
        {
            if (last.Length > 0) CheckPartNumber();
            await _client.CompletePartsAsync(new PartedObject(_contentKey, _session), _parts, last, ct).ConfigureAwait(false);
        }
        _isCommitted = true;
        _buffer?.Dispose();
        _buffer = null;
        await RemoveTailsAsync(ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (var upload in _underWay)
        {
            // Whether it was written or not: nobody counts on it. But its memory is free only when it has ended.
            if (upload.Sending is Task sending) await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            upload.Buffer.Dispose();
        }
        _underWay.Clear();
        _buffer?.Dispose();
        _buffer = null;
        _stop.Dispose();
    }

    private int NextSize() => PartSizes.Of(_parts.Count + 1, _client.Parts);

    private void CheckPartNumber()
    {
        if (_parts.Count >= _client.Parts.MaxParts)
            throw new IOException($"content of more than {_client.Parts.MaxParts} parts does not fit into the store: set larger parts");
    }

    private async Task ReadTailsAsync(TimeProvider time, CancellationToken ct)
    {
        if (_tails.Count == 0) return;
        // Parts may have been larger when the tails were written.
        var bytes = _tails.Sum(t => t.Size);
        _buffer = _memory.Rent(Math.Max(bytes, NextSize()));
        foreach (var tail in _tails)
        {
            using var reader = await ObjectReader.OpenAsync(_client, _paths.Tails(_key) + tail.Name, 0, time, ct).ConfigureAwait(false);
            if (reader?.Length != tail.Size) throw new UploadBytesMissingException(_key);
            for (var read = 0; read < tail.Size;)
            {
                var n = await reader.ReadAsync(_buffer.Room(tail.Size - read), read, ct).ConfigureAwait(false);
                _buffer.Advance(n);
                read += n;
            }
        }
    }

    /// <summary>Sends the buffer in the background and takes another, waiting for parts under way where the store or the memory bounds them.</summary>
    private async Task SendBufferAsync(CancellationToken ct)
    {
        CheckPartNumber();
        _session ??= await _client.BeginPartsAsync(_contentKey, ct).ConfigureAwait(false);
        while (_underWay.Count >= _client.Parts.Concurrency) await FinishOneAsync(ct).ConfigureAwait(false);
        var upload = new PartUpload(NewPart(_buffer!.Length), _buffer);
        _parts.Add(upload.Part);
        _underWay.Add(upload);
        _buffer = null;
        _tails = [];
        Begin(upload);
        while ((_buffer = _memory.TryRent(NextSize())) is null && _underWay.Count > 0) await FinishOneAsync(ct).ConfigureAwait(false);
    }

    private Part NewPart(int size) => new(_parts.Count + 1, _parts.Count == 0 ? 0 : _parts[^1].Offset + _parts[^1].Size, size, "");

    // On another thread: checksums and signatures are work before the first byte goes out.
    private void Begin(PartUpload upload)
    {
        var target = new PartedObject(_contentKey, _session!);
        upload.Sending = Task.Run(() => _client.PutPartAsync(target, upload.Part, upload.Buffer.Bytes, _stop.Token), _stop.Token);
    }

    private async Task FinishAllAsync(CancellationToken ct)
    {
        while (_underWay.Count > 0) await FinishOneAsync(ct).ConfigureAwait(false);
    }

    private async Task FinishOneAsync(CancellationToken ct)
    {
        foreach (var failed in _underWay.Where(u => u.Sending is null)) Begin(failed);
        await Task.WhenAny(_underWay.Select(u => u.Sending!)).WaitAsync(ct).ConfigureAwait(false);
        var done = _underWay.First(u => u.Sending!.IsCompleted);
        var sending = done.Sending!;
        // Its bytes stay, to be sent again by the next call.
        if (!sending.IsCompletedSuccessfully) done.Sending = null;
        var tag = await sending.ConfigureAwait(false);
        _underWay.Remove(done);
        _parts[done.Part.Number - 1] = done.Part with { Tag = tag };
        done.Buffer.Dispose();
    }

    /// <summary>What is enough for a part need not be written twice.</summary>
    private async Task SaveAsPartAsync(CancellationToken ct)
    {
        if (_buffer is null) return;
        var bytes = _buffer.IsFull ? _buffer.Length : PartSizes.OfShort(_parts.Count + 1, _buffer.Length, _client.Parts);
        if (bytes == 0) return;
        CheckPartNumber();
        _session ??= await _client.BeginPartsAsync(_contentKey, ct).ConfigureAwait(false);
        var part = NewPart(bytes);
        var tag = await _client.PutPartAsync(new PartedObject(_contentKey, _session), part, _buffer.Bytes[..bytes], ct).ConfigureAwait(false);
        _parts.Add(part with { Tag = tag });
        _tails = [];
        _buffer.DropFirst(bytes);
        if (_buffer.Length > 0) return;
        _buffer.Dispose();
        _buffer = null;
    }

    /// <summary>Writes what no tail has yet, together with last tails that are not much larger: few tails, and each byte written few times.</summary>
    private async Task SaveAsTailAsync(CancellationToken ct)
    {
        if (_buffer is null) return;
        var tails = new List<UploadTail>(_tails);
        var from = tails.Sum(t => t.Size);
        if (from == _buffer.Length) return;
        while (tails.Count > 0 && tails[^1].Size <= 2L * (_buffer.Length - from))
        {
            from -= tails[^1].Size;
            tails.RemoveAt(tails.Count - 1);
        }
        var bytes = _buffer.Bytes[from..];
        var tail = new UploadTail($"{Offset - bytes.Length}-{bytes.Length}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}", bytes.Length);
        _hadTails = true;
        await _client.PutAsync(_paths.Tails(_key) + tail.Name, bytes, ct).ConfigureAwait(false);
        tails.Add(tail);
        _tails = tails;
    }

    private async Task RemoveTailsAsync(CancellationToken ct)
    {
        if (!_hadTails) return;
        try
        {
            await ObjectBlobStore.DeleteAllAsync(_client, _paths.Tails(_key), ct).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The content is durable, and that is the answer. Tails that stay are found by ListUploadsAsync.
        }
    }

    private sealed class PartUpload(Part part, PartBuffer buffer)
    {
        public Part Part => part;

        public PartBuffer Buffer => buffer;

        /// <summary>Null when it failed.</summary>
        public Task<string>? Sending { get; set; }
    }
}
