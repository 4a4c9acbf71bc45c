namespace Berth.Oci;

/// <summary>A registered hash function of digests (OCI image spec, descriptor.md, "Registered algorithms"). The default is SHA-256.</summary>
public readonly record struct DigestAlgorithm
{
    private readonly bool _is512;

    private DigestAlgorithm(bool is512) => _is512 = is512;

    /// <summary>SHA-256, the one every registry must know.</summary>
    public static DigestAlgorithm Sha256 => default;

    /// <summary>SHA-512.</summary>
    public static DigestAlgorithm Sha512 => new(is512: true);

    /// <summary>Name in digests, in lower case.</summary>
    public string Name => _is512 ? "sha512" : "sha256";

    /// <summary>Name and colon, as a digest starts.</summary>
    public string Prefix => _is512 ? "sha512:" : "sha256:";

    /// <summary>Length of the hash in bytes.</summary>
    public int HashBytes => _is512 ? 64 : 32;

    /// <summary>Finds an algorithm by its name.</summary>
    public static bool TryParse(ReadOnlySpan<char> name, out DigestAlgorithm algorithm)
    {
        algorithm = name is "sha512" ? Sha512 : Sha256;
        return name is "sha256" or "sha512";
    }

    public override string ToString() => Name;
}
