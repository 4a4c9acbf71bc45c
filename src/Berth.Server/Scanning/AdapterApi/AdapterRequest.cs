using System.Text.Json;
using Berth.Oci;
using Berth.Scanner.Reports;
using Berth.Server.Scanning.Adapters;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>A scan request (schema <c>ScanRequest</c> of the pluggable scanner API), read from a caller's document.</summary>
internal sealed record AdapterRequest
{
    public const int MaxUrlChars = 512;
    private const int MaxAuthorizationChars = 16 * 1024;
    private const int MaxCapabilities = 32;

    /// <summary>Media types of manifests that are read; an index is resolved to one of its images.</summary>
    private static readonly string[] s_known =
    [
        AdapterMedia.OciManifest, AdapterMedia.DockerManifest, "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ];

    public required string RegistryUrl { get; init; }

    public string Authorization { get; init; } = "";

    public required string Repository { get; init; }

    public required string Digest { get; init; }

    public string Tag { get; init; } = "";

    public string MediaType { get; init; } = "";

    public bool WantsReport { get; init; }

    public bool WantsSpdx { get; init; }

    public bool WantsCycloneDx { get; init; }

    /// <summary>Reads a request.</summary>
    /// <param name="root">The document.</param>
    /// <returns>The request, or the status (400, 422, 501) and what is wrong.</returns>
    public static (AdapterRequest? Request, int Status, string Problem) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return Refuse(400, "the body must be a JSON object");
        if (!IsObject(root, "registry", out var registry)) return Refuse(422, "registry is missing");
        if (!IsObject(root, "artifact", out var artifact)) return Refuse(422, "artifact is missing");
        foreach (var (part, name) in new[] { (registry, "url"), (registry, "authorization"), (artifact, "repository"), (artifact, "digest"), (artifact, "tag"), (artifact, "mime_type") })
            if (part.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null)) return Refuse(400, $"{name} must be a text");
        var (url, authorization) = (Text(registry, "url"), Text(registry, "authorization"));
        if (url.Length is 0 or > MaxUrlChars || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0)
            return Refuse(422, "registry.url must be an http or https address");
        if (authorization.Length > MaxAuthorizationChars || authorization.Any(char.IsControl)) return Refuse(422, "registry.authorization is no value of a header");
        var (repository, digest, type) = (Text(artifact, "repository"), Text(artifact, "digest"), Text(artifact, "mime_type"));
        if (!RepositoryName.IsValid(repository)) return Refuse(422, "artifact.repository is no name of a repository");
        if (!Oci.Digest.TryParse(digest, out _)) return Refuse(422, "artifact.digest is no digest");
        if (Text(artifact, "tag") is { Length: > 0 } tag && !TagName.TryParse(tag, out _)) return Refuse(422, "artifact.tag is no tag");
        if (type.Length > 0 && !s_known.Contains(type, StringComparer.Ordinal)) return Refuse(501, $"artifacts of the type {type} are not scanned");
        var request = new AdapterRequest { RegistryUrl = url.TrimEnd('/'), Authorization = authorization, Repository = repository, Digest = digest, Tag = Text(artifact, "tag"), MediaType = type };
        return WithCapabilities(request, root);
    }

    // Without a word on capabilities all are meant (1.2, "enabled_capabilities").
    private static (AdapterRequest?, int, string) WithCapabilities(AdapterRequest request, JsonElement root)
    {
        if (!root.TryGetProperty("enabled_capabilities", out var list) || list.ValueKind == JsonValueKind.Null) return (request with { WantsReport = true, WantsSpdx = true, WantsCycloneDx = true }, 202, "");
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MaxCapabilities) return Refuse(400, "enabled_capabilities must be a list");
        foreach (var one in list.EnumerateArray())
        {
            if (one.ValueKind != JsonValueKind.Object || !one.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String) return Refuse(400, "a capability needs a type");
            var produced = TextsOf(one, "produces_mime_types");
            switch (type.GetString())
            {
                case AdapterMedia.Vulnerability:
                    if (produced.Count > 0 && !produced.Any(IsReportType)) return Refuse(501, $"reports of the type {produced[0]} are not made");
                    request = request with { WantsReport = true };
                    break;
                case AdapterMedia.Sbom:
                    if (produced.Count > 0 && !produced.Any(static type => AdapterMedia.IsSame(type, AdapterMedia.SbomReport))) return Refuse(501, $"reports of the type {produced[0]} are not made");
                    var formats = IsObject(one, "parameters", out var parameters) ? TextsOf(parameters, "sbom_media_types") : [];
                    if (formats.FirstOrDefault(static format => format is not (AdapterMedia.Spdx or AdapterMedia.CycloneDx)) is { } unknown) return Refuse(422, $"sbom_media_types: {unknown} is not known");
                    request = request with
                    {
                        WantsSpdx = request.WantsSpdx || formats.Count == 0 || formats.Contains(AdapterMedia.Spdx),
                        WantsCycloneDx = request.WantsCycloneDx || formats.Count == 0 || formats.Contains(AdapterMedia.CycloneDx),
                    };
                    break;
                default:
                    return Refuse(501, $"the capability {type.GetString()} is not known");
            }
        }
        return request.WantsReport || request.WantsSpdx || request.WantsCycloneDx ? (request, 202, "") : Refuse(422, "enabled_capabilities is empty");
    }

    /// <summary>Whether a media type is that of a report of vulnerabilities.</summary>
    public static bool IsReportType(string type) => AdapterMedia.IsSame(type, HarborReport.MediaType) || AdapterMedia.IsSame(type, BuiltInScanner.OlderMediaType);

    private static bool IsObject(JsonElement element, string name, out JsonElement value) => element.TryGetProperty(name, out value) && value.ValueKind == JsonValueKind.Object;

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static IReadOnlyList<string> TextsOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Where(static one => one.ValueKind == JsonValueKind.String).Select(static one => one.GetString()!)]
            : [];

    private static (AdapterRequest?, int, string) Refuse(int status, string problem) => (null, status, problem);
}
