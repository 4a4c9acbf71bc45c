using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Tests.Platform.Storage;

/// <summary>A store that does what another does; a test overrides what is to be different.</summary>
internal abstract class StoreWrapper(IBlobStore store) : IBlobStore
{
    public virtual bool IsObjectStore => store.IsObjectStore;

    public virtual long FreeBytes => store.FreeBytes;

    /// <summary>Blob stores with this one as the only one.</summary>
    public BlobStores Alone() => Alone(this);

    /// <summary>Blob stores with one of them.</summary>
    public static BlobStores Alone(IBlobStore only) =>
        new(new Dictionary<string, IBlobStore> { [BlobStores.DefaultName] = only }, BlobStores.DefaultName, []);

    public virtual BlobPlace PlaceOf(string uploadKey, Digest digest) => store.PlaceOf(uploadKey, digest);

    public virtual ValueTask<IUploadAppender> OpenUploadAsync(UploadMark mark, CancellationToken ct) => store.OpenUploadAsync(mark, ct);

    public virtual ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct) => store.WriteUploadAsync(uploadKey, content, ct);

    public virtual ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct) => store.NameUploadAsync(uploadKey, digest, ct);

    public virtual ValueTask DeleteUploadAsync(string uploadKey, string? state, CancellationToken ct) => store.DeleteUploadAsync(uploadKey, state, ct);

    public virtual IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct) => store.ListUploadsAsync(untouchedSince, ct);

    public virtual ValueTask<IBlobReader?> OpenUploadReadAsync(UploadMark mark, CancellationToken ct) => store.OpenUploadReadAsync(mark, ct);

    public virtual ValueTask<IBlobReader?> OpenReadAsync(BlobPlace place, long offset, CancellationToken ct) => store.OpenReadAsync(place, offset, ct);

    public virtual ValueTask<long?> GetSizeAsync(BlobPlace place, CancellationToken ct) => store.GetSizeAsync(place, ct);

    public virtual ValueTask<long?> ConfirmAsync(BlobPlace place, CancellationToken ct) => store.ConfirmAsync(place, ct);

    public virtual ValueTask DeleteAsync(BlobPlace place, CancellationToken ct) => store.DeleteAsync(place, ct);

    public virtual IAsyncEnumerable<StoredContent> ListContentAsync(CancellationToken ct) => store.ListContentAsync(ct);

    public virtual ValueTask<Uri?> SignReadAsync(BlobPlace place, TimeSpan lifetime, CancellationToken ct) => store.SignReadAsync(place, lifetime, ct);

    public virtual ValueTask ProbeAsync(CancellationToken ct) => store.ProbeAsync(ct);
}
