namespace Berth.Blobs.Objects;

/// <summary>
/// What Docker Registry wrote into the bucket or container of a store, by paths below <c>docker/registry/v2/</c>. Only reads: the credentials need to list and
/// read, no more.
/// </summary>
public sealed class RegistryObjects : IDisposable
{
    private readonly IObjectClient _client;
    private readonly string _root;
    private readonly TimeProvider _time;

    internal RegistryObjects(IObjectClient client, ObjectPaths paths, TimeProvider time) => (_client, _root, _time) = (client, paths.Registry, time);

    /// <summary>Takes over a store that was opened for this.</summary>
    /// <exception cref="ArgumentException">It is no object store.</exception>
    public static RegistryObjects Of(IBlobStore store) =>
        (store as ObjectBlobStore ?? throw new ArgumentException("content lies in no object store", nameof(store))).ToRegistryObjects();

    /// <summary>Objects whose paths begin alike, page after page; their paths are told from behind <paramref name="beginning"/> on.</summary>
    public async IAsyncEnumerable<RegistryObject> ListAsync(string beginning, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var prefix = _root + beginning;
        await foreach (var entry in _client.ListAsync(prefix, ct).ConfigureAwait(false))
            yield return new RegistryObject(entry.Key[prefix.Length..], entry.Size, entry.ChangedAt);
    }

    /// <summary>Opens an object; null when it is not there.</summary>
    public async ValueTask<IBlobReader?> OpenAsync(string path, CancellationToken ct) =>
        await ObjectReader.OpenAsync(_client, _root + path, 0, _time, ct).ConfigureAwait(false);

    public void Dispose() => _client.Dispose();
}

/// <summary>An object of Docker Registry.</summary>
/// <param name="Path">Its path, behind what was asked for.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ChangedAt">When it was written.</param>
public readonly record struct RegistryObject(string Path, long Size, DateTimeOffset ChangedAt);
