using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Berth.Oci;

namespace Berth.Blobs.Hashing;

/// <summary>
/// A SHA-256 or SHA-512 whose state can be saved and taken up later, by another process too. The framework's hash cannot export its
/// state, so OpenSSL's one is used where libcrypto is found (FIPS 180-4; the state is OpenSSL's context structure). Elsewhere the
/// framework's hash serves and <see cref="Save"/> returns null: the caller hashes the bytes again when it resumes.
/// Not safe for use by two threads at a time.
/// </summary>
public sealed class ResumableHash : IDisposable
{
    // The marker guards a saved state against another layout of the structure.
    private const uint Marker = 0x42480001;

    private readonly byte[]? _context;
    private readonly IncrementalHash? _fallback;

    private ResumableHash(DigestAlgorithm algorithm, byte[]? context)
    {
        Algorithm = algorithm;
        _context = context;
        if (context is null)
            _fallback = IncrementalHash.CreateHash(algorithm == DigestAlgorithm.Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
    }

    /// <summary>The hash function.</summary>
    public DigestAlgorithm Algorithm { get; }

    /// <summary>Whether states can be saved on this machine.</summary>
    public static bool CanSave => LibCrypto.IsAvailable;

    /// <summary>Starts a hash of nothing.</summary>
    public static ResumableHash Start(DigestAlgorithm algorithm)
    {
        if (!LibCrypto.IsAvailable) return new ResumableHash(algorithm, null);
        var context = new byte[ContextBytes(algorithm)];
        LibCrypto.Init(algorithm, context);
        return new ResumableHash(algorithm, context);
    }

    /// <summary>Takes up a state that <see cref="Save"/> returned; false when it is not one of this machine's kind.</summary>
    public static bool TryResume(DigestAlgorithm algorithm, ReadOnlySpan<byte> state, [NotNullWhen(true)] out ResumableHash? hash)
    {
        hash = null;
        if (!LibCrypto.IsAvailable || state.Length != 4 + ContextBytes(algorithm)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(state) != Marker) return false;
        hash = new ResumableHash(algorithm, state[4..].ToArray());
        return true;
    }

    /// <summary>Adds bytes.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        if (_context is null) _fallback!.AppendData(data);
        else LibCrypto.Update(Algorithm, _context, data);
    }

    /// <summary>The state so far, or null where states cannot be saved. The hash can go on afterwards.</summary>
    public byte[]? Save()
    {
        if (_context is null) return null;
        var state = new byte[4 + _context.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(state, Marker);
        _context.CopyTo(state, 4);
        return state;
    }

    /// <summary>The digest of the bytes so far. The hash can go on afterwards.</summary>
    public Digest Current()
    {
        Span<byte> hash = stackalloc byte[Algorithm.HashBytes];
        if (_context is null) _fallback!.GetCurrentHash(hash);
        else LibCrypto.Final(Algorithm, (byte[])_context.Clone(), hash);
        return Digest.FromHash(Algorithm, hash);
    }

    public void Dispose() => _fallback?.Dispose();

    // sizeof(SHA256_CTX) and sizeof(SHA512_CTX) in openssl/sha.h.
    private static int ContextBytes(DigestAlgorithm algorithm) => algorithm == DigestAlgorithm.Sha512 ? 216 : 112;
}

/// <summary>The low-level SHA-2 functions of OpenSSL 1.1 and 3.</summary>
internal static unsafe class LibCrypto
{
    private static readonly delegate* unmanaged<byte*, int> Init256;
    private static readonly delegate* unmanaged<byte*, byte*, nuint, int> Update256;
    private static readonly delegate* unmanaged<byte*, byte*, int> Final256;
    private static readonly delegate* unmanaged<byte*, int> Init512;
    private static readonly delegate* unmanaged<byte*, byte*, nuint, int> Update512;
    private static readonly delegate* unmanaged<byte*, byte*, int> Final512;

    static LibCrypto()
    {
        nint library = 0;
        foreach (var name in (ReadOnlySpan<string>)["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib"])
        {
            if (NativeLibrary.TryLoad(name, out library)) break;
        }
        if (library == 0) return;
        Init256 = (delegate* unmanaged<byte*, int>)Export(library, "SHA256_Init");
        Update256 = (delegate* unmanaged<byte*, byte*, nuint, int>)Export(library, "SHA256_Update");
        Final256 = (delegate* unmanaged<byte*, byte*, int>)Export(library, "SHA256_Final");
        Init512 = (delegate* unmanaged<byte*, int>)Export(library, "SHA512_Init");
        Update512 = (delegate* unmanaged<byte*, byte*, nuint, int>)Export(library, "SHA512_Update");
        Final512 = (delegate* unmanaged<byte*, byte*, int>)Export(library, "SHA512_Final");
        IsAvailable = Init256 != null && Update256 != null && Final256 != null && Init512 != null && Update512 != null && Final512 != null;
    }

    public static bool IsAvailable { get; }

    public static void Init(DigestAlgorithm algorithm, byte[] context)
    {
        fixed (byte* c = context) Check(algorithm == DigestAlgorithm.Sha512 ? Init512(c) : Init256(c));
    }

    public static void Update(DigestAlgorithm algorithm, byte[] context, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        fixed (byte* c = context, d = data)
            Check(algorithm == DigestAlgorithm.Sha512 ? Update512(c, d, (nuint)data.Length) : Update256(c, d, (nuint)data.Length));
    }

    public static void Final(DigestAlgorithm algorithm, byte[] context, Span<byte> hash)
    {
        fixed (byte* c = context, h = hash) Check(algorithm == DigestAlgorithm.Sha512 ? Final512(h, c) : Final256(h, c));
    }

    private static nint Export(nint library, string name) => NativeLibrary.TryGetExport(library, name, out var address) ? address : 0;

    private static void Check(int result)
    {
        if (result != 1) throw new CryptographicException("libcrypto refused to hash");
    }
}
