namespace Berth.Oci;

/// <summary>A reference to content (OCI image spec, descriptor.md), as far as a registry reads it.</summary>
public sealed record Descriptor
{
    /// <summary>Type of the content; empty when the document names none.</summary>
    public string MediaType { get; init; } = "";

    /// <summary>Identity of the content.</summary>
    public Digest Digest { get; init; }

    /// <summary>Size of the content in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Addresses the content may be fetched from instead.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>Operating system of an index entry, if named.</summary>
    public string? Os { get; init; }

    /// <summary>Architecture of an index entry, if named.</summary>
    public string? Architecture { get; init; }
}
