using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Blobs.Encryption;

/// <summary>What an upload's session keeps of an encrypted upload: enough for any replica to go on at any byte. No plain byte is in it.</summary>
/// <param name="Inner">State of the store below.</param>
/// <param name="Header">Header of the object.</param>
/// <param name="Chunk">The chunk that is not written yet, as far as it has come, sealed; at most one chunk.</param>
internal sealed record SavedUpload(
    [property: JsonPropertyName("inner")] string? Inner,
    [property: JsonPropertyName("header")] byte[] Header,
    [property: JsonPropertyName("chunk")] byte[] Chunk)
{
    // What a store below never begins its own state with.
    private const string Mark = "e1:";

    /// <summary>Whether a state is one of ours.</summary>
    public static bool IsOne(string? state) => state is not null && state.StartsWith(Mark, StringComparison.Ordinal);

    /// <summary>Reads a state; null when it is none of ours, or broken.</summary>
    public static SavedUpload? Parse(string? state)
    {
        if (!IsOne(state)) return null;
        try
        {
            var saved = JsonSerializer.Deserialize(state.AsSpan(Mark.Length), SavedUploadJson.Default.SavedUpload);
            return saved is { Header: not null, Chunk.Length: >= SealedSize.Overhead and <= SealedSize.SealedChunk } ? saved : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public override string ToString() => Mark + JsonSerializer.Serialize(this, SavedUploadJson.Default.SavedUpload);
}

[JsonSerializable(typeof(SavedUpload))]
internal sealed partial class SavedUploadJson : JsonSerializerContext;
