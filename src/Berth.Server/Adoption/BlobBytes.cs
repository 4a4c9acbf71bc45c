using System.Buffers;
using System.Security.Cryptography;
using Berth.Blobs;
using Berth.Oci;

namespace Berth.Server.Adoption;

/// <summary>Reads blobs from end to end.</summary>
internal static class BlobBytes
{
    private const int BufferBytes = 128 << 10;

    /// <summary>All bytes; the caller has looked at the length.</summary>
    public static async ValueTask<byte[]> ReadAllAsync(IBlobReader reader, CancellationToken ct)
    {
        var bytes = new byte[reader.Length];
        for (var read = 0; read < bytes.Length;)
        {
            var n = await reader.ReadAsync(bytes.AsMemory(read), read, ct).ConfigureAwait(false);
            if (n == 0) return bytes[..read];
            read += n;
        }
        return bytes;
    }

    /// <summary>Reads a whole blob and compares; null when its bytes have the digest, else what is wrong.</summary>
    public static async ValueTask<string?> VerifyAsync(IRegistryTree tree, Digest digest, CancellationToken ct)
    {
        using var reader = await tree.OpenBlobAsync(digest, ct).ConfigureAwait(false);
        if (reader is null) return "its bytes are missing";
        using var hash = IncrementalHash.CreateHash(digest.Algorithm == DigestAlgorithm.Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (var offset = 0L; offset < reader.Length;)
            {
                var n = await reader.ReadAsync(buffer, offset, ct).ConfigureAwait(false);
                if (n == 0) break;
                hash.AppendData(buffer, 0, n);
                offset += n;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        var actual = Digest.FromHash(digest.Algorithm, hash.GetHashAndReset());
        return actual == digest ? null : $"its bytes are damaged: they have the digest {actual}";
    }
}
