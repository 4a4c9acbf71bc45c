using System.Text;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>
/// What lists show of an artifact that stands in its configuration blob, or in the entries of an index. Read from the blob store when it is asked for the first time,
/// then kept in the manifest's row: a push reads nothing, and a list reads no blobs.
/// </summary>
internal sealed class ArtifactDetails(Database database, BlobBytes blobs)
{
    /// <summary>Largest configuration that is read.</summary>
    public const int MaxConfigBytes = 4 * 1024 * 1024;

    private const int MaxExtraChars = 64 * 1024;
    private const int MaxReferences = 1000;
    private const int MaxDepth = 64;

    // What Harbor shows of an image's config (OCI image spec, config.md, "Properties").
    private static readonly string[] s_imageConfig =
        ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "ArgsEscaped"];

    private static readonly string[] s_authorLabels = ["org.opencontainers.image.authors", "maintainer"];

    /// <summary>Rows with their details; what was not known before is kept for the next time.</summary>
    public async ValueTask<IReadOnlyList<ArtifactRow>> FillAsync(IReadOnlyList<ArtifactRow> rows, CancellationToken ct)
    {
        List<(long Id, string Details)>? made = null;
        var filled = new ArtifactRow[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            filled[i] = rows[i];
            if (rows[i].Details is not null) continue;
            if (await MakeAsync(rows[i], ct).ConfigureAwait(false) is not { } details) continue;
            filled[i] = rows[i] with { Details = details };
            (made ??= []).Add((rows[i].Id, details));
        }
        if (made is null) return filled;
        await database.WriteAsync(Durability.Relaxed, async (session, t) =>
        {
            foreach (var (id, details) in made) await session.ExecuteAsync(SetDetails, [id, details], t).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return filled;
    }

    /// <summary>The configuration of a manifest, parsed; null when there is none, or it is too large or no JSON object.</summary>
    public async ValueTask<JsonDocument?> ReadConfigAsync(ManifestDocument manifest, CancellationToken ct)
    {
        if (manifest.Config is not { Size: > 0 and <= MaxConfigBytes } config) return null;
        var bytes = await blobs.ReadAsync(config.Digest, (int)config.Size, ct).ConfigureAwait(false);
        return bytes is null ? null : TryParse(bytes);
    }

    // Null when the configuration is not to be had right now: the next one who asks tries again.
    private async ValueTask<string?> MakeAsync(ArtifactRow row, CancellationToken ct)
    {
        var content = await database.ReadAsync(row.Id, static (s, id, t) => ArtifactRows.ReadContentAsync(s, id, t), ct).ConfigureAwait(false);
        if (content is null || !ManifestReader.TryRead(content.Value.Content, content.Value.MediaType, out var manifest, out _)) return "{}";
        if (manifest.IsIndex) return WriteIndex(content.Value.Content);
        using var config = await ReadConfigAsync(manifest, ct).ConfigureAwait(false);
        if (config is null && manifest.Config is { Size: > 0 and <= MaxConfigBytes } missing && !await blobs.ExistsAsync(missing.Digest, ct).ConfigureAwait(false)) return null;
        return Write(json => WriteExtra(json, row.Kind, manifest, content.Value.Content, config?.RootElement));
    }

    private static JsonDocument? TryParse(byte[] bytes)
    {
        try
        {
            var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            // Anybody may push a configuration that is none: there is nothing to show of it.
            return null;
        }
    }

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        try
        {
            using var json = new Utf8JsonWriter(stream);
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        catch (InvalidOperationException)
        {
            // A configuration with text that is not valid UTF-8: there is nothing to show of it.
            return "{}";
        }
        return stream.Length > MaxExtraChars * 2 ? "{}" : Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void WriteExtra(Utf8JsonWriter json, string kind, ManifestDocument manifest, byte[] content, JsonElement? config)
    {
        if (kind == ArtifactKinds.Wasm && !ArtifactKinds.IsAnnotatedWasm(manifest) && manifest.Config?.MediaType != MediaTypes.OciConfig)
        {
            json.WriteStartObject("extra_attrs");
            WriteWasm(json, manifest, content);
            json.WriteEndObject();
        }
        else if (kind is ArtifactKinds.Image or ArtifactKinds.Wasm && config is { } image)
        {
            json.WriteStartObject("extra_attrs");
            if (kind == ArtifactKinds.Wasm) json.WriteString("manifest.config.mediaType", manifest.Config!.MediaType);
            WriteImage(json, image);
            json.WriteEndObject();
        }
        else if (kind != ArtifactKinds.Unknown && config is { } whole && whole.GetRawText() is { Length: <= MaxExtraChars } text)
        {
            json.WritePropertyName("extra_attrs");
            json.WriteRawValue(text);
        }
    }

    private static void WriteImage(Utf8JsonWriter json, JsonElement image)
    {
        Copy(json, image, "architecture", "\"\"");
        Copy(json, image, "os", "\"\"");
        Copy(json, image, "created", "null");
        json.WriteString("author", AuthorOf(image));
        json.WriteStartObject("config");
        if (image.TryGetProperty("config", out var config) && config.ValueKind == JsonValueKind.Object && config.GetRawText().Length <= MaxExtraChars)
        {
            foreach (var name in s_imageConfig)
            {
                if (!config.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null) continue;
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }
        json.WriteEndObject();
    }

    private static string AuthorOf(JsonElement image)
    {
        if (TextOf(image, "author") is { Length: > 0 } author) return author;
        if (!image.TryGetProperty("config", out var config) || config.ValueKind != JsonValueKind.Object) return "";
        if (!config.TryGetProperty("Labels", out var labels) || labels.ValueKind != JsonValueKind.Object) return "";
        foreach (var label in s_authorLabels)
        {
            if (TextOf(labels, label) is { Length: > 0 } text) return text;
        }
        return "";
    }

    // The form of wasm-to-oci: the module is the first layer.
    private static void WriteWasm(Utf8JsonWriter json, ManifestDocument manifest, byte[] content)
    {
        json.WriteString("manifest.config.mediaType", ArtifactKinds.ConfigTypeOf(manifest));
        if (manifest.Layers.Count == 0) return;
        json.WriteString("manifest.layers.mediaType", manifest.Layers[0].MediaType);
        using var document = JsonDocument.Parse(content);
        var title = "";
        if (document.RootElement.TryGetProperty("layers", out var layers) && layers[0].TryGetProperty("annotations", out var annotations) && annotations.ValueKind == JsonValueKind.Object)
            title = TextOf(annotations, "org.opencontainers.image.title") ?? "";
        json.WriteString("org.opencontainers.image.title", title);
    }

    private static string WriteIndex(byte[] content)
    {
        using var document = TryParse(content);
        if (document is null || !document.RootElement.TryGetProperty("manifests", out var entries) || entries.ValueKind != JsonValueKind.Array) return "{}";
        return Write(json =>
        {
            json.WriteStartArray("references");
            foreach (var entry in entries.EnumerateArray().Take(MaxReferences)) WriteReference(json, entry);
            json.WriteEndArray();
        });
    }

    private static void WriteReference(Utf8JsonWriter json, JsonElement entry)
    {
        json.WriteStartObject();
        json.WriteString("child_digest", TextOf(entry, "digest"));
        if (entry.TryGetProperty("platform", out var platform) && platform.ValueKind == JsonValueKind.Object)
        {
            json.WriteStartObject("platform");
            // Harbor's names; two of them have quotes of their own.
            foreach (var (from, to) in (ReadOnlySpan<(string, string)>)[("architecture", "architecture"), ("os", "os"), ("os.version", "'os.version'"), ("os.features", "'os.features'"), ("variant", "variant")])
            {
                if (!platform.TryGetProperty(from, out var value)) continue;
                json.WritePropertyName(to);
                value.WriteTo(json);
            }
            json.WriteEndObject();
        }
        foreach (var name in (ReadOnlySpan<string>)["annotations", "urls"])
        {
            if (!entry.TryGetProperty(name, out var value) || value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) continue;
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
        json.WriteEndObject();
    }

    private static void Copy(Utf8JsonWriter json, JsonElement from, string name, string whenMissing)
    {
        json.WritePropertyName(name);
        if (from.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String) value.WriteTo(json);
        else json.WriteRawValue(whenMissing);
    }

    private static string? TextOf(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static readonly Statement SetDetails = new("UPDATE manifests SET details = @1 WHERE id = @0 AND details IS NULL");
}
