using System.Text.Json;
using Berth.Oci;

namespace Berth.Client.Content;

/// <summary>A line of an index or of a list of referrers (OCI image spec, image-index.md).</summary>
/// <param name="Digest">The manifest.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Size">Its size in bytes.</param>
public sealed record IndexEntry(Digest Digest, string MediaType, long Size)
{
    private const string DockerReferenceType = "vnd.docker.reference.type";

    public string ArtifactType { get; init; } = "";

    /// <summary>What the image runs on; null when the line does not say.</summary>
    public ImagePlatform? Platform { get; init; }

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether this is no image but what BuildKit tells about one: it stands among the images, for an unknown platform.</summary>
    public bool IsAttestation => Annotations.GetValueOrDefault(DockerReferenceType) == "attestation-manifest" || Platform is { Architecture: "unknown" };

    /// <summary>Reads the lines of an index that was found to be one.</summary>
    /// <param name="index">The document.</param>
    /// <param name="max">How many lines are read.</param>
    /// <exception cref="RegistryException">It is no index, or has more lines.</exception>
    public static IReadOnlyList<IndexEntry> Read(ReadOnlyMemory<byte> index, int max)
    {
        try
        {
            using var json = JsonDocument.Parse(index, new JsonDocumentOptions { MaxDepth = 64 });
            if (Member(json.RootElement, "manifests") is not { ValueKind: JsonValueKind.Array } lines) throw new RegistryException(RegistryFailure.WrongContent, "the index has no list of manifests");
            if (lines.GetArrayLength() > max) throw new RegistryException(RegistryFailure.TooLarge, $"the index has {lines.GetArrayLength()} entries, up to {max} are read");
            return [.. lines.EnumerateArray().Select(Entry)];
        }
        catch (JsonException e)
        {
            throw new RegistryException(RegistryFailure.WrongContent, "the index is no valid JSON", e);
        }
    }

    /// <summary>The entry that fits a platform best; null when none does. Without a platform that of this machine, else the first.</summary>
    public static IndexEntry? Choose(IReadOnlyList<IndexEntry> entries, ImagePlatform? platform)
    {
        var images = entries.Where(static entry => !entry.IsAttestation).ToList();
        var wanted = platform ?? ImagePlatform.OfThisMachine;
        var best = images.Where(entry => entry.Platform is not null && wanted.FitOf(entry.Platform) > 0).MaxBy(entry => wanted.FitOf(entry.Platform!));
        // A single entry that does not say is the image itself, or an index that knows more.
        return best ?? (images.Count == 1 && images[0].Platform is null ? images[0] : platform is null ? images.FirstOrDefault() : null);
    }

    private static IndexEntry Entry(JsonElement line)
    {
        if (!Digest.TryParse(Text(line, "digest"), out var digest)) throw new RegistryException(RegistryFailure.WrongContent, "an entry of the index has no valid digest");
        var size = Member(line, "size") is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var bytes) ? bytes : 0;
        return new IndexEntry(digest, Text(line, "mediaType"), size)
        {
            ArtifactType = Text(line, "artifactType"),
            Platform = Member(line, "platform") is { ValueKind: JsonValueKind.Object } platform ? new ImagePlatform(Text(platform, "os"), Text(platform, "architecture"), Text(platform, "variant")) : null,
            Annotations = Member(line, "annotations") is { ValueKind: JsonValueKind.Object } notes
                ? notes.EnumerateObject().Where(static note => note.Value.ValueKind == JsonValueKind.String).DistinctBy(static note => note.Name).ToDictionary(static note => note.Name, static note => note.Value.GetString()!)
                : new Dictionary<string, string>(),
        };
    }

    private static JsonElement Member(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    private static string Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}
