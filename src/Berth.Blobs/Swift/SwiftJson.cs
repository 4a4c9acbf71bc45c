using System.Globalization;
using System.Text.Json.Serialization;

namespace Berth.Blobs.Swift;

/// <summary>An object in a container's list.</summary>
internal sealed record SwiftEntry([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("bytes")] long Bytes, [property: JsonPropertyName("last_modified")] string LastModified)
{
    /// <summary>When it was written. Swift leaves out the time zone, which is UTC.</summary>
    [JsonIgnore]
    public DateTimeOffset ChangedAt =>
        DateTimeOffset.TryParse(LastModified, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : DateTimeOffset.MinValue;
}

/// <summary>A segment in the manifest of a static large object.</summary>
internal sealed record SwiftSegment([property: JsonPropertyName("path")] string Path, [property: JsonPropertyName("etag")] string Etag, [property: JsonPropertyName("size_bytes")] long Bytes);

[JsonSerializable(typeof(List<SwiftEntry>))]
[JsonSerializable(typeof(List<SwiftSegment>))]
internal sealed partial class SwiftJson : JsonSerializerContext;
