using System.Security.Cryptography;
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
    /// <returns>Null with what is wrong; null with an empty text when the manifest was deleted.</returns>
    public static ManifestFile? Read(RegistryFolder folder, string repository, Digest digest, int maxBytes, out string problem)
    {
        problem = "";
        if (folder.ReadRevision(repository, digest) is not { } link) return null;
        // Docker Registry follows the link, and every link that it writes names its own folder.
        if (link.Target != digest)
        {
            problem = link.Target.IsDefault ? "its link file is empty or damaged" : $"its link file names {link.Target}";
            return null;
        }
        if (ReadContent(folder, digest, maxBytes, out problem) is not { } content) return null;
        if (Digest.Of(content, digest.Algorithm) != digest)
        {
            problem = $"its bytes are damaged: they have the digest {Digest.Of(content, digest.Algorithm)}";
            return null;
        }
        return TryReadDocument(content, out var document, out problem) ? new ManifestFile(digest, document, content, link.ChangedAt) : null;
    }

    /// <summary>Reads a whole blob and compares; null when its bytes have the digest, else what is wrong.</summary>
    public static async Task<string?> VerifyBlobAsync(RegistryFolder folder, Digest digest, CancellationToken ct)
    {
        await using var file = folder.OpenBlob(digest);
        if (file is null) return "its bytes are missing";
        var isSha512 = digest.Algorithm == DigestAlgorithm.Sha512;
        var hash = isSha512 ? await SHA512.HashDataAsync(file, ct).ConfigureAwait(false) : await SHA256.HashDataAsync(file, ct).ConfigureAwait(false);
        var actual = Digest.FromHash(digest.Algorithm, hash);
        return actual == digest ? null : $"its bytes are damaged: they have the digest {actual}";
    }

    private static byte[]? ReadContent(RegistryFolder folder, Digest digest, int maxBytes, out string problem)
    {
        using var file = folder.OpenBlob(digest);
        problem = file is null ? "its bytes are missing" : file.Length > maxBytes ? $"it has {file.Length} bytes, more than {maxBytes} are no manifest" : "";
        if (problem.Length > 0) return null;
        var content = new byte[file!.Length];
        file.ReadExactly(content);
        return content;
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
