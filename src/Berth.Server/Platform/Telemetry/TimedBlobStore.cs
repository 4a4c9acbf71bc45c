using System.Buffers;
using Berth.Blobs;
using Berth.Oci;

namespace Berth.Server.Platform.Telemetry;

/// <summary>A blob store whose operations are timed and counted (<see cref="StoreCounters"/>).</summary>
public sealed class TimedBlobStore(IBlobStore store, StoreCounters metrics) : IBlobStore, IDisposable
{
    public bool IsObjectStore => store.IsObjectStore;

    public long FreeBytes => store.FreeBytes;

    public BlobPlace PlaceOf(string uploadKey, Digest digest) => store.PlaceOf(uploadKey, digest);

    public async ValueTask<IUploadAppender> OpenUploadAsync(UploadMark mark, CancellationToken ct) =>
        new TimedAppender(await store.OpenUploadAsync(mark, ct).ConfigureAwait(false), metrics);

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

    public ValueTask DeleteUploadAsync(string uploadKey, string? state, CancellationToken ct) => store.DeleteUploadAsync(uploadKey, state, ct);

    public IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct) => store.ListUploadsAsync(untouchedSince, ct);

    public ValueTask<IBlobReader?> OpenUploadReadAsync(UploadMark mark, CancellationToken ct) => store.OpenUploadReadAsync(mark, ct);

    public async ValueTask<IBlobReader?> OpenReadAsync(BlobPlace place, long offset, CancellationToken ct)
    {
        using var call = metrics.Begin(StorageOperation.Open);
        var reader = await store.OpenReadAsync(place, offset, ct).ConfigureAwait(false);
        call.Succeeded();
        return reader is null ? null : new CountedReader(reader, metrics);
    }

    public ValueTask<long?> GetSizeAsync(BlobPlace place, CancellationToken ct) => store.GetSizeAsync(place, ct);

    public ValueTask<long?> ConfirmAsync(BlobPlace place, CancellationToken ct) => store.ConfirmAsync(place, ct);

    public async ValueTask DeleteAsync(BlobPlace place, CancellationToken ct)
    {
        using var call = metrics.Begin(StorageOperation.Delete);
        await store.DeleteAsync(place, ct).ConfigureAwait(false);
        call.Succeeded();
    }

    public IAsyncEnumerable<StoredContent> ListContentAsync(CancellationToken ct) => store.ListContentAsync(ct);

    public ValueTask<Uri?> SignReadAsync(BlobPlace place, TimeSpan lifetime, CancellationToken ct) => store.SignReadAsync(place, lifetime, ct);

    public ValueTask ProbeAsync(CancellationToken ct) => store.ProbeAsync(ct);

    public void Dispose() => (store as IDisposable)?.Dispose();

    private sealed class TimedAppender(IUploadAppender appender, StoreCounters metrics) : IUploadAppender
    {
        public long Offset => appender.Offset;

        public UploadMark Saved => appender.Saved;

        public async ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct)
        {
            using var call = metrics.Begin(StorageOperation.Append);
            await appender.AppendAsync(data, ct).ConfigureAwait(false);
            call.Succeeded();
            metrics.Written(data.Length);
        }

        public ValueTask<UploadMark> SaveAsync(CancellationToken ct) => appender.SaveAsync(ct);

        public async ValueTask CommitAsync(Digest digest, CancellationToken ct)
        {
            using var call = metrics.Begin(StorageOperation.Commit);
            await appender.CommitAsync(digest, ct).ConfigureAwait(false);
            call.Succeeded();
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
