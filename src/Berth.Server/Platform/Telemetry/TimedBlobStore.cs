using System.Buffers;
using System.Diagnostics;
using Berth.Blobs;
using Berth.Oci;

namespace Berth.Server.Platform.Telemetry;

/// <summary>A blob store whose operations are timed (<see cref="StorageMetrics"/>).</summary>
public sealed class TimedBlobStore(IBlobStore store, StorageMetrics metrics) : IBlobStore
{
    public long FreeBytes => store.FreeBytes;

    public async ValueTask<IUploadAppender> OpenUploadAsync(string uploadKey, long offset, CancellationToken ct) =>
        new TimedAppender(await store.OpenUploadAsync(uploadKey, offset, ct).ConfigureAwait(false), metrics);

    public async ValueTask CommitUploadAsync(string uploadKey, Digest digest, long size, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        await store.CommitUploadAsync(uploadKey, digest, size, ct).ConfigureAwait(false);
        metrics.Record(StorageOperation.Commit, started);
    }

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

    public ValueTask DeleteUploadAsync(string uploadKey, CancellationToken ct) => store.DeleteUploadAsync(uploadKey, ct);

    public IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct) => store.ListUploadsAsync(untouchedSince, ct);

    public async ValueTask<IBlobReader?> OpenReadAsync(Digest digest, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var reader = await store.OpenReadAsync(digest, ct).ConfigureAwait(false);
        metrics.Record(StorageOperation.Open, started);
        return reader;
    }

    public ValueTask<IBlobReader?> OpenUploadReadAsync(string uploadKey, CancellationToken ct) => store.OpenUploadReadAsync(uploadKey, ct);

    public ValueTask<long?> GetSizeAsync(Digest digest, CancellationToken ct) => store.GetSizeAsync(digest, ct);

    public async ValueTask DeleteAsync(Digest digest, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        await store.DeleteAsync(digest, ct).ConfigureAwait(false);
        metrics.Record(StorageOperation.Delete, started);
    }

    public ValueTask ProbeAsync(CancellationToken ct) => store.ProbeAsync(ct);

    private sealed class TimedAppender(IUploadAppender appender, StorageMetrics metrics) : IUploadAppender
    {
        public long Offset => appender.Offset;

        public async ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct)
        {
            var started = Stopwatch.GetTimestamp();
            await appender.AppendAsync(data, ct).ConfigureAwait(false);
            metrics.Record(StorageOperation.Append, started);
        }

        public ValueTask DisposeAsync() => appender.DisposeAsync();
    }
}
