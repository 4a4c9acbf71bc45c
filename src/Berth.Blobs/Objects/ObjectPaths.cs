using Berth.Oci;

namespace Berth.Blobs.Objects;

/// <summary>
/// Keys of objects below a prefix (docs/disk-layout.md): content <c>berth/blobs/ab/abcd…</c> by the key of its upload, what Docker Registry wrote
/// <c>docker/registry/v2/blobs/sha256/ab/abcd…/data</c>, tails of uploads that are not finished <c>berth/uploads/abcd…/</c>.
/// </summary>
internal sealed class ObjectPaths(string? rootDirectory)
{
    /// <summary>What all keys begin with: empty, or ends with a slash.</summary>
    public string Prefix { get; } = rootDirectory?.Trim('/') is { Length: > 0 } root ? root + "/" : "";

    /// <summary>Prefix of all content that came by an upload.</summary>
    public string Contents => Prefix + "berth/blobs/";

    /// <summary>Prefix of everything that Docker Registry wrote.</summary>
    public string Registry => Prefix + "docker/registry/v2/";

    /// <summary>Prefix of all content that Docker Registry wrote.</summary>
    public string RegistryContents => Registry + "blobs/";

    /// <summary>Prefix of the tails of all uploads.</summary>
    public string Uploads => Prefix + "berth/uploads/";

    /// <summary>Object of an upload's content.</summary>
    public string Content(string uploadKey) => string.Concat(Contents, UploadKey.Check(uploadKey).AsSpan(0, Math.Min(2, uploadKey.Length)), "/", uploadKey);

    /// <summary>Object of content.</summary>
    public string Content(BlobPlace place) => place.Key is { } key
        ? Content(key)
        : $"{RegistryContents}{place.Digest.Algorithm.Name}/{place.Digest.Hex[..2]}/{place.Digest.Hex}/data";

    /// <summary>Prefix of an upload's tails.</summary>
    public string Tails(string uploadKey) => $"{Uploads}{UploadKey.Check(uploadKey)}/";

    /// <summary>Key of the upload that content lies under; null when the key of the object is none of ours.</summary>
    public string? UploadOfContent(string key)
    {
        if (!key.StartsWith(Contents, StringComparison.Ordinal)) return null;
        var name = key[(key.LastIndexOf('/') + 1)..];
        return name.Length > 0 && Content(name) == key ? name : null;
    }

    /// <summary>Key of the upload that a tail is of.</summary>
    public string? UploadOfTail(string key)
    {
        if (!key.StartsWith(Uploads, StringComparison.Ordinal)) return null;
        var end = key.IndexOf('/', Uploads.Length);
        return end > Uploads.Length ? key[Uploads.Length..end] : null;
    }

    /// <summary>Digest of content that Docker Registry wrote; false when the object is something else.</summary>
    public bool TryDigestOf(string key, out Digest digest)
    {
        digest = default;
        if (!key.StartsWith(RegistryContents, StringComparison.Ordinal)) return false;
        var words = key[RegistryContents.Length..].Split('/');
        return words is [var algorithm, _, var hex, "data"] && Digest.TryParse($"{algorithm}:{hex}", out digest);
    }
}
