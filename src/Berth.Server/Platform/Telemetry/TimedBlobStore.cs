using System.Buffers;
using System.Diagnostics;
using Berth.Blobs;
using Berth.Oci;

namespace Berth.Server.Platform.Telemetry;

/// <summary>A blob store whose operations are timed (<see cref="StorageMetrics"/>).</summary>
public sealed class TimedBlobStore(IBlobStore store, StorageMetrics metrics) : IBlobStore, IDisposable
{
    public bool IsObjectStore => store.IsObjectStore;

    public long FreeBytes => store.FreeBytes;

    public BlobPlace PlaceOf(string uploadKey, Digest digest) => store.PlaceOf(uploadKey, digest);

    public async ValueTask<IUploadAppender> OpenUploadAsync(UploadMark mark, CancellationToken ct) =>
        new TimedAppender(await store.OpenUploadAsync(mark, ct).ConfigureAwait(false), metrics);

    public async ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        await store.WriteUploadAsync(uploadKey, content, ct).ConfigureAwait(false);
        metrics.Record(StorageOperation.Append, started);
    }

    public async ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        await store.NameUploadAsync(uploadKey, digest, ct).ConfigureAwait(false);
        metrics.Record(StorageOperation.Commit, started);
    }

    public ValueTask DeleteUploadAsync(string uploadKey, string? state, CancellationToken ct) => store.DeleteUploadAsync(uploadKey, state, ct);

    public IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct) => store.ListUploadsAsync(untouchedSince, ct);

    public ValueTask<IBlobReader?> OpenUploadReadAsync(UploadMark mark, CancellationToken ct) => store.OpenUploadReadAsync(mark, ct);

    public async ValueTask<IBlobReader?> OpenReadAsync(BlobPlace place, long offset, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var reader = await store.OpenReadAsync(place, offset, ct).ConfigureAwait(false);
        metrics.Record(StorageOperation.Open, started);
        return reader;
    }

    public ValueTask<long?> GetSizeAsync(BlobPlace place, CancellationToken ct) => store.GetSizeAsync(place, ct);

    public ValueTask<long?> ConfirmAsync(BlobPlace place, CancellationToken ct) => store.ConfirmAsync(place, ct);

    public async ValueTask DeleteAsync(BlobPlace place, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        await store.DeleteAsync(place, ct).ConfigureAwait(false);
        metrics.Record(StorageOperation.Delete, started);
    }

    public IAsyncEnumerable<StoredContent> ListContentAsync(CancellationToken ct) => store.ListContentAsync(ct);

    public ValueTask<Uri?> SignReadAsync(BlobPlace place, TimeSpan lifetime, CancellationToken ct) => store.SignReadAsync(place, lifetime, ct);

    public ValueTask ProbeAsync(CancellationToken ct) => store.ProbeAsync(ct);

    public void Dispose() => (store as IDisposable)?.Dispose();

    private sealed class TimedAppender(IUploadAppender appender, StorageMetrics metrics) : IUploadAppender
    {
        public long Offset => appender.Offset;

        public UploadMark Saved => appender.Saved;

        public async ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct)
        {
            var started = Stopwatch.GetTimestamp();
            await appender.AppendAsync(data, ct).ConfigureAwait(false);
            metrics.Record(StorageOperation.Append, started);
        }

        public ValueTask<UploadMark> SaveAsync(CancellationToken ct) => appender.SaveAsync(ct);

        public async ValueTask CommitAsync(Digest digest, CancellationToken ct)
        {
            var started = Stopwatch.GetTimestamp();
            await appender.CommitAsync(digest, ct).ConfigureAwait(false);
            metrics.Record(StorageOperation.Commit, started);
        }

        public ValueTask DisposeAsync() => appender.DisposeAsync();
    }
}
