using System.Buffers;
using Berth.Blobs;
using Berth.Blobs.Encryption;
using Berth.Blobs.Hashing;
using Berth.Oci;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Integrity;

/// <summary>What a look at the bytes of a blob has found.</summary>
internal enum BlobHealth
{
    /// <summary>The bytes are those of the digest.</summary>
    Good,

    /// <summary>There are none.</summary>
    Missing,

    /// <summary>They are others.</summary>
    Wrong,
}

/// <summary>Reads content and holds it against its digest.</summary>
internal static class ContentCheck
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Looks at the bytes of a blob. What looks bad is read a second time: a push of the same content may have been replacing them.</summary>
    /// <exception cref="IOException">The store is out of order: nothing is known.</exception>
    public static async Task<BlobHealth> RunAsync(BlobStores stores, RecordedBlob blob, Pace pace, CancellationToken ct)
    {
        var first = await OnceAsync(stores, blob, pace, ct).ConfigureAwait(false);
        return first == BlobHealth.Good ? first : await OnceAsync(stores, blob, pace, ct).ConfigureAwait(false);
    }

    /// <summary>The digest of content.</summary>
    /// <param name="source">The content.</param>
    /// <param name="algorithm">Of the digest.</param>
    /// <param name="pace">Rate.</param>
    /// <param name="each">Gets the bytes as they pass; null for nobody.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<Digest> HashAsync(IBlobReader source, DigestAlgorithm algorithm, Pace pace, Func<ReadOnlyMemory<byte>, ValueTask>? each, CancellationToken ct)
    {
        using var hash = ResumableHash.Start(algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long offset = 0; await source.ReadAsync(buffer.AsMemory(0, BufferBytes), offset, ct).ConfigureAwait(false) is var read and > 0; offset += read)
            {
                hash.Append(buffer.AsSpan(0, read));
                if (each is not null) await each(buffer.AsMemory(0, read)).ConfigureAwait(false);
                await pace.SpendAsync(read, ct).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return hash.Current();
    }

    private static async Task<BlobHealth> OnceAsync(BlobStores stores, RecordedBlob blob, Pace pace, CancellationToken ct)
    {
        try
        {
            using var reader = await stores.OpenReadAsync(blob.Location, blob.Digest, 0, ct).ConfigureAwait(false);
            if (reader is null) return BlobHealth.Missing;
            if (reader.Length != blob.Size) return BlobHealth.Wrong;
            return await HashAsync(reader, blob.Digest.Algorithm, pace, null, ct).ConfigureAwait(false) == blob.Digest ? BlobHealth.Good : BlobHealth.Wrong;
        }
        catch (DamagedContentException)
        {
            return BlobHealth.Wrong;
        }
    }
}
