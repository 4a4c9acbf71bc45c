using System.Text;
using System.Text.Json;

namespace Berth.Oci;

/// <summary>
/// Reads manifests that come from outside. Hostile input ends in a message, never in an exception: depth, numbers and every
/// digest are checked, a field that occurs twice or belongs to another kind of manifest is refused (CVE-2021-41190).
/// </summary>
public static class ManifestReader
{
    private const int MaxDepth = 64;

    /// <summary>Reads a document.</summary>
    /// <param name="content">The bytes as received.</param>
    /// <param name="contentType">Media type from the request, without parameters.</param>
    /// <param name="document">What was read.</param>
    /// <param name="error">What is wrong, for the client.</param>
    public static bool TryRead(ReadOnlySpan<byte> content, string contentType, out ManifestDocument document, out string error)
    {
        document = null!;
        var parsed = new Fields();
        try
        {
            var reader = new Utf8JsonReader(content, new JsonReaderOptions { MaxDepth = MaxDepth });
            error = ReadRoot(ref reader, parsed);
        }
        catch (JsonException e)
        {
            error = $"manifest is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine}";
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader.GetString on invalid UTF-8 or a lone surrogate.
            error = "manifest holds text that is not valid UTF-8";
        }
        if (error.Length == 0) error = Check(parsed, contentType);
        if (error.Length > 0) return false;
        document = new ManifestDocument
        {
            MediaType = parsed.MediaType ?? contentType,
            ArtifactType = string.IsNullOrEmpty(parsed.ArtifactType) ? null : parsed.ArtifactType,
            Config = parsed.Config,
            Layers = parsed.Layers ?? parsed.Blobs ?? [],
            Manifests = parsed.Manifests ?? [],
            Subject = parsed.Subject,
            AnnotationsJson = parsed.Annotations,
        };
        return true;
    }

    private static string ReadRoot(ref Utf8JsonReader reader, Fields to)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return "manifest is not a JSON object";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Known(ref reader);
            if (name is not null && !to.Seen.Add(name)) return $"manifest has the field {name} twice";
            reader.Read();
            var error = ReadField(ref reader, name, to);
            if (error.Length > 0) return error;
        }
        return reader.Read() ? "manifest has text after its end" : "";
    }

    private static string? Known(ref Utf8JsonReader reader)
    {
        foreach (var name in Fields.Names)
        {
            if (reader.ValueTextEquals(name)) return name;
        }
        return null;
    }

    private static string ReadField(ref Utf8JsonReader reader, string? name, Fields to)
    {
        switch (name)
        {
            case "schemaVersion":
                return reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out to.SchemaVersion) ? "" : "schemaVersion is not a number";
            case "mediaType":
                return ReadText(ref reader, name, out to.MediaType);
            case "artifactType":
                return ReadText(ref reader, name, out to.ArtifactType);
            case "config":
                return ReadOptionalDescriptor(ref reader, name, out to.Config);
            case "subject":
                return ReadOptionalDescriptor(ref reader, name, out to.Subject);
            case "layers":
                return ReadDescriptors(ref reader, name, out to.Layers);
            case "blobs":
                return ReadDescriptors(ref reader, name, out to.Blobs);
            case "manifests":
                return ReadDescriptors(ref reader, name, out to.Manifests);
            case "annotations":
                return ReadAnnotations(ref reader, out to.Annotations);
            default:
                reader.Skip();
                return "";
        }
    }

    private static string ReadText(ref Utf8JsonReader reader, string name, out string? value)
    {
        value = null;
        if (reader.TokenType == JsonTokenType.Null) return "";
        if (reader.TokenType != JsonTokenType.String) return $"{name} is not a string";
        value = reader.GetString()!;
        // A database may refuse a NUL, and no type or digest has one.
        return value.Contains('\0', StringComparison.Ordinal) ? $"{name} holds a NUL character" : "";
    }

    private static string ReadAnnotations(ref Utf8JsonReader reader, out string? json)
    {
        json = null;
        if (reader.TokenType == JsonTokenType.Null) return "";
        if (reader.TokenType != JsonTokenType.StartObject) return "annotations is not an object";
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) return "annotations hold a value that is not a string";
            texts[key] = reader.GetString()!;
        }
        json = Write(texts);
        return "";
    }

    private static string Write(Dictionary<string, string> texts)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in texts) writer.WriteString(key, value);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static string ReadOptionalDescriptor(ref Utf8JsonReader reader, string name, out Descriptor? descriptor)
    {
        descriptor = null;
        return reader.TokenType == JsonTokenType.Null ? "" : ReadDescriptor(ref reader, name, out descriptor);
    }

    private static string ReadDescriptors(ref Utf8JsonReader reader, string name, out List<Descriptor>? list)
    {
        list = null;
        if (reader.TokenType == JsonTokenType.Null) return "";
        if (reader.TokenType != JsonTokenType.StartArray) return $"{name} is not a list";
        list = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var error = ReadDescriptor(ref reader, $"{name}[{list.Count}]", out var descriptor);
            if (error.Length > 0) return error;
            list.Add(descriptor!);
        }
        return "";
    }

    private static string ReadDescriptor(ref Utf8JsonReader reader, string where, out Descriptor? descriptor)
    {
        descriptor = null;
        if (reader.TokenType != JsonTokenType.StartObject) return $"{where} is not a descriptor";
        string? mediaType = null, digestText = null, os = null, architecture = null;
        long? size = null;
        List<string> urls = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var error = "";
            if (reader.ValueTextEquals("mediaType"u8)) { reader.Read(); error = ReadText(ref reader, where + ".mediaType", out mediaType); }
            else if (reader.ValueTextEquals("digest"u8)) { reader.Read(); error = ReadText(ref reader, where + ".digest", out digestText); }
            else if (reader.ValueTextEquals("size"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0) error = $"{where}.size is not a size";
                else size = number;
            }
            else if (reader.ValueTextEquals("urls"u8)) { reader.Read(); error = ReadUrls(ref reader, where, urls); }
            else if (reader.ValueTextEquals("platform"u8)) { reader.Read(); error = ReadPlatform(ref reader, where, out os, out architecture); }
            else { reader.Read(); reader.Skip(); }
            if (error.Length > 0) return error;
        }
        if (!Digest.TryParse(digestText, out var digest)) return $"{where}.digest is not a digest: {Shown(digestText)}";
        if (size is null) return $"{where}.size is missing";
        descriptor = new Descriptor { MediaType = mediaType ?? "", Digest = digest, Size = size.Value, Urls = urls, Os = os, Architecture = architecture };
        return "";
    }

    private static string ReadUrls(ref Utf8JsonReader reader, string where, List<string> urls)
    {
        if (reader.TokenType == JsonTokenType.Null) return "";
        if (reader.TokenType != JsonTokenType.StartArray) return $"{where}.urls is not a list";
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String) return $"{where}.urls holds a value that is not a string";
            urls.Add(reader.GetString()!);
        }
        return "";
    }

    private static string ReadPlatform(ref Utf8JsonReader reader, string where, out string? os, out string? architecture)
    {
        os = architecture = null;
        if (reader.TokenType == JsonTokenType.Null) return "";
        if (reader.TokenType != JsonTokenType.StartObject) return $"{where}.platform is not an object";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var error = "";
            if (reader.ValueTextEquals("os"u8)) { reader.Read(); error = ReadText(ref reader, where + ".platform.os", out os); }
            else if (reader.ValueTextEquals("architecture"u8)) { reader.Read(); error = ReadText(ref reader, where + ".platform.architecture", out architecture); }
            else { reader.Read(); reader.Skip(); }
            if (error.Length > 0) return error;
        }
        return "";
    }

    private static string Check(Fields fields, string contentType)
    {
        if (fields.SchemaVersion == 1 || contentType is MediaTypes.DockerSchema1 or MediaTypes.DockerSchema1Signed)
            return "schema 1 manifests are not supported: push the image again with a client from after 2017";
        var mediaType = fields.MediaType ?? contentType;
        if (fields.MediaType is not null && MediaTypes.IsKnownManifest(contentType) && !string.Equals(fields.MediaType, contentType, StringComparison.Ordinal))
            return $"mediaType in the manifest is {Shown(fields.MediaType)}, but Content-Type says {Shown(contentType)}";
        if (MediaTypes.IsKnownManifest(mediaType) && mediaType != MediaTypes.OciArtifact && fields.SchemaVersion != 2)
            return "schemaVersion is not 2";
        return mediaType switch
        {
            MediaTypes.OciIndex or MediaTypes.DockerManifestList when fields.Manifests is null => "index has no manifests list",
            MediaTypes.OciIndex or MediaTypes.DockerManifestList when fields.Layers is not null || fields.Config is not null => "index has fields of an image manifest",
            MediaTypes.OciManifest or MediaTypes.DockerManifest when fields.Manifests is not null => "image manifest has a manifests list",
            MediaTypes.OciManifest or MediaTypes.DockerManifest when fields.Config is null => "image manifest has no config",
            MediaTypes.OciManifest or MediaTypes.DockerManifest when fields.Layers is null => "image manifest has no layers list",
            _ => "",
        };
    }

    private static string Shown(string? text) => text is null ? "(none)" : text.Length <= 100 ? text : text[..100] + "…";

    private sealed class Fields
    {
        public static readonly string[] Names =
            ["schemaVersion", "mediaType", "artifactType", "config", "layers", "blobs", "manifests", "subject", "annotations"];

        public readonly HashSet<string> Seen = new(StringComparer.Ordinal);
        public int SchemaVersion;
        public string? MediaType;
        public string? ArtifactType;
        public Descriptor? Config;
        public Descriptor? Subject;
        public List<Descriptor>? Layers;
        public List<Descriptor>? Blobs;
        public List<Descriptor>? Manifests;
        public string? Annotations;
    }
}
