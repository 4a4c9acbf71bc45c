using Berth.Blobs;
using Berth.Oci;

namespace Berth.Server.Tests.GarbageCollection;

/// <summary>A store that fails once, before or after a given removal, as a killed process would leave it.</summary>
internal sealed class FaultyStore(IBlobStore store, int failAt, bool isRemovedFirst) : IBlobStore
{
    private int _removals;

    public long FreeBytes => store.FreeBytes;

    public async ValueTask DeleteAsync(Digest digest, CancellationToken ct)
    {
        var isDue = ++_removals == failAt;
        if (isDue && !isRemovedFirst) throw new IOException("the store was cut off");
        await store.DeleteAsync(digest, ct);
        if (isDue) throw new IOException("the store was cut off");
    }

    public ValueTask<IUploadAppender> OpenUploadAsync(string uploadKey, long offset, CancellationToken ct) => store.OpenUploadAsync(uploadKey, offset, ct);

    public ValueTask CommitUploadAsync(string uploadKey, Digest digest, long size, CancellationToken ct) => store.CommitUploadAsync(uploadKey, digest, size, ct);

    public ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct) => store.WriteUploadAsync(uploadKey, content, ct);

    public ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct) => store.NameUploadAsync(uploadKey, digest, ct);

    public ValueTask DeleteUploadAsync(string uploadKey, CancellationToken ct) => store.DeleteUploadAsync(uploadKey, ct);

    public IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct) => store.ListUploadsAsync(untouchedSince, ct);

    public ValueTask<IBlobReader?> OpenReadAsync(Digest digest, CancellationToken ct) => store.OpenReadAsync(digest, ct);

    public ValueTask<IBlobReader?> OpenUploadReadAsync(string uploadKey, CancellationToken ct) => store.OpenUploadReadAsync(uploadKey, ct);

    public ValueTask<long?> GetSizeAsync(Digest digest, CancellationToken ct) => store.GetSizeAsync(digest, ct);

    public ValueTask ProbeAsync(CancellationToken ct) => store.ProbeAsync(ct);
}
