using System.Buffers;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.Clair;

/// <summary>
/// Clair v4 by its own API (https://quay.github.io/clair/reference/api.html): <c>POST /indexer/api/v1/index_report</c> with where the layers are, which answers when they are read, and
/// <c>GET /matcher/api/v1/vulnerability_report/{digest}</c>, which judges them by the advisories of that moment. Both services are expected under one address, as in Clair's combined mode or behind one proxy.
/// </summary>
internal sealed class ClairScanner(ScannerHttp http, TimeProvider time) : IOutsideScanner
{
    private const string Indexer = "/indexer/api/v1";
    private const string Matcher = "/matcher/api/v1";
    private const int MaxIndexBytes = 64 * 1024 * 1024;

    public string Kind => ScannerRules.ClairKind;

    public async Task<ScannerDescription> DescribeAsync(ScannerEndpoint scanner, TimeSpan? timeout, CancellationToken ct)
    {
        var answer = await http.GetAsync(scanner, Indexer + "/index_state", "application/json", ScannerHttp.MaxDocumentBytes, ct, timeout).ConfigureAwait(false);
        if (answer.Status != 200) return new ScannerDescription(null, $"index state: {answer.Said}");
        return TextOf(answer.Body, "state") is null ? new ScannerDescription(null, "index state: it is not what Clair v4 answers") : new ScannerDescription(new ScannerMetadataJson
        {
            Scanner = new ScannerNameJson("Clair", "Project Quay", "4"),
            Capabilities = [new ScannerCapabilityJson(AdapterMedia.Vulnerability, [AdapterMedia.OciManifest, AdapterMedia.DockerManifest], [Berth.Scanner.Reports.HarborReport.MediaType])],
        }, null);
    }

    public async Task<ScanStep> AskAsync(ScannerEndpoint scanner, ScannerMetadataJson metadata, PulledImage image, CancellationToken ct)
    {
        if (!ManifestReader.TryRead(image.Target.Content, image.Target.MediaType, out var manifest, out _) || manifest.IsIndex) return new ScanStep.Refused("the manifest is not that of an image");
        var body = WriteManifest(image, manifest, await image.Access.BearerAsync(ct).ConfigureAwait(false));
        var answer = await http.PostAsync(scanner, Indexer + "/index_report", "application/json", body, "application/json", MaxIndexBytes, ct, http.LongTimeout).ConfigureAwait(false);
        if (answer.Status is not (200 or 201 or 202)) return ScanStep.OfError("Clair does not index the image", answer);
        return Indexed(image.Target.Digest, answer.Body);
    }

    public async Task<ScanStep> LookAsync(ScannerEndpoint scanner, ScannerMetadataJson metadata, ScanTarget target, string requestId, CancellationToken ct)
    {
        var answer = await http.GetAsync(scanner, $"{Matcher}/vulnerability_report/{requestId}", "application/json", http.MaxReportBytes, ct, http.LongTimeout).ConfigureAwait(false);
        switch (answer.Status)
        {
            case 200 or 201:
                return ClairReport.TryRead(answer.Body, target, time.GetUtcNow(), out var report, out var problem) ? new ScanStep.Reported(report) : new ScanStep.Refused($"the report is none: {problem}");
            case 202:
                return new ScanStep.Waiting(requestId, answer.RetryAfter);
            case not 404:
                return ScanStep.OfError("Clair has no report", answer);
        }
        // It may still be reading, or have forgotten the image.
        var index = await http.GetAsync(scanner, $"{Indexer}/index_report/{requestId}", "application/json", MaxIndexBytes, ct).ConfigureAwait(false);
        return index.Status switch
        {
            200 when TextOf(index.Body, "state") is "IndexFinished" => new ScanStep.Unavailable("Clair has indexed the image and judges it not yet", answer.RetryAfter),
            200 => Indexed(requestId, index.Body),
            404 => new ScanStep.Lost("Clair does not know the image any more"),
            _ => ScanStep.OfError("Clair has no report", index),
        };
    }

    // What an index report says of how far it is.
    private static ScanStep Indexed(string digest, byte[] body) => TextOf(body, "err") is { Length: > 0 } failure
        ? new ScanStep.Refused($"Clair cannot index the image: {new ScannerAnswer(200, System.Text.Encoding.UTF8.GetBytes(failure), "", null, null).Said}")
        : TextOf(body, "state") is null ? new ScanStep.Refused("Clair answers no index report") : new ScanStep.Waiting(digest, null);

    private static byte[] WriteManifest(PulledImage image, ManifestDocument manifest, string authorization)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, AdapterMedia.Writing))
        {
            json.WriteStartObject();
            json.WriteString("hash", image.Target.Digest);
            json.WriteStartArray("layers");
            // Documents that stand among the layers of an attestation are nothing to unpack.
            foreach (var layer in manifest.Layers.Where(static layer => layer.MediaType.Contains("tar", StringComparison.Ordinal)))
            {
                json.WriteStartObject();
                json.WriteString("hash", layer.Digest.Value);
                json.WriteString("uri", $"{image.RegistryUrl}/v2/{image.Target.Repository}/blobs/{layer.Digest}");
                json.WriteStartObject("headers");
                json.WriteStartArray("Authorization");
                json.WriteStringValue(authorization);
                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static string? TextOf(byte[] body, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
