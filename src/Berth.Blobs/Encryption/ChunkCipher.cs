using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Blobs.Encryption;

/// <summary>What a sealed piece is; part of what its tag vouches for.</summary>
internal enum ChunkKind : byte
{
    /// <summary>A chunk that others follow.</summary>
    Inner = 0,

    /// <summary>The last chunk of the content.</summary>
    Last = 1,

    /// <summary>The beginning of a chunk, in the saved state of an upload; never part of an object.</summary>
    Saved = 2,
}

/// <summary>
/// Seals and opens the chunks of one object with AES-256-GCM under the object's own key. That key is made of the data key, the header's salt and the key
/// that the object lies under, so an object put in another's place does not open. The tag vouches for a chunk's number and kind as well, so chunks can be neither
/// swapped nor cut off. Nonces are random: an upload that is cut back and goes on otherwise seals other bytes under the same number.
/// </summary>
internal sealed class ChunkCipher : IDisposable
{
    private const int NoncesAtATime = 32;

    private readonly AesGcm _aes;
    private readonly byte[] _nonces = new byte[NoncesAtATime * SealedSize.Nonce];
    private int _nextNonce = NoncesAtATime;

    public ChunkCipher(ReadOnlySpan<byte> dataKey, SealedHeader header, string objectKey)
    {
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, dataKey, key, header.Salt, Encoding.UTF8.GetBytes("berth blob " + objectKey));
        _aes = new AesGcm(key, SealedSize.Tag);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Seals plain bytes; returns how many bytes were written (<see cref="SealedSize.Overhead"/> more).</summary>
    public int Seal(long chunk, ChunkKind kind, ReadOnlySpan<byte> plain, Span<byte> to)
    {
        if (_nextNonce == NoncesAtATime)
        {
            RandomNumberGenerator.Fill(_nonces);
            _nextNonce = 0;
        }
        var nonce = _nonces.AsSpan(_nextNonce++ * SealedSize.Nonce, SealedSize.Nonce);
        nonce.CopyTo(to);
        Span<byte> vouched = stackalloc byte[9];
        WriteVouched(chunk, kind, vouched);
        _aes.Encrypt(nonce, plain, to.Slice(SealedSize.Nonce, plain.Length), to.Slice(SealedSize.Nonce + plain.Length, SealedSize.Tag), vouched);
        return plain.Length + SealedSize.Overhead;
    }

    /// <summary>Opens a sealed piece; the plain bytes may take the place of the sealed ones (behind the nonce).</summary>
    /// <returns>False when it is not what was sealed.</returns>
    public bool TryOpen(long chunk, ChunkKind kind, ReadOnlySpan<byte> @sealed, Span<byte> to)
    {
        Span<byte> vouched = stackalloc byte[9];
        WriteVouched(chunk, kind, vouched);
        try
        {
            _aes.Decrypt(@sealed[..SealedSize.Nonce], @sealed[SealedSize.Nonce..^SealedSize.Tag], @sealed[^SealedSize.Tag..], to, vouched);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _aes.Dispose();

    private static void WriteVouched(long chunk, ChunkKind kind, Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, chunk);
        to[8] = (byte)kind;
    }
}
