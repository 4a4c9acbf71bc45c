namespace Berth.Oci;

/// <summary>
/// What a manifest or index refers to. The bytes stay what the client sent; this is only what a registry has to know of them
/// (OCI image spec manifest.md and image-index.md, Docker image manifest schema 2).
/// </summary>
public sealed record ManifestDocument
{
    /// <summary>Media type: the document's own field, else what the caller said.</summary>
    public required string MediaType { get; init; }

    /// <summary><c>artifactType</c>, if the document names one.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>The configuration; null for an index or an artifact manifest.</summary>
    public Descriptor? Config { get; init; }

    /// <summary>Layers, or the blobs of an artifact manifest.</summary>
    public IReadOnlyList<Descriptor> Layers { get; init; } = [];

    /// <summary>Entries of an index.</summary>
    public IReadOnlyList<Descriptor> Manifests { get; init; } = [];

    /// <summary>The manifest that this one is about.</summary>
    public Descriptor? Subject { get; init; }

    /// <summary>The <c>annotations</c> object as JSON text, if there is one.</summary>
    public string? AnnotationsJson { get; init; }

    /// <summary>
    /// The type that a referrers list shows: <see cref="ArtifactType"/>, else the configuration's media type
    /// (OCI distribution spec, "Listing Referrers"); null when neither is there.
    /// </summary>
    public string? ReferrerType => ArtifactType ?? Config?.MediaType;

    /// <summary>Whether the document lists manifests rather than layers.</summary>
    public bool IsIndex => MediaTypes.IsIndex(MediaType);
}
