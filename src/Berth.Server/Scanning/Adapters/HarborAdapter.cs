using System.Text.Json;
using Berth.Scanner.Reports;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.Adapters;

/// <summary>
/// Scanners with Harbor's pluggable scanner API, versions 1.0 to 1.2 (https://github.com/goharbor/pluggable-scanner-spec): <c>/metadata</c>, <c>POST /scan</c>,
/// <c>GET /scan/{id}/report</c>, which answers 302 with <c>Refresh-After</c> until there is a report.
/// </summary>
internal sealed class HarborAdapter(ScannerHttp http, TimeProvider time) : IOutsideScanner
{
    private const string Base = "/api/v1";
    private const int MaxRequestIdChars = 512;

    // Harbor's own property: which kind of credentials the adapter wants for the registry.
    private const string AuthorizationProperty = "harbor.scanner-adapter/registry-authorization-type";

    public string Kind => ScannerRules.HarborKind;

    public async Task<ScannerDescription> DescribeAsync(ScannerEndpoint scanner, TimeSpan? timeout, CancellationToken ct)
    {
        var answer = await http.GetAsync(scanner, Base + "/metadata", $"{AdapterMedia.Metadata}, {AdapterMedia.MetadataOlder}", ScannerHttp.MaxDocumentBytes, ct, timeout).ConfigureAwait(false);
        if (answer.Status != 200) return new ScannerDescription(null, $"metadata: {answer.Said}");
        return AdapterMessages.TryReadMetadata(answer.Body, out var metadata, out var problem) ? new ScannerDescription(metadata, null) : new ScannerDescription(null, $"metadata: {problem}");
    }

    public async Task<ScanStep> AskAsync(ScannerEndpoint scanner, ScannerMetadataJson metadata, PulledImage image, CancellationToken ct)
    {
        if (Capability(metadata, image.Target.MediaType) is not { } capability) return new ScanStep.Refused($"{metadata.Scanner.Name} does not scan artifacts of the type {image.Target.MediaType}");
        if (ReportTypeOf(capability) is not { } reportType) return new ScanStep.Refused($"{metadata.Scanner.Name} makes no report that is known here: {string.Join(", ", capability.ProducesMimeTypes)}");
        return await AskAsync(scanner, metadata, image, AdapterMedia.Vulnerability, reportType, ct).ConfigureAwait(false);
    }

    /// <summary>Whether a scanner lists what is in such an artifact, as SPDX.</summary>
    public static bool MakesSbom(ScannerMetadataJson metadata, string mediaType) => metadata.Capabilities.Any(one =>
        one.Type == AdapterMedia.Sbom && one.ConsumesMimeTypes.Contains(mediaType, StringComparer.Ordinal) && one.ProducesMimeTypes.Any(static type => AdapterMedia.IsSame(type, AdapterMedia.SbomReport)));

    /// <summary>Asks for the bill of materials of an image.</summary>
    public Task<ScanStep> AskForSbomAsync(ScannerEndpoint scanner, ScannerMetadataJson metadata, PulledImage image, CancellationToken ct) =>
        AskAsync(scanner, metadata, image, AdapterMedia.Sbom, AdapterMedia.SbomReport, ct);

    /// <summary>Looks whether a bill of materials is there.</summary>
    public async Task<ScanStep> LookForSbomAsync(ScannerEndpoint scanner, string requestId, CancellationToken ct)
    {
        var answer = await http.GetAsync(
            scanner, $"{Base}/scan/{Uri.EscapeDataString(requestId)}/report?sbom_media_type={Uri.EscapeDataString(AdapterMedia.Spdx)}", AdapterMedia.SbomReport, http.MaxReportBytes, ct).ConfigureAwait(false);
        return answer.Status switch
        {
            200 => AdapterMessages.DocumentOf(answer.Body) is { } document ? new ScanStep.Listed(document) : new ScanStep.Refused("the bill of materials is no SPDX document"),
            302 => new ScanStep.Waiting(requestId, answer.RetryAfter),
            404 => new ScanStep.Lost("the scanner does not know the request any more"),
            _ => ScanStep.OfError("the scanner has no bill of materials", answer),
        };
    }

    private async Task<ScanStep> AskAsync(ScannerEndpoint scanner, ScannerMetadataJson metadata, PulledImage image, string capability, string reportType, CancellationToken ct)
    {
        var wantsBearer = string.Equals(metadata.Properties?.GetValueOrDefault(AuthorizationProperty), "Bearer", StringComparison.OrdinalIgnoreCase);
        var authorization = wantsBearer ? await image.Access.BearerAsync(ct).ConfigureAwait(false) : image.Access.Basic;
        // An adapter that names no types of capabilities is older than version 1.2.
        var isOlder = metadata.Capabilities.All(static one => one.Type is null);
        var body = AdapterMessages.WriteRequest(image, authorization, capability, isOlder ? null : reportType);
        var answer = await http.PostAsync(
            scanner, Base + "/scan", isOlder ? AdapterMedia.RequestOlder : AdapterMedia.Request, body, $"{AdapterMedia.Response}, {AdapterMedia.Error}", ScannerHttp.MaxDocumentBytes, ct).ConfigureAwait(false);
        if (answer.Status is not (200 or 201 or 202)) return ScanStep.OfError("the scanner does not take the scan", answer);
        return RequestIdOf(answer.Body) is { } id ? new ScanStep.Waiting(id, answer.RetryAfter) : new ScanStep.Refused("the scanner has taken the scan and gives it no id");
    }

    public async Task<ScanStep> LookAsync(ScannerEndpoint scanner, ScanTarget target, string requestId, CancellationToken ct)
    {
        var answer = await http.GetAsync(
            scanner, $"{Base}/scan/{Uri.EscapeDataString(requestId)}/report", $"{HarborReport.MediaType}, {BuiltInScanner.OlderMediaType}", http.MaxReportBytes, ct).ConfigureAwait(false);
        return answer.Status switch
        {
            200 => OutsideReport.TryRead(answer.Body, time.GetUtcNow(), out var report, out var problem) ? new ScanStep.Reported(report) : new ScanStep.Refused($"the report is none: {problem}"),
            302 => new ScanStep.Waiting(requestId, answer.RetryAfter),
            404 => new ScanStep.Lost("the scanner does not know the scan any more"),
            _ => ScanStep.OfError("the scanner has no report", answer),
        };
    }

    /// <summary>What a scanner can do for vulnerabilities of such artifacts; null when nothing.</summary>
    private static ScannerCapabilityJson? Capability(ScannerMetadataJson metadata, string mediaType) =>
        metadata.Capabilities.FirstOrDefault(one => one.Type is null or AdapterMedia.Vulnerability && one.ConsumesMimeTypes.Contains(mediaType, StringComparer.Ordinal));

    private static string? ReportTypeOf(ScannerCapabilityJson capability) =>
        capability.ProducesMimeTypes.FirstOrDefault(static type => AdapterMedia.IsSame(type, HarborReport.MediaType))
        ?? capability.ProducesMimeTypes.FirstOrDefault(static type => AdapterMedia.IsSame(type, BuiltInScanner.OlderMediaType));

    private static string? RequestIdOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
                && id.GetString() is { Length: > 0 and <= MaxRequestIdChars } text && !text.Contains('\0') ? text : null;
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
