using System.Buffers;
using Berth.Blobs;
using Berth.Oci;

namespace Berth.Server.Platform.Telemetry;

/// <summary>A blob store whose operations are timed and counted (<see cref="StoreCounters"/>).</summary>
public sealed class TimedBlobStore(IBlobStore store, StoreCounters metrics) : IBlobStore
{
    public long FreeBytes => store.FreeBytes;

    public async ValueTask<IUploadAppender> OpenUploadAsync(string uploadKey, long offset, CancellationToken ct) =>
        new TimedAppender(await store.OpenUploadAsync(uploadKey, offset, ct).ConfigureAwait(false), metrics);

    public async ValueTask CommitUploadAsync(string uploadKey, Digest digest, long size, CancellationToken ct)
    {
        using var call = metrics.Begin(StorageOperation.Commit);
        await store.CommitUploadAsync(uploadKey, digest, size, ct).ConfigureAwait(false);
        call.Succeeded();
    }

    public async ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        using var call = metrics.Begin(StorageOperation.Append);
        await store.WriteUploadAsync(uploadKey, content, ct).ConfigureAwait(false);
        call.Succeeded();
        metrics.Written(content.Length);
    }

    public async ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct)
    {
        using var call = metrics.Begin(StorageOperation.Commit);
        await store.NameUploadAsync(uploadKey, digest, ct).ConfigureAwait(false);
        call.Succeeded();
    }

    public ValueTask DeleteUploadAsync(string uploadKey, CancellationToken ct) => store.DeleteUploadAsync(uploadKey, ct);

    public IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct) => store.ListUploadsAsync(untouchedSince, ct);

    public async ValueTask<IBlobReader?> OpenReadAsync(Digest digest, CancellationToken ct)
    {
        using var call = metrics.Begin(StorageOperation.Open);
        var reader = await store.OpenReadAsync(digest, ct).ConfigureAwait(false);
        call.Succeeded();
        return reader is null ? null : new CountedReader(reader, metrics);
    }

    public ValueTask<IBlobReader?> OpenUploadReadAsync(string uploadKey, CancellationToken ct) => store.OpenUploadReadAsync(uploadKey, ct);

    public ValueTask<long?> GetSizeAsync(Digest digest, CancellationToken ct) => store.GetSizeAsync(digest, ct);

    public async ValueTask DeleteAsync(Digest digest, CancellationToken ct)
    {
        using var call = metrics.Begin(StorageOperation.Delete);
        await store.DeleteAsync(digest, ct).ConfigureAwait(false);
        call.Succeeded();
    }

    public ValueTask ProbeAsync(CancellationToken ct) => store.ProbeAsync(ct);

    private sealed class TimedAppender(IUploadAppender appender, StoreCounters metrics) : IUploadAppender
    {
        public long Offset => appender.Offset;

        public async ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct)
        {
            using var call = metrics.Begin(StorageOperation.Append);
            await appender.AppendAsync(data, ct).ConfigureAwait(false);
            call.Succeeded();
            metrics.Written(data.Length);
        }

        public ValueTask DisposeAsync() => appender.DisposeAsync();
    }

    private sealed class CountedReader(IBlobReader reader, StoreCounters metrics) : IBlobReader
    {
        public long Length => reader.Length;

        public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken ct)
        {
            var read = reader.ReadAsync(buffer, offset, ct);
            if (!read.IsCompletedSuccessfully) return AwaitedAsync(read);
            var count = read.Result;
            metrics.Read(count);
            return new ValueTask<int>(count);
        }

        public void Dispose() => reader.Dispose();

        private async ValueTask<int> AwaitedAsync(ValueTask<int> read)
        {
            var count = await read.ConfigureAwait(false);
            metrics.Read(count);
            return count;
        }
    }
}
