using System.Text.Json.Serialization;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Advisories.Bundle;

/// <summary>What a bundle holds; the signature is over the bytes of this document.</summary>
public sealed record BundleManifest
{
    /// <summary>Form of the bundle; 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>SHA-256 of the database file, in hex.</summary>
    public string DatabaseSha256 { get; init; } = "";

    /// <summary>Size of the database file in bytes.</summary>
    public long DatabaseSize { get; init; }

    /// <summary>What the database says about itself, so that it can be shown without unpacking.</summary>
    public DatabaseMetadata Metadata { get; init; } = new();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BundleManifest))]
internal sealed partial class BundleManifestJson : JsonSerializerContext;
