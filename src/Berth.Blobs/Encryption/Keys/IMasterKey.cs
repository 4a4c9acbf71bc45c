namespace Berth.Blobs.Encryption.Keys;

/// <summary>Wraps data keys. It is kept apart from the database and the store: who has those two and not this one reads nothing.</summary>
public interface IMasterKey : IDisposable
{
    /// <summary>Names the key for as long as there are data keys that it wrapped: it is kept beside them.</summary>
    string Id { get; }

    /// <summary>Wraps some bytes.</summary>
    /// <exception cref="StoreUnavailableException">The service that holds the key does not answer.</exception>
    ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> secret, CancellationToken ct);

    /// <summary>Unwraps what <see cref="WrapAsync"/> made.</summary>
    /// <exception cref="IOException">It is not that, or another key wrapped it.</exception>
    /// <exception cref="StoreUnavailableException">The service that holds the key does not answer.</exception>
    ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct);

    /// <summary>Wraps by the newest version of the same key what an older one wrapped.</summary>
    ValueTask<byte[]> RewrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct);
}
