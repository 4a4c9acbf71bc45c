using System.Text.Json.Serialization;
using Berth.Server.Registry;

namespace Berth.Server.Adoption;

/// <summary>The rows of a batch of manifests of one repository.</summary>
internal sealed class ManifestRows
{
    private ManifestRows()
    {
    }

    public List<ManifestRow> Manifests { get; } = [];

    public List<ReferenceRow> References { get; } = [];

    public List<ChildRow> Children { get; } = [];

    /// <summary>Takes manifests apart; what is no index comes first.</summary>
    public static ManifestRows Of(IEnumerable<ManifestFile> files)
    {
        var rows = new ManifestRows();
        foreach (var file in files.OrderBy(f => f.Document.Manifests.Count > 0)) rows.Add(file);
        return rows;
    }

    private void Add(ManifestFile file)
    {
        var (digest, document) = (file.Digest.Value, file.Document);
        Manifests.Add(new ManifestRow(
            digest, document.MediaType, document.ReferrerType, document.Subject?.Digest.Value, document.AnnotationsJson,
            file.LinkedAt, file.Content.Length, Convert.ToHexStringLower(file.Content),
            file.Content.Length + document.Layers.Select(l => (l.Digest, l.Size)).Distinct().Sum(l => l.Size) + (document.Config?.Size ?? 0),
            ArtifactKinds.Of(document), ArtifactKinds.AccessoryOf(document, []), ArtifactKinds.ConfigTypeOf(document)));
        References.Add(new ReferenceRow(digest, digest, null));
        foreach (var layer in document.Config is { } config ? document.Layers.Prepend(config) : document.Layers)
            References.Add(new ReferenceRow(digest, layer.Digest.Value, ManifestPolicy.MustExist(layer) ? layer.Size : null));
        foreach (var child in document.Manifests) Children.Add(new ChildRow(digest, child.Digest.Value));
    }
}

/// <summary>A manifest to record; the content is hexadecimal because JSON has no bytes.</summary>
internal sealed record ManifestRow(
    [property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("m")] string MediaType, [property: JsonPropertyName("a")] string? ArtifactType,
    [property: JsonPropertyName("s")] string? Subject, [property: JsonPropertyName("n")] string? Annotations, [property: JsonPropertyName("t")] long At,
    [property: JsonPropertyName("z")] int Size, [property: JsonPropertyName("c")] string ContentHex, [property: JsonPropertyName("w")] long TotalSize,
    [property: JsonPropertyName("k")] string Kind, [property: JsonPropertyName("y")] string? AccessoryKind,
    [property: JsonPropertyName("g")] string ConfigType);

/// <summary>A manifest refers to a blob.</summary>
/// <param name="Manifest">Digest of the manifest.</param>
/// <param name="Blob">Digest of the blob.</param>
/// <param name="Size">Size that the manifest says, when the repository must hold it; else null.</param>
internal sealed record ReferenceRow(
    [property: JsonPropertyName("m")] string Manifest, [property: JsonPropertyName("b")] string Blob, [property: JsonPropertyName("s")] long? Size);

/// <summary>An index refers to a manifest, by digests.</summary>
internal sealed record ChildRow([property: JsonPropertyName("m")] string Manifest, [property: JsonPropertyName("c")] string Child);
