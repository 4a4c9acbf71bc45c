using System.Text.Json;
using Berth.Server.Scanning.Exceptions;

namespace Berth.Server.Scanning;

/// <summary>One flaw of one package as pages and tables show it.</summary>
public sealed record FindingLine
{
    public required string Id { get; init; }

    public required string Package { get; init; }

    public required string Version { get; init; }

    /// <summary>Versions that repair it; empty when there is none.</summary>
    public string FixedVersion { get; init; } = "";

    /// <summary>Harbor's word: <c>Critical</c> to <c>Unknown</c>.</summary>
    public string Severity { get; init; } = "Unknown";

    /// <summary>What the vendor says, such as <c>will_not_fix</c>.</summary>
    public string Status { get; init; } = "";

    public string Description { get; init; } = "";

    /// <summary>The page to read first; empty when none is known or when it is no web address.</summary>
    public string Link { get; init; } = "";

    /// <summary>CVSS, version 3 before version 2; null when nobody gave one.</summary>
    public double? Score { get; init; }

    /// <summary>Digest of the layer that brought the package; empty when it is unknown.</summary>
    public string Layer { get; init; } = "";

    /// <summary>File that names the package; empty when it is unknown.</summary>
    public string Path { get; init; } = "";

    /// <summary>Whether the layer is of the image that this one was built on; null when nobody knows.</summary>
    public bool? IsFromBase { get; init; }

    /// <summary>When a scan of the image found it first, Unix milliseconds; null when it is unknown.</summary>
    public long? FirstSeen { get; init; }

    /// <summary>Digests of the images of an index that have it.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>What keeps it from counting; null when it counts.</summary>
    public SuppressionJson? Suppression { get; init; }

    /// <summary>What kept it from counting until it ran out; null when nothing did.</summary>
    public SuppressionJson? Expired { get; init; }

    /// <summary>How bad it is, as a number that sorts.</summary>
    public int Rank => StoredReport.Rank(Severity);

    /// <summary>Reads the flaws of a report in Harbor's form, whoever wrote it, in its order: what is missing or of another type is left empty.</summary>
    public static List<FindingLine> Read(string report)
    {
        using var document = JsonDocument.Parse(report, new JsonDocumentOptions { MaxDepth = 64 });
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("vulnerabilities", out var all) || all.ValueKind != JsonValueKind.Array) return [];
        return [.. all.EnumerateArray().Where(static one => one.ValueKind == JsonValueKind.Object).Select(Of)];
    }

    private static FindingLine Of(JsonElement one) => new()
    {
        Id = Text(one, "id"),
        Package = Text(one, "package"),
        Version = Text(one, "version"),
        FixedVersion = Text(one, "fix_version"),
        Severity = StoredReport.Rank(Text(one, "severity")) > 0 ? Text(one, "severity") : "Unknown",
        Status = Text(one, "status"),
        Description = Text(one, "description"),
        Link = one.TryGetProperty("links", out var links) && links.ValueKind == JsonValueKind.Array ? links.EnumerateArray().Where(static l => l.ValueKind == JsonValueKind.String).Select(static l => WebAddress(l.GetString())).FirstOrDefault(static l => l.Length > 0) ?? "" : "",
        Layer = one.TryGetProperty("layer", out var layer) && layer.ValueKind == JsonValueKind.Object ? Text(layer, "digest") : "",
        Path = one.TryGetProperty("vendor_attributes", out var attributes) && attributes.ValueKind == JsonValueKind.Object && attributes.TryGetProperty("berth", out var own) && own.ValueKind == JsonValueKind.Object ? Text(own, "path") : "",
        Score = one.TryGetProperty("preferred_cvss", out var cvss) && cvss.ValueKind == JsonValueKind.Object ? Number(cvss, "score_v3") ?? Number(cvss, "score_v2") : null,
    };

    /// <summary>An address that a page may link to: of the web, and of no other kind.</summary>
    public static string WebAddress(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && text!.StartsWith("http", StringComparison.OrdinalIgnoreCase) ? address.AbsoluteUri : "";

    private static string Text(JsonElement one, string name) => one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";

    private static double? Number(JsonElement one, string name) => one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number > 0 ? number : null;
}
