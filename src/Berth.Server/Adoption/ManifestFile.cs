using Berth.Oci;

namespace Berth.Server.Adoption;

/// <summary>A manifest as Docker Registry keeps it: its bytes are a blob, its media type stands in the document or is guessed from it.</summary>
/// <param name="Digest">Its digest, which the bytes have.</param>
/// <param name="Document">What it refers to, with its media type.</param>
/// <param name="Content">The bytes.</param>
/// <param name="LinkedAt">When the repository got it, Unix milliseconds.</param>
internal sealed record ManifestFile(Digest Digest, ManifestDocument Document, byte[] Content, long LinkedAt)
{
    /// <summary>Reads and checks a manifest.</summary>
    /// <param name="tree">Where it is.</param>
    /// <param name="repository">Whose it is.</param>
    /// <param name="revision">Which.</param>
    /// <param name="known">Its bytes where the database has them; else null.</param>
    /// <param name="maxBytes">Most bytes of a manifest.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Null with what is wrong; null with an empty text when the manifest was deleted.</returns>
    public static async ValueTask<(ManifestFile? File, string Problem)> ReadAsync(
        IRegistryTree tree, string repository, ListedDigest revision, byte[]? known, int maxBytes, CancellationToken ct)
    {
        if (await tree.ReadRevisionAsync(repository, revision, ct).ConfigureAwait(false) is not { } link) return (null, "");
        var digest = revision.Digest;
        // Docker Registry follows the link, and every link that it writes names its own folder.
        if (link.Target != digest) return (null, link.Target.IsDefault ? "its link file is empty or damaged" : $"its link file names {link.Target}");
        var (content, problem) = known is not null ? (known, "") : await ReadContentAsync(tree, digest, maxBytes, ct).ConfigureAwait(false);
        if (content is null) return (null, problem);
        if (Digest.Of(content, digest.Algorithm) != digest) return (null, $"its bytes are damaged: they have the digest {Digest.Of(content, digest.Algorithm)}");
        return TryReadDocument(content, out var document, out problem) ? (new ManifestFile(digest, document, content, link.ChangedAt), "") : (null, problem);
    }

    private static async ValueTask<(byte[]? Content, string Problem)> ReadContentAsync(IRegistryTree tree, Digest digest, int maxBytes, CancellationToken ct)
    {
        using var reader = await tree.OpenBlobAsync(digest, ct).ConfigureAwait(false);
        if (reader is null) return (null, "its bytes are missing");
        if (reader.Length > maxBytes) return (null, $"it has {reader.Length} bytes, more than {maxBytes} are no manifest");
        return (await BlobBytes.ReadAllAsync(reader, ct).ConfigureAwait(false), "");
    }

    // OCI documents need not name their type (OCI image spec, manifest.md, "mediaType"); Docker Registry tells them apart by their fields.
    private static bool TryReadDocument(byte[] content, out ManifestDocument document, out string problem)
    {
        if (!ManifestReader.TryRead(content, "", out document, out problem)) return false;
        if (document.MediaType.Length == 0 && !ManifestReader.TryRead(content, MediaTypes.OciManifest, out document, out problem))
        {
            if (!ManifestReader.TryRead(content, MediaTypes.OciIndex, out document, out _)) return false;
            problem = "";
        }
        if (!MediaTypes.IsValid(document.MediaType)) problem = "its media type is malformed";
        // PostgreSQL keeps no text with this character, and no client can have meant it.
        else if (document.ReferrerType?.Contains('\0', StringComparison.Ordinal) == true) problem = "its artifact type is malformed";
        return problem.Length == 0;
    }
}
