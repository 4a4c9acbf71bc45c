namespace Berth.Blobs.Encryption;

/// <summary>
/// Sizes and places within an encrypted object: a header, then chunks of 64 KiB plain bytes (the last one shorter, but never empty unless the content
/// is), each with its nonce before and its tag behind. So the plain size follows from the object's, and a range from arithmetic.
/// </summary>
internal static class SealedSize
{
    public const int Header = 64;
    public const int Chunk = 64 << 10;
    public const int Nonce = 12;
    public const int Tag = 16;
    public const int Overhead = Nonce + Tag;
    public const int SealedChunk = Chunk + Overhead;

    /// <summary>Size of the object that holds so many plain bytes.</summary>
    public static long OfPlain(long plain) => Header + plain + (Overhead * Chunks(plain));

    /// <summary>Plain bytes in an object of a size; null when no object has it.</summary>
    public static long? ToPlain(long size)
    {
        var body = size - Header;
        if (body < Overhead) return null;
        var chunks = (body + SealedChunk - 1) / SealedChunk;
        var last = body - ((chunks - 1) * SealedChunk) - Overhead;
        if (last < (chunks == 1 ? 0 : 1)) return null;
        return ((chunks - 1) * Chunk) + last;
    }

    /// <summary>Chunks of so many plain bytes: at least one.</summary>
    public static long Chunks(long plain) => Math.Max(1, (plain + Chunk - 1) / Chunk);

    /// <summary>Where a chunk begins in the object.</summary>
    public static long OffsetOf(long chunk) => Header + (chunk * SealedChunk);
}
