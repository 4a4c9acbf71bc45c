using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Berth.Oci;

/// <summary>
/// The identity of content: algorithm and hash, such as <c>sha256:6c3c624b…</c> (OCI image spec, descriptor.md, "Digests").
/// Only registered algorithms with a full-length lower-case hexadecimal hash can be built.
/// </summary>
public readonly struct Digest : IEquatable<Digest>
{
    /// <summary>Length of the longest digest in characters (<c>sha512:</c> and 128 digits).</summary>
    public const int MaxLength = 7 + 128;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    private readonly string? _value;

    private Digest(string value, DigestAlgorithm algorithm)
    {
        _value = value;
        Algorithm = algorithm;
    }

    /// <summary>The whole digest, algorithm included.</summary>
    public string Value => _value ?? throw new InvalidOperationException("the default digest has no value");

    /// <summary>The hash function.</summary>
    public DigestAlgorithm Algorithm { get; }

    /// <summary>The hash as lower-case hexadecimal digits.</summary>
    public ReadOnlySpan<char> Hex => Value.AsSpan(7);

    /// <summary>True for a value that was never parsed or computed.</summary>
    public bool IsDefault => _value is null;

    /// <summary>Reads a digest; false for an unknown algorithm, a wrong length or any character outside <c>[a-f0-9]</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Digest digest) => TryParse(text, null, out digest);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out Digest)"/>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest) => TryParse(text.AsSpan(), text, out digest);

    /// <summary>Reads a digest that is known to be one, from our own database for example.</summary>
    /// <exception cref="FormatException">The text is not a digest.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"not a digest: {text}");

    /// <summary>The digest of a hash that was computed elsewhere.</summary>
    public static Digest FromHash(DigestAlgorithm algorithm, ReadOnlySpan<byte> hash)
    {
        if (hash.Length != algorithm.HashBytes)
            throw new ArgumentException("the hash has not the length of its algorithm", nameof(hash));
        return new Digest(string.Concat(algorithm.Prefix, Convert.ToHexStringLower(hash)), algorithm);
    }

    /// <summary>Computes the digest of content in memory.</summary>
    public static Digest Of(ReadOnlySpan<byte> content, DigestAlgorithm algorithm = default)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        var written = algorithm == DigestAlgorithm.Sha512 ? SHA512.HashData(content, hash) : SHA256.HashData(content, hash);
        return FromHash(algorithm, hash[..written]);
    }

    public bool Equals(Digest other) => string.Equals(_value, other._value, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    public override int GetHashCode() => _value is null ? 0 : string.GetHashCode(_value.AsSpan(7, 16), StringComparison.Ordinal);

    public override string ToString() => _value ?? "";

    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    private static bool TryParse(ReadOnlySpan<char> text, string? whole, out Digest digest)
    {
        digest = default;
        if (text.Length < 8 || text[6] != ':') return false;
        DigestAlgorithm algorithm;
        if (text.StartsWith(DigestAlgorithm.Sha256.Prefix, StringComparison.Ordinal)) algorithm = DigestAlgorithm.Sha256;
        else if (text.StartsWith(DigestAlgorithm.Sha512.Prefix, StringComparison.Ordinal)) algorithm = DigestAlgorithm.Sha512;
        else return false;
        var hex = text[7..];
        if (hex.Length != algorithm.HashBytes * 2 || hex.ContainsAnyExcept(LowerHex)) return false;
        digest = new Digest(whole ?? text.ToString(), algorithm);
        return true;
    }
}
