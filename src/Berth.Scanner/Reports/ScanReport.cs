using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Misconfiguration;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Reports;

/// <summary>What a scan found; every format is written from this.</summary>
/// <param name="Name">Name of what was scanned, such as <c>registry.example.com/shop/web:1.4</c>.</param>
/// <param name="CreatedAt">When the scan was made (UTC).</param>
public sealed record ScanReport(string Name, DateTimeOffset CreatedAt)
{
    /// <summary>Kind in Trivy's words: <c>container_image</c>, <c>filesystem</c>, <c>cyclonedx</c>, <c>spdx</c>.</summary>
    public string ArtifactType { get; init; } = "container_image";

    /// <summary>Version of this program.</summary>
    public string ToolVersion { get; init; } = "dev";

    public Distribution? Distribution { get; init; }

    /// <summary>Digest of the manifest; empty when it is no image.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Digest of the configuration; empty when it is no image.</summary>
    public string ImageId { get; init; } = "";

    /// <summary>Media type of the manifest; empty when it is no image.</summary>
    public string MediaType { get; init; } = "";

    /// <summary>Layers, the lowest first.</summary>
    public IReadOnlyList<ReportLayer> Layers { get; init; } = [];

    public IReadOnlyList<string> RepoTags { get; init; } = [];

    public IReadOnlyList<string> RepoDigests { get; init; } = [];

    /// <summary>The configuration of the image as JSON; empty when there is none.</summary>
    public ReadOnlyMemory<byte> ImageConfig { get; init; }

    public IReadOnlyList<Package> Packages { get; init; } = [];

    /// <summary>Findings that count.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>Findings that an exception takes out.</summary>
    public IReadOnlyList<SuppressedFinding> Suppressed { get; init; } = [];

    /// <summary>Secrets in layers and configuration.</summary>
    public IReadOnlyList<SecretFinding> Secrets { get; init; } = [];

    /// <summary>What should be otherwise in the configuration.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems { get; init; } = [];
}

/// <summary>A layer of a scanned image.</summary>
/// <param name="DiffId">Digest of the uncompressed layer.</param>
/// <param name="Digest">Digest as stored.</param>
/// <param name="SizeBytes">Size as stored; 0 when unknown.</param>
public sealed record ReportLayer(string DiffId, string Digest, long SizeBytes = 0);
