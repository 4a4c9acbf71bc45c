using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Berth.Server.Scanning.Adapters;

/// <summary>Reads and writes the documents of the pluggable scanner API as its caller. What comes in is a stranger's.</summary>
internal static class AdapterMessages
{
    private const int MaxCapabilities = 32;
    private const int MaxTypes = 64;
    private const int MaxProperties = 64;
    private const int MaxTextChars = 512;

    private static readonly JsonDocumentOptions s_bounded = new() { MaxDepth = 32 };

    /// <summary>A scan request (schema <c>ScanRequest</c>).</summary>
    /// <param name="image">The image.</param>
    /// <param name="authorization">Value of the Authorization header for the registry.</param>
    /// <param name="capability">What is wanted (<see cref="AdapterMedia.Vulnerability"/> or <see cref="AdapterMedia.Sbom"/>).</param>
    /// <param name="reportType">Media type of the report that is wanted; null for adapters that do not know the field.</param>
    public static byte[] WriteRequest(PulledImage image, string authorization, string capability, string? reportType)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, AdapterMedia.Writing))
        {
            json.WriteStartObject();
            json.WriteStartObject("registry");
            json.WriteString("url", image.RegistryUrl);
            json.WriteString("authorization", authorization);
            json.WriteEndObject();
            json.WriteStartObject("artifact");
            json.WriteString("repository", image.Target.Repository);
            json.WriteString("digest", image.Target.Digest);
            json.WriteString("mime_type", image.Target.MediaType);
            json.WriteEndObject();
            if (reportType is not null)
            {
                json.WriteStartArray("enabled_capabilities");
                json.WriteStartObject();
                json.WriteString("type", capability);
                json.WriteStartArray("produces_mime_types");
                json.WriteStringValue(reportType);
                json.WriteEndArray();
                if (capability == AdapterMedia.Sbom)
                {
                    json.WriteStartObject("parameters");
                    json.WriteStartArray("sbom_media_types");
                    json.WriteStringValue(AdapterMedia.Spdx);
                    json.WriteEndArray();
                    json.WriteEndObject();
                }
                json.WriteEndObject();
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what a scanner says of itself (schema <c>ScannerAdapterMetadata</c>).</summary>
    public static bool TryReadMetadata(byte[] body, [NotNullWhen(true)] out ScannerMetadataJson? metadata, out string problem)
    {
        (metadata, problem) = (null, "");
        try
        {
            using var document = JsonDocument.Parse(body, s_bounded);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("scanner", out var scanner) || scanner.ValueKind != JsonValueKind.Object) problem = "it names no scanner";
            else if (!root.TryGetProperty("capabilities", out var capabilities) || capabilities.ValueKind != JsonValueKind.Array || capabilities.GetArrayLength() == 0) problem = "it names no capabilities";
            else if (capabilities.GetArrayLength() > MaxCapabilities) problem = $"it names more than {MaxCapabilities} capabilities";
            else
            {
                metadata = new ScannerMetadataJson
                {
                    Scanner = new ScannerNameJson(Text(scanner, "name") ?? "", Text(scanner, "vendor") ?? "", Text(scanner, "version") ?? ""),
                    Capabilities = [.. capabilities.EnumerateArray().Where(static one => one.ValueKind == JsonValueKind.Object).Select(CapabilityOf)],
                    Properties = PropertiesOf(root),
                };
            }
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problem = "it is no JSON";
        }
        return metadata is not null;
    }

    /// <summary>The SPDX document in a bill of materials (schema <c>HarborSbomReport</c>); null when there is none.</summary>
    public static byte[]? DocumentOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("sbom", out var sbom) && sbom.ValueKind == JsonValueKind.Object && Text(sbom, "spdxVersion") is { } version
                && version.StartsWith("SPDX-2.", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(sbom.GetRawText()) : null;
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static ScannerCapabilityJson CapabilityOf(JsonElement one) => new(Text(one, "type"), Texts(one, "consumes_mime_types"), Texts(one, "produces_mime_types"));

    private static Dictionary<string, string>? PropertiesOf(JsonElement root)
    {
        if (!root.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object) return null;
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var one in properties.EnumerateObject().Take(MaxProperties))
            if (one.Value.ValueKind == JsonValueKind.String && one.Name.Length <= MaxTextChars) found[one.Name] = Cut(one.Value.GetString()!);
        return found;
    }

    private static IReadOnlyList<string> Texts(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Where(static one => one.ValueKind == JsonValueKind.String).Take(MaxTypes).Select(static one => Cut(one.GetString()!))]
            : [];

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Cut(value.GetString()!) : null;

    private static string Cut(string text)
    {
        var plain = text.Replace('\0', ' ');
        return plain.Length <= MaxTextChars ? plain : plain[..MaxTextChars];
    }
}
