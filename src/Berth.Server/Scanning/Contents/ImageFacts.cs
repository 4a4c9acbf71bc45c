using System.Text.Json;
using Berth.Oci;
using Berth.Scanner.Scan;

namespace Berth.Server.Scanning.Contents;

/// <summary>What an image says of itself.</summary>
/// <param name="Platform"><c>os/architecture[/variant]</c>; empty when the configuration names none.</param>
/// <param name="BaseName"><c>org.opencontainers.image.base.name</c>; empty when it is not said.</param>
/// <param name="BaseDigest"><c>org.opencontainers.image.base.digest</c>; empty when it is not said or is no digest.</param>
internal sealed record ImageFacts(string Platform, string BaseName, string BaseDigest)
{
    private const string NameKey = "org.opencontainers.image.base.name";
    private const string DigestKey = "org.opencontainers.image.base.digest";
    private const int MaxNameChars = 512;
    private const int MaxPartChars = 40;

    /// <summary>The facts of a manifest and its configuration; annotations win over labels (OCI image specification, annotations.md).</summary>
    public static ImageFacts Of(ScanTarget target, ImageContent image)
    {
        var annotations = ManifestReader.TryRead(target.Content, target.MediaType, out var manifest, out _) ? manifest.AnnotationsJson : null;
        var (name, digest) = annotations is null ? ("", "") : Parse(annotations, static root => (Text(root, NameKey), Text(root, DigestKey)));
        var (platform, labelledName, labelledDigest) = Parse(image.Config, static root => (PlatformOf(root), Label(root, NameKey), Label(root, DigestKey)));
        if (name.Length == 0) name = labelledName;
        if (digest.Length == 0) digest = labelledDigest;
        return new ImageFacts(platform, name.Length <= MaxNameChars && !name.Contains('\0') ? name : "", Digest.TryParse(digest, out _) ? digest : "");
    }

    /// <summary>The platform that a configuration names; empty when it names none.</summary>
    public static string PlatformOf(JsonElement root) => string.Join(
        '/', new[] { Text(root, "os"), Text(root, "architecture"), Text(root, "variant") }.Where(static part => part.Length is > 0 and <= MaxPartChars && !part.Contains('\0')));

    private static string Label(JsonElement root, string name) =>
        root.TryGetProperty("config", out var config) && config.ValueKind == JsonValueKind.Object && config.TryGetProperty("Labels", out var labels) ? Text(labels, name) : "";

    private static string Text(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static T Parse<T>(string json, Func<JsonElement, T> read) => Parse(System.Text.Encoding.UTF8.GetBytes(json), read);

    // Both were read before: as a manifest, and for the names of the layers.
    private static T Parse<T>(ReadOnlyMemory<byte> json, Func<JsonElement, T> read)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64 });
        return read(document.RootElement);
    }
}
