using System.Text.Json.Serialization;

namespace Berth.Server.Scanning;

/// <summary>A scanner as Harbor shows it; its credential is never shown.</summary>
public sealed record ScannerJson
{
    public required string Uuid { get; init; }

    public required string Name { get; init; }

    public string Description { get; init; } = "";

    public string Url { get; init; } = "";

    /// <summary><c>harbor</c> for the pluggable scanner API, <c>clair</c>; null for the built-in scanner.</summary>
    public string? Kind { get; init; }

    public bool Disabled { get; init; }

    public bool IsDefault { get; init; }

    public string Auth { get; init; } = "";

    [JsonPropertyName("skip_certVerify")]
    public bool SkipCertVerify { get; init; }

    public bool UseInternalAddr { get; init; }

    public string Health { get; init; } = "";

    public string Adapter { get; init; } = "";

    public string Vendor { get; init; } = "";

    public string Version { get; init; } = "";

    public Dictionary<string, bool> Capabilities { get; init; } = [];

    public string? CreateTime { get; init; }

    public string? UpdateTime { get; init; }
}

/// <summary>A scanner as it is entered (Harbor's <c>ScannerRegistrationReq</c>).</summary>
public sealed record ScannerRegistrationJson
{
    public string? Name { get; init; }

    public string? Description { get; init; }

    /// <summary>Base address, such as <c>http://trivy-adapter:8080</c>.</summary>
    public string? Url { get; init; }

    /// <summary><c>harbor</c> (also when it is left out) or <c>clair</c>.</summary>
    public string? Kind { get; init; }

    /// <summary><c>None</c>, <c>Basic</c>, <c>Bearer</c>, <c>X-ScannerAdapter-API-Key</c> or, for Clair, <c>PSK</c>.</summary>
    public string? Auth { get; init; }

    /// <summary>What <see cref="Auth"/> needs. Left out in a change, the one that is kept stays.</summary>
    public string? AccessCredential { get; init; }

    [JsonPropertyName("skip_certVerify")]
    public bool SkipCertVerify { get; init; }

    public bool UseInternalAddr { get; init; }

    public bool Disabled { get; init; }
}

/// <summary>Which scanner is meant, or that one is the default.</summary>
public sealed record ScannerChoiceJson
{
    public string? Uuid { get; init; }

    public bool IsDefault { get; init; }
}

/// <summary>Name of a scanner.</summary>
public sealed record ScannerNameJson(string Name, string Vendor, string Version);

/// <summary>What a scanner reads and writes. The type is <c>vulnerability</c> or <c>sbom</c>; null, as older scanners have it, means the first.</summary>
public sealed record ScannerCapabilityJson(string? Type, IReadOnlyList<string> ConsumesMimeTypes, IReadOnlyList<string> ProducesMimeTypes)
{
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? AdditionalAttributes { get; init; }
}

/// <summary>What a scanner says of itself.</summary>
public sealed record ScannerMetadataJson
{
    public required ScannerNameJson Scanner { get; init; }

    public IReadOnlyList<ScannerCapabilityJson> Capabilities { get; init; } = [];

    public IReadOnlyDictionary<string, string>? Properties { get; init; }
}
