namespace Berth.Oci;

/// <summary>Media types that a registry must tell apart.</summary>
public static class MediaTypes
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";

    /// <summary>The artifact manifest of the 1.1 release candidates; withdrawn, still found in registries.</summary>
    public const string OciArtifact = "application/vnd.oci.artifact.manifest.v1+json";

    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Docker's schema 1, signed and plain: refused, as Docker Registry 3 does.</summary>
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";
    public const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// <summary>Layers that clients fetch from elsewhere and need not push (OCI image spec, layer.md, "Non-distributable layers"; Docker's foreign layers).</summary>
    public static bool IsNonDistributable(string mediaType) =>
        mediaType.StartsWith("application/vnd.oci.image.layer.nondistributable.v1.", StringComparison.Ordinal)
        || mediaType is "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" or "application/vnd.docker.image.rootfs.foreign.diff.tar";

    /// <summary>Whether the type is an index: a list of manifests.</summary>
    public static bool IsIndex(string mediaType) => mediaType is OciIndex or DockerManifestList;

    /// <summary>Whether the type is one of the manifests that this code knows the fields of.</summary>
    public static bool IsKnownManifest(string mediaType) =>
        mediaType is OciManifest or OciIndex or OciArtifact or DockerManifest or DockerManifestList;

    /// <summary>The bare type of a Content-Type value: parameters cut off, in lower case.</summary>
    public static string WithoutParameters(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        var bare = (end < 0 ? contentType : contentType[..end]).Trim();
        return bare.AsSpan().ContainsAnyInRange('A', 'Z') ? bare.ToLowerInvariant() : bare;
    }

    /// <summary>RFC 6838 section 4.2: type and subtype of restricted characters, 127 at most each.</summary>
    public static bool IsValid(string mediaType)
    {
        var slash = mediaType.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && IsRestrictedName(mediaType.AsSpan(0, slash)) && IsRestrictedName(mediaType.AsSpan(slash + 1));
    }

    private static bool IsRestrictedName(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name.Length > 127 || !char.IsAsciiLetterOrDigit(name[0])) return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$&-^_.+".Contains(c, StringComparison.Ordinal)) return false;
        }
        return true;
    }
}
