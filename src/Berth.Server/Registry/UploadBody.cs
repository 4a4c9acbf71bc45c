using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Berth.Blobs;
using Berth.Blobs.Hashing;
using Berth.Oci;

namespace Berth.Server.Registry;

/// <summary>
/// The bytes of one request on their way into an upload: appended to the store and hashed once, as they pass. On a file system the saved
/// hash state is bound to this run of the machine: after a power cut the file may lack what had been written, so the bytes are hashed again then.
/// </summary>
internal sealed class UploadBody : IAsyncDisposable
{
    private const int RehashChunkBytes = 1 << 20;
    private static readonly byte[] BootId = ReadBootId();

    private readonly IUploadAppender _appender;
    private readonly ResumableHash _hash;
    private readonly ReadOnlyMemory<byte> _run;

    private UploadBody(IUploadAppender appender, ResumableHash hash, ReadOnlyMemory<byte> run)
    {
        _run = run;
        _appender = appender;
        _hash = hash;
    }

    /// <summary>Bytes in the upload so far.</summary>
    public long Offset => _appender.Offset;

    /// <summary>Where another process can go on as things are (<see cref="IUploadAppender.Saved"/>).</summary>
    public UploadMark Saved => _appender.Saved;

    /// <summary>Sees to it that another process can go on from here.</summary>
    public ValueTask<UploadMark> SaveAsync(CancellationToken ct) => _appender.SaveAsync(ct);

    /// <summary>Makes the upload the content of its digest, durably (<see cref="IUploadAppender.CommitAsync"/>).</summary>
    public ValueTask CommitAsync(Digest digest, CancellationToken ct) => _appender.CommitAsync(digest, ct);

    /// <summary>Opens an upload where its session says it stands.</summary>
    /// <exception cref="UploadBytesMissingException">The store has fewer bytes than the session says.</exception>
    public static async ValueTask<UploadBody> OpenAsync(IBlobStore store, UploadSession upload, DigestAlgorithm algorithm, CancellationToken ct)
    {
        var hash = await ResumeHashAsync(store, upload, algorithm, ct).ConfigureAwait(false);
        try
        {
            return new UploadBody(await store.OpenUploadAsync(upload.Mark, ct).ConfigureAwait(false), hash, RunOf(store));
        }
        catch
        {
            hash.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes in a request body to its end. Throws when the client breaks off; what came until then is in the upload and counted.
    /// </summary>
    /// <param name="body">The request body.</param>
    /// <param name="maxOffset">Most bytes that the upload may have in the end.</param>
    /// <param name="checkpoint">Called now and then with progress worth keeping.</param>
    /// <param name="ct">Cancels the reading.</param>
    /// <returns>False when the body goes beyond <paramref name="maxOffset"/>.</returns>
    public async ValueTask<bool> ReceiveAsync(PipeReader body, long maxOffset, Func<ValueTask>? checkpoint, CancellationToken ct)
    {
        var checkpointAt = Offset + CheckpointBytes;
        while (true)
        {
            var read = await body.ReadAsync(ct).ConfigureAwait(false);
            var data = read.Buffer;
            if (Offset + data.Length > maxOffset)
            {
                body.AdvanceTo(data.End);
                return false;
            }
            await _appender.AppendAsync(data, ct).ConfigureAwait(false);
            foreach (var segment in data) _hash.Append(segment.Span);
            body.AdvanceTo(data.End);
            if (read.IsCompleted) return true;
            if (checkpoint is not null && Offset >= checkpointAt)
            {
                checkpointAt = Offset + CheckpointBytes;
                await checkpoint().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Bytes between two checkpoints: what a killed server makes a client send again at most.</summary>
    public const long CheckpointBytes = 64L << 20;

    /// <summary>Digest of all bytes of the upload.</summary>
    public Digest Digest() => _hash.Current();

    /// <summary>The state of the hash for <see cref="UploadSession.HashState"/>.</summary>
    public byte[]? SaveHash() => _hash.Save() is { } state ? [.. _run.Span, .. state] : null;

    public async ValueTask DisposeAsync()
    {
        _hash.Dispose();
        await _appender.DisposeAsync().ConfigureAwait(false);
    }

    private static async ValueTask<ResumableHash> ResumeHashAsync(IBlobStore store, UploadSession upload, DigestAlgorithm algorithm, CancellationToken ct)
    {
        if (upload.Offset == 0) return ResumableHash.Start(algorithm);
        var run = RunOf(store);
        if (upload.Algorithm == algorithm.Name && upload.HashState is { } state && state.AsSpan().StartsWith(run.Span)
            && ResumableHash.TryResume(algorithm, state.AsSpan(run.Length), out var resumed))
            return resumed;
        var hash = ResumableHash.Start(algorithm);
        try
        {
            await HashAgainAsync(store, upload, hash, ct).ConfigureAwait(false);
            return hash;
        }
        catch
        {
            hash.Dispose();
            throw;
        }
    }

    private static async ValueTask HashAgainAsync(IBlobStore store, UploadSession upload, ResumableHash hash, CancellationToken ct)
    {
        using var reader = await store.OpenUploadReadAsync(upload.Mark, ct).ConfigureAwait(false) ?? throw new UploadBytesMissingException(upload.Id);
        var buffer = ArrayPool<byte>.Shared.Rent(RehashChunkBytes);
        try
        {
            for (long offset = 0; offset < upload.Offset;)
            {
                var wanted = (int)Math.Min(RehashChunkBytes, upload.Offset - offset);
                var read = await reader.ReadAsync(buffer.AsMemory(0, wanted), offset, ct).ConfigureAwait(false);
                if (read == 0) throw new UploadBytesMissingException(upload.Id);
                hash.Append(buffer.AsSpan(0, read));
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // What an object store has saved is durable.
    private static ReadOnlyMemory<byte> RunOf(IBlobStore store) => store.IsObjectStore ? default : BootId;

    private static byte[] ReadBootId()
    {
        const string file = "/proc/sys/kernel/random/boot_id";
        var id = File.Exists(file) ? File.ReadAllText(file).Trim() : Environment.MachineName + Environment.ProcessId;
        return SHA256.HashData(Encoding.UTF8.GetBytes(id))[..16];
    }
}
