using System.Text;
using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Artifacts.Pages;

/// <summary>What an artifact's page shows of its manifest: the text as it was pushed, and its layers beside the instructions that made them.</summary>
/// <param name="Text">The manifest.</param>
/// <param name="Layers">Its layers, with instructions that made none between them.</param>
internal sealed record ArtifactContent(string Text, IReadOnlyList<LayerLine> Layers)
{
    private const int MaxLines = 500;
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads it; the caller has been allowed to see the artifact.</summary>
    public static async Task<ArtifactContent> ReadAsync(UiCall call, ArtifactJson artifact, string? history)
    {
        var database = call.Http.RequestServices.GetRequiredService<Database>();
        var stored = await database.ReadAsync(artifact.Id, static (s, id, t) => ArtifactRows.ReadContentAsync(s, id, t), call.Http.RequestAborted).ConfigureAwait(false);
        if (stored is null) return new ArtifactContent("", []);
        using var manifest = JsonDocument.Parse(stored.Value.Content);
        return new ArtifactContent(Encoding.UTF8.GetString(stored.Value.Content), LinesOf(manifest.RootElement, InstructionsOf(history)));
    }

    /// <summary>JSON with line ends, for reading.</summary>
    public static string Pretty(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, s_indented);
    }

    /// <summary>A JSON value on one line, with letters of all languages as they are.</summary>
    public static string Plain(JsonElement value) => JsonSerializer.Serialize(value, s_plain);

    // Which layer an instruction made is told by order alone (OCI image spec, config.md, "history"): where the numbers differ nothing is claimed.
    private static List<LayerLine> LinesOf(JsonElement manifest, List<(string Text, bool IsEmpty)> instructions)
    {
        var layers = new List<LayerLine>();
        if (manifest.TryGetProperty("layers", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var layer in list.EnumerateArray().Take(MaxLines))
                layers.Add(new LayerLine(TextOf(layer, "digest"), TextOf(layer, "mediaType"), layer.TryGetProperty("size", out var size) && size.TryGetInt64(out var bytes) ? bytes : 0, ""));
        }
        if (instructions.Count(i => !i.IsEmpty) != layers.Count) return layers;
        var (lines, next) = (new List<LayerLine>(), 0);
        foreach (var (text, isEmpty) in instructions) lines.Add(isEmpty ? new LayerLine("", "", 0, text) : layers[next++] with { Instruction = text });
        return lines;
    }

    private static List<(string Text, bool IsEmpty)> InstructionsOf(string? history)
    {
        var found = new List<(string, bool)>();
        if (string.IsNullOrEmpty(history)) return found;
        using var document = JsonDocument.Parse(history);
        if (document.RootElement.ValueKind != JsonValueKind.Array) return found;
        foreach (var step in document.RootElement.EnumerateArray().Take(MaxLines))
        {
            if (step.ValueKind != JsonValueKind.Object) continue;
            var text = TextOf(step, "created_by");
            if (text.Length == 0) text = TextOf(step, "comment");
            found.Add((Plain(text), step.TryGetProperty("empty_layer", out var empty) && empty.ValueKind == JsonValueKind.True));
        }
        return found;
    }

    // The builder's shell around an instruction says nothing.
    private static string Plain(string text)
    {
        foreach (var prefix in (string[])["/bin/sh -c #(nop) ", "/bin/sh -c #(nop)", "/bin/sh -c "])
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal)) return (prefix == "/bin/sh -c " ? "RUN " : "") + text[prefix.Length..].Trim();
        }
        return text;
    }

    private static string TextOf(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";
}

/// <summary>One line of the layers' table.</summary>
/// <param name="Digest">The layer; empty for an instruction that made none.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Size">Its bytes, compressed.</param>
/// <param name="Instruction">What made it; empty when nobody says.</param>
internal sealed record LayerLine(string Digest, string MediaType, long Size, string Instruction);
