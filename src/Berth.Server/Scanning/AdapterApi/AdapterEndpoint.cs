using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Berth.Scanner.Reports;
using Berth.Server.Api;
using Berth.Server.Platform.Http;
using Berth.Server.Scanning.Adapters;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>The three operations of Harbor's pluggable scanner API, as a scanner answers them (https://github.com/goharbor/pluggable-scanner-spec, version 1.2).</summary>
internal sealed class AdapterEndpoint(AdapterCallers callers, AdapterScans scans, AdvisoryStore advisories, OutgoingGuard guard)
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxAcceptedTypes = 32;
    private const int RefreshSeconds = 2;

    private static readonly string[] s_consumed = [AdapterMedia.OciManifest, AdapterMedia.DockerManifest];

    /// <summary>What this scanner is and can do.</summary>
    public async Task MetadataAsync(HttpContext context)
    {
        if (!await BeginAsync(context, "scanner_metadata").ConfigureAwait(false)) return;
        var accepted = AcceptedBy(context.Request);
        var older = accepted.Any(static type => AdapterMedia.IsSame(type, AdapterMedia.MetadataOlder)) && !accepted.Any(static type => AdapterMedia.IsSame(type, AdapterMedia.Metadata));
        await SendAsync(context, 200, older ? AdapterMedia.MetadataOlder : AdapterMedia.Metadata, WriteMetadata).ConfigureAwait(false);
    }

    /// <summary>Takes a scan.</summary>
    public async Task ScanAsync(HttpContext context)
    {
        if (!await BeginAsync(context, "scanner_scan").ConfigureAwait(false)) return;
        var (request, status, problem) = await ReadAsync(context).ConfigureAwait(false);
        if (request is not null && guard.ProblemOf(new Uri(request.RegistryUrl)) is { } refusal) (request, status, problem) = (null, 422, $"registry.url: {refusal.Replace("outgoing.allow", "scanners.api.allow", StringComparison.Ordinal)}");
        if (request is null)
        {
            await RefuseAsync(context, status, problem).ConfigureAwait(false);
            return;
        }
        if (await scans.AddAsync(request, context.RequestAborted).ConfigureAwait(false) is not { } id)
        {
            context.Response.Headers.RetryAfter = "60";
            await RefuseAsync(context, 503, "too many scans wait: ask again later").ConfigureAwait(false);
            return;
        }
        await SendAsync(context, 202, AdapterMedia.Response, json => json.WriteString("id", id)).ConfigureAwait(false);
    }

    /// <summary>The report of a scan: 302 until there is one.</summary>
    public async Task ReportAsync(HttpContext context)
    {
        if (!await BeginAsync(context, "scanner_report").ConfigureAwait(false)) return;
        var id = context.Request.RouteValues["id"] as string ?? "";
        if (await scans.FindAsync(id, context.RequestAborted).ConfigureAwait(false) is not { } scan)
        {
            await RefuseAsync(context, 404, $"there is no scan request {(id.Length <= 64 ? id : id[..64])}").ConfigureAwait(false);
            return;
        }
        var (document, type, status, problem) = Choose(context.Request, scan);
        if (status != 200)
        {
            await RefuseAsync(context, status, problem).ConfigureAwait(false);
            return;
        }
        if (scan.State == ScanState.Requested)
        {
            context.Response.StatusCode = StatusCodes.Status302Found;
            context.Response.Headers["Refresh-After"] = RefreshSeconds.ToString(CultureInfo.InvariantCulture);
            context.Response.Headers.Location = context.Request.PathBase + context.Request.Path + context.Request.QueryString;
            return;
        }
        var packed = scan.State == ScanState.Done ? await scans.DocumentAsync(id, document, context.RequestAborted).ConfigureAwait(false) : null;
        if (packed is null)
        {
            await RefuseAsync(context, 500, scan.Problem ?? "the scan has no such document").ConfigureAwait(false);
            return;
        }
        context.Response.StatusCode = 200;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(StoredReport.Unpack(packed), context.RequestAborted).ConfigureAwait(false);
    }

    // Which document is meant, by Accept and sbom_media_type.
    private static (AdapterDocument Document, string Type, int Status, string Problem) Choose(HttpRequest request, AdapterScan scan)
    {
        var accepted = AcceptedBy(request);
        if (accepted.Any(static type => AdapterMedia.IsSame(type, AdapterMedia.SbomReport)))
        {
            AdapterDocument? wanted = request.Query["sbom_media_type"].ToString() switch { AdapterMedia.Spdx => AdapterDocument.Spdx, AdapterMedia.CycloneDx => AdapterDocument.CycloneDx, _ => null };
            if (wanted is not { } document) return (default, "", 400, $"sbom_media_type must be {AdapterMedia.Spdx} or {AdapterMedia.CycloneDx}");
            return (document == AdapterDocument.Spdx ? scan.WantsSpdx : scan.WantsCycloneDx) ? (document, AdapterMedia.SbomReport, 200, "") : (default, "", 400, "the scan was asked for without this document");
        }
        var type = accepted.Count == 0 || accepted.Contains("*/*") ? HarborReport.MediaType : accepted.FirstOrDefault(AdapterRequest.IsReportType);
        if (type is null) return (default, "", 501, $"reports of the type {accepted[0]} are not made");
        return scan.WantsReport ? (AdapterDocument.Report, type, 200, "") : (default, "", 400, "the scan was asked for without vulnerabilities");
    }

    private async ValueTask<bool> BeginAsync(HttpContext context, string route)
    {
        RequestFacts.Of(context).Route = route;
        context.Response.Headers.CacheControl = "no-store";
        if (await callers.AdmitAsync(context).ConfigureAwait(false)) return true;
        await RefuseAsync(context, context.Response.StatusCode, "the key of the scanner API is needed (scanners.api)").ConfigureAwait(false);
        return false;
    }

    private static async ValueTask<(AdapterRequest? Request, int Status, string Problem)> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBodyBytes) return (null, 400, $"a request has at most {MaxBodyBytes} bytes");
        try
        {
            using var document = await JsonDocument.ParseAsync(new BoundedBody(context.Request.Body, MaxBodyBytes), new JsonDocumentOptions { MaxDepth = 32 }, context.RequestAborted).ConfigureAwait(false);
            return AdapterRequest.Read(document.RootElement);
        }
        catch (BodyTooLargeException)
        {
            return (null, 400, $"a request has at most {MaxBodyBytes} bytes");
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, 400, "the body is no JSON");
        }
    }

    private static List<string> AcceptedBy(HttpRequest request) =>
        [.. request.Headers.Accept.SelectMany(static value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Take(MaxAcceptedTypes)];

    private void WriteMetadata(Utf8JsonWriter json)
    {
        json.WriteStartObject("scanner");
        json.WriteString("name", BuiltInScanner.Name);
        json.WriteString("vendor", BuiltInScanner.Vendor);
        json.WriteString("version", BuiltInScanner.Version);
        json.WriteEndObject();
        json.WriteStartArray("capabilities");
        WriteCapability(json, AdapterMedia.Vulnerability, [HarborReport.MediaType, BuiltInScanner.OlderMediaType], []);
        WriteCapability(json, AdapterMedia.Sbom, [AdapterMedia.SbomReport], [AdapterMedia.Spdx, AdapterMedia.CycloneDx]);
        json.WriteEndArray();
        json.WriteStartObject("properties");
        json.WriteString("harbor.scanner-adapter/scanner-type", "os-package-vulnerability");
        json.WriteString("harbor.scanner-adapter/registry-authorization-type", "Basic");
        using (var loan = advisories.Borrow())
            if (loan is not null) json.WriteString("harbor.scanner-adapter/vulnerability-database-updated-at", loan.Database.Metadata.BuiltAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }

    private static void WriteCapability(Utf8JsonWriter json, string type, IReadOnlyList<string> produced, IReadOnlyList<string> formats)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        WriteTexts(json, "consumes_mime_types", s_consumed);
        WriteTexts(json, "produces_mime_types", produced);
        if (formats.Count > 0)
        {
            json.WriteStartObject("additional_attributes");
            WriteTexts(json, "sbom_media_types", formats);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static Task RefuseAsync(HttpContext context, int status, string problem) => SendAsync(context, status, AdapterMedia.Error, json =>
    {
        json.WriteStartObject("error");
        json.WriteString("message", problem);
        json.WriteEndObject();
    });

    private static async Task SendAsync(HttpContext context, int status, string type, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, AdapterMedia.Writing))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }
}
