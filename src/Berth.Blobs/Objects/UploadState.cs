using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Blobs.Objects;

/// <summary>What an upload's session keeps for the store (<see cref="UploadMark.State"/>): its parts and, behind them, its tails.</summary>
internal sealed record UploadState
{
    /// <summary>The service's name of the object in parts; null while there are no parts.</summary>
    [JsonPropertyName("session")]
    public string? Session { get; init; }

    /// <summary>Sizes of the parts 1, 2, 3 …, which lie one behind the other.</summary>
    [JsonPropertyName("sizes")]
    public IReadOnlyList<int> Sizes { get; init; } = [];

    /// <summary>What the service said of each part.</summary>
    [JsonPropertyName("tags")]
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>What lies behind the parts, in order.</summary>
    [JsonPropertyName("tails")]
    public IReadOnlyList<UploadTail> Tails { get; init; } = [];

    /// <summary>True once a tail was written, whatever became of it.</summary>
    [JsonPropertyName("had_tails")]
    public bool HadTails { get; init; }

    /// <summary>The parts with their places.</summary>
    [JsonIgnore]
    public IEnumerable<Part> Parts
    {
        get
        {
            var offset = 0L;
            for (var i = 0; i < Sizes.Count; i++)
            {
                yield return new Part(i + 1, offset, Sizes[i], Tags[i]);
                offset += Sizes[i];
            }
        }
    }

    public static string Write(UploadState state) => JsonSerializer.Serialize(state, UploadStateJson.Default.UploadState);

    /// <summary>Reads a state; null when it is none that this store wrote.</summary>
    public static UploadState? Read(string? json)
    {
        if (json is null) return null;
        try
        {
            var state = JsonSerializer.Deserialize(json, UploadStateJson.Default.UploadState);
            return state is not null && state.Sizes.Count == state.Tags.Count && (state.Session is not null || state.Sizes.Count == 0) ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Bytes that are too few for a part.</summary>
/// <param name="Name">Name of their object below the upload's prefix; never used for other bytes.</param>
/// <param name="Size">How many.</param>
internal sealed record UploadTail([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("size")] int Size);

[JsonSerializable(typeof(UploadState))]
internal sealed partial class UploadStateJson : JsonSerializerContext;
