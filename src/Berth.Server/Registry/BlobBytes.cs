using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Registry;

/// <summary>Reads blobs by digest, for whoever may see them already: features that look into images.</summary>
internal sealed class BlobBytes(Database database, BlobStores stores)
{
    /// <summary>Opens a blob; null when it is not known or its store lacks the bytes.</summary>
    public async ValueTask<IBlobReader?> OpenAsync(Digest digest, CancellationToken ct) =>
        await FindAsync(digest, ct).ConfigureAwait(false) is { } location ? await stores.OpenReadAsync(location, digest, 0, ct).ConfigureAwait(false) : null;

    /// <summary>Reads a small blob into memory; null when it is not to be had with that size.</summary>
    public async ValueTask<byte[]?> ReadAsync(Digest digest, int size, CancellationToken ct) =>
        await FindAsync(digest, ct).ConfigureAwait(false) is { } location ? await Content.ReadWholeAsync(stores, location, digest, size, ct).ConfigureAwait(false) : null;

    /// <summary>Whether the store has the bytes.</summary>
    public async ValueTask<bool> ExistsAsync(Digest digest, CancellationToken ct) =>
        await FindAsync(digest, ct).ConfigureAwait(false) is { } location
        && await stores[location.Store].GetSizeAsync(location.PlaceOf(digest), ct).ConfigureAwait(false) is not null;

    private ValueTask<BlobLocation?> FindAsync(Digest digest, CancellationToken ct) =>
        database.ReadAsync(digest, static async ValueTask<BlobLocation?> (session, wanted, token) =>
        {
            await using var row = await session.Command(Select, wanted.Value).ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? new BlobLocation(row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1)) : null;
        }, ct);

    private static readonly Statement Select = new("SELECT store, key FROM blobs WHERE digest = @0");
}
