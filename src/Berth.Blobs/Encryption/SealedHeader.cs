using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Berth.Blobs.Encryption;

/// <summary>
/// The first 64 bytes of an encrypted object: magic (4), version (4), size of a chunk (4), zero (4), id of the data key (16), salt (32). Nothing in it is a
/// secret, and no bit of it can be changed without notice: the salt and the id make the object's key, and the rest has one value only.
/// </summary>
/// <param name="DataKey">Id of the data key.</param>
/// <param name="Salt">What makes the object's key out of the data key.</param>
internal sealed record SealedHeader(Guid DataKey, byte[] Salt)
{
    private const int SaltBytes = 32;
    private const int KeyIdAt = 16;
    private const int SaltAt = 32;
    private const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "BSL\u001a"u8;

    /// <summary>A header with a new salt.</summary>
    public static SealedHeader Create(Guid dataKey) => new(dataKey, RandomNumberGenerator.GetBytes(SaltBytes));

    /// <summary>Reads a header; null when it is none.</summary>
    public static SealedHeader? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != SealedSize.Header || !bytes.StartsWith(Magic)) return null;
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]) != Version || BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) != SealedSize.Chunk) return null;
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]) != 0) return null;
        return new SealedHeader(new Guid(bytes.Slice(KeyIdAt, 16), bigEndian: true), bytes[SaltAt..].ToArray());
    }

    /// <summary>Writes the header.</summary>
    public void Write(Span<byte> to)
    {
        Magic.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], SealedSize.Chunk);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], 0);
        DataKey.TryWriteBytes(to[KeyIdAt..], bigEndian: true, out _);
        Salt.CopyTo(to[SaltAt..]);
    }

    /// <summary>The header's bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[SealedSize.Header];
        Write(bytes);
        return bytes;
    }
}
