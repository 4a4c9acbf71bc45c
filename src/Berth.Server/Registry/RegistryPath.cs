using Berth.Oci;

namespace Berth.Server.Registry;

/// <summary>Which endpoint of the protocol a path names.</summary>
public enum RegistryRoute
{
    /// <summary>No endpoint.</summary>
    None,

    /// <summary><c>/v2/</c></summary>
    Version,

    /// <summary><c>/v2/_catalog</c></summary>
    Catalog,

    /// <summary><c>/v2/&lt;name&gt;/manifests/&lt;reference&gt;</c></summary>
    Manifest,

    /// <summary><c>/v2/&lt;name&gt;/blobs/&lt;digest&gt;</c></summary>
    Blob,

    /// <summary><c>/v2/&lt;name&gt;/blobs/uploads/</c></summary>
    Uploads,

    /// <summary><c>/v2/&lt;name&gt;/blobs/uploads/&lt;id&gt;</c></summary>
    Upload,

    /// <summary><c>/v2/&lt;name&gt;/tags/list</c></summary>
    Tags,

    /// <summary><c>/v2/&lt;name&gt;/referrers/&lt;digest&gt;</c></summary>
    Referrers,
}

/// <summary>
/// A request path below <c>/v2</c>, taken apart by hand. A repository name may hold any number of slashes and even words of the protocol,
/// so the path is read from its end.
/// </summary>
public readonly ref struct RegistryPath
{
    private RegistryPath(RegistryRoute route, ReadOnlySpan<char> name, ReadOnlySpan<char> reference)
    {
        Route = route;
        Name = name;
        Reference = reference;
    }

    /// <summary>The endpoint.</summary>
    public RegistryRoute Route { get; }

    /// <summary>Repository name as sent; not yet checked.</summary>
    public ReadOnlySpan<char> Name { get; }

    /// <summary>Tag, digest or upload id as sent; not yet checked.</summary>
    public ReadOnlySpan<char> Reference { get; }

    /// <summary>Takes apart what follows <c>/v2</c>: empty, or starting with a slash.</summary>
    public static RegistryPath Parse(ReadOnlySpan<char> path)
    {
        if (path is "" or "/") return new RegistryPath(RegistryRoute.Version, default, default);
        if (path is "/_catalog") return new RegistryPath(RegistryRoute.Catalog, default, default);
        path = path[1..];

        var slash = path.LastIndexOf('/');
        if (slash <= 0) return default;
        var reference = path[(slash + 1)..];
        var rest = path[..slash];
        slash = rest.LastIndexOf('/');
        if (slash <= 0) return default;
        var word = rest[(slash + 1)..];
        var name = rest[..slash];
        switch (word)
        {
            case "manifests":
                return new RegistryPath(RegistryRoute.Manifest, name, reference);
            case "blobs":
                // Some clients leave out the last slash of blobs/uploads/.
                return reference is "uploads" ? new RegistryPath(RegistryRoute.Uploads, name, default) : new RegistryPath(RegistryRoute.Blob, name, reference);
            case "referrers":
                return new RegistryPath(RegistryRoute.Referrers, name, reference);
            case "tags" when reference is "list":
                return new RegistryPath(RegistryRoute.Tags, name, default);
            case "uploads" when name.EndsWith("/blobs", StringComparison.Ordinal):
                return new RegistryPath(reference.IsEmpty ? RegistryRoute.Uploads : RegistryRoute.Upload, name[..^"/blobs".Length], reference);
            default:
                return default;
        }
    }
}

/// <summary>A checked manifest reference: a tag or a digest.</summary>
public readonly record struct ManifestReference
{
    private ManifestReference(string tag, Digest digest)
    {
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The tag; empty when the reference is a digest.</summary>
    public string Tag { get; }

    /// <summary>The digest; default when the reference is a tag.</summary>
    public Digest Digest { get; }

    /// <summary>Whether the manifest is named by digest.</summary>
    public bool IsDigest => !Digest.IsDefault;

    /// <summary>Reads a reference; a tag never holds a colon, a digest always does.</summary>
    /// <returns>Null, or the error to answer with.</returns>
    public static OciError? TryParse(ReadOnlySpan<char> text, out ManifestReference reference)
    {
        reference = default;
        if (text.Contains(':'))
        {
            if (!Digest.TryParse(text, out var digest)) return OciError.DigestInvalid;
            reference = new ManifestReference("", digest);
            return null;
        }
        if (!TagName.TryParse(text, out var tag)) return OciError.TagInvalid;
        reference = new ManifestReference(tag.Value, default);
        return null;
    }

    public override string ToString() => IsDigest ? Digest.Value : Tag;
}
