using System.Text;
using System.Text.Json;

namespace Berth.Server.Scanning.Sboms;

/// <summary>What a bill of materials is written in.</summary>
internal enum SbomFormat
{
    /// <summary>CycloneDX in JSON.</summary>
    CycloneDx,

    /// <summary>SPDX 2.x in JSON.</summary>
    Spdx,
}

/// <summary>A bill of materials that somebody attached, taken out of what it was wrapped in.</summary>
/// <param name="Format">What it is written in.</param>
/// <param name="Version">Version of the format, such as <c>1.6</c> or <c>SPDX-2.3</c>.</param>
/// <param name="Wrapping"><c>document</c>, <c>in-toto</c>, <c>dsse</c> or <c>sigstore-bundle</c>.</param>
/// <param name="Document">The document itself, JSON.</param>
/// <param name="Tools">What made it, as it says itself; the first few.</param>
/// <param name="CreatedAt">When it was made, as it says itself; empty when it does not.</param>
/// <param name="Subjects">Digests (<c>sha256:…</c>) that an attestation says it is about; empty for a bare document.</param>
internal sealed record SbomEnvelope(SbomFormat Format, string Version, string Wrapping, byte[] Document, IReadOnlyList<string> Tools, string CreatedAt, IReadOnlyList<string> Subjects)
{
    private const int MaxDepth = 64;
    private const int MaxTools = 10;
    private const int MaxTextChars = 200;
    private const int MaxSubjects = 1000;

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = MaxDepth };

    /// <summary>
    /// Takes a document out of its wrappings: a sigstore bundle holds a DSSE envelope, which holds an in-toto statement, which holds the document as its predicate. Signatures are not looked at.
    /// Null when there is no CycloneDX or SPDX document in it; whatever the bytes are, nothing is thrown.
    /// </summary>
    public static SbomEnvelope? Open(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var json = JsonDocument.Parse(content, s_options);
            return Open(json.RootElement, content, "document", [], 0);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or DecoderFallbackException)
        {
            // Anybody may attach anything: what cannot be read is no bill of materials.
            return null;
        }
    }

    private static SbomEnvelope? Open(JsonElement root, ReadOnlyMemory<byte> raw, string wrapping, IReadOnlyList<string> subjects, int depth)
    {
        if (root.ValueKind != JsonValueKind.Object || depth > 4) return null;
        if (Text(root, "bomFormat") == "CycloneDX") return Bare(root, raw, SbomFormat.CycloneDx, Text(root, "specVersion"), wrapping, subjects);
        if (Text(root, "spdxVersion") is { Length: > 0 } version && version.StartsWith("SPDX-", StringComparison.Ordinal)) return Bare(root, raw, SbomFormat.Spdx, version, wrapping, subjects);
        if (root.TryGetProperty("dsseEnvelope", out var envelope)) return Open(envelope, default, "sigstore-bundle", subjects, depth + 1);
        if (Text(root, "payload") is { Length: > 0 } payload && Text(root, "payloadType").StartsWith("application/vnd.in-toto", StringComparison.Ordinal))
            return Nested(Convert.FromBase64String(payload), wrapping == "document" ? "dsse" : wrapping, subjects, depth);
        if (!root.TryGetProperty("predicate", out var predicate) || !Text(root, "_type").StartsWith("https://in-toto.io/Statement/", StringComparison.Ordinal)) return null;
        var about = SubjectsOf(root);
        var name = wrapping == "document" ? "in-toto" : wrapping;
        // Older tools put the document into a field of the predicate, as an object or as text.
        if (predicate.ValueKind == JsonValueKind.Object && predicate.TryGetProperty("Data", out var data)) predicate = data;
        return predicate.ValueKind == JsonValueKind.String
            ? Nested(Encoding.UTF8.GetBytes(predicate.GetString()!), name, about, depth)
            : Open(predicate, default, name, about, depth + 1);
    }

    private static SbomEnvelope? Nested(byte[] content, string wrapping, IReadOnlyList<string> subjects, int depth)
    {
        using var json = JsonDocument.Parse(content, s_options);
        return Open(json.RootElement, content, wrapping, subjects, depth + 1);
    }

    private static SbomEnvelope Bare(JsonElement root, ReadOnlyMemory<byte> raw, SbomFormat format, string version, string wrapping, IReadOnlyList<string> subjects)
    {
        var bytes = raw.IsEmpty ? Encoding.UTF8.GetBytes(root.GetRawText()) : raw.ToArray();
        var (tools, created) = format == SbomFormat.Spdx ? SpdxMaker(root) : CycloneDxMaker(root);
        return new SbomEnvelope(format, Cut(version), wrapping, bytes, [.. tools.Where(static tool => tool.Length > 0).Select(Cut).Take(MaxTools)], Cut(created), subjects);
    }

    private static (IEnumerable<string> Tools, string Created) SpdxMaker(JsonElement root)
    {
        if (!root.TryGetProperty("creationInfo", out var info) || info.ValueKind != JsonValueKind.Object) return ([], "");
        return (Items(info, "creators").Where(static one => one.ValueKind == JsonValueKind.String).Select(static one => one.GetString()!), Text(info, "created"));
    }

    // 1.5 and later: an object with components and services; before: a list.
    private static (IEnumerable<string> Tools, string Created) CycloneDxMaker(JsonElement root)
    {
        if (!root.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object) return ([], "");
        var tools = metadata.TryGetProperty("tools", out var given) && given.ValueKind == JsonValueKind.Object ? Items(given, "components") : Items(metadata, "tools");
        return (tools.Select(static tool => $"{Text(tool, "name")} {Text(tool, "version")}".Trim()).Concat(Items(metadata, "authors").Select(static author => Text(author, "name"))), Text(metadata, "timestamp"));
    }

    private static List<string> SubjectsOf(JsonElement statement)
    {
        var found = new List<string>();
        foreach (var subject in Items(statement, "subject").Take(MaxSubjects))
        {
            if (subject.ValueKind != JsonValueKind.Object || !subject.TryGetProperty("digest", out var digests) || digests.ValueKind != JsonValueKind.Object) continue;
            foreach (var digest in digests.EnumerateObject().Where(static one => one.Value.ValueKind == JsonValueKind.String)) found.Add($"{digest.Name}:{digest.Value.GetString()}");
        }
        return found;
    }

    private static IEnumerable<JsonElement> Items(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static string Text(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Cut(string text) => text.Length <= MaxTextChars ? text : text[..MaxTextChars];
}
