namespace Berth.Blobs.Encryption.Keys;

/// <summary>A key that the keys of objects are made of.</summary>
/// <param name="Id">What the header of an object names it by.</param>
/// <param name="Secret">32 bytes.</param>
public sealed record DataKey(Guid Id, ReadOnlyMemory<byte> Secret)
{
    /// <summary>Never the secret.</summary>
    public override string ToString() => $"data key {Id}";
}

/// <summary>A data key as it is kept: wrapped by a master key.</summary>
/// <param name="Id">Its id.</param>
/// <param name="MasterKeyId">Which master key unwraps it (<see cref="IMasterKey.Id"/>).</param>
/// <param name="Wrapped">What <see cref="IMasterKey.WrapAsync"/> made of it.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record WrappedDataKey(Guid Id, string MasterKeyId, ReadOnlyMemory<byte> Wrapped, DateTimeOffset CreatedAt);

/// <summary>Keeps wrapped data keys where all replicas see them: a table of the server's database. A key that objects name is never removed.</summary>
public interface IDataKeyTable
{
    /// <summary>The key that new content is encrypted with; null when there is none yet.</summary>
    ValueTask<WrappedDataKey?> CurrentAsync(CancellationToken ct);

    /// <summary>A key by its id; null when there is none.</summary>
    ValueTask<WrappedDataKey?> FindAsync(Guid id, CancellationToken ct);

    /// <summary>All keys.</summary>
    ValueTask<IReadOnlyList<WrappedDataKey>> AllAsync(CancellationToken ct);

    /// <summary>Adds a key and makes it the current one in place of another, durably, if that other one (null: none) is still the current one.</summary>
    /// <returns>False when it is not: nothing was changed, and another replica's key is the current one.</returns>
    ValueTask<bool> TryMakeCurrentAsync(WrappedDataKey key, Guid? inPlaceOf, CancellationToken ct);

    /// <summary>Puts keys that were wrapped anew in the place of those with the same ids, all or none.</summary>
    ValueTask ReplaceAsync(IReadOnlyList<WrappedDataKey> keys, CancellationToken ct);
}

/// <summary>A data key that is needed cannot be had: its row or its master key is missing.</summary>
public sealed class DataKeyMissingException(string message) : IOException(message);
