using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Scanner.Advisories.Updates;

/// <summary>What the database in use was made of: so that the same is not fetched again.</summary>
internal sealed record UpdateState
{
    /// <summary>Name of the database's file.</summary>
    public string? Database { get; init; }

    /// <summary>Digest of the artifact of each source.</summary>
    public IReadOnlyDictionary<string, string>? Digests { get; init; }

    /// <summary>When the first of the sources expects to be newer; null when none says.</summary>
    public DateTimeOffset? NextUpdate { get; init; }

    /// <summary>When the sources were last asked.</summary>
    public DateTimeOffset CheckedAt { get; init; }

    /// <summary>Reads the file; an empty state when it is not there or not readable.</summary>
    public static UpdateState Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), UpdateStateJson.Default.UpdateState) ?? new UpdateState() : new UpdateState();
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            // It saves work and is no truth: everything is fetched then.
            return new UpdateState();
        }
    }

    public void Write(string path)
    {
        var part = $"{path}.{Path.GetRandomFileName()}";
        File.WriteAllBytes(part, JsonSerializer.SerializeToUtf8Bytes(this, UpdateStateJson.Default.UpdateState));
        File.Move(part, path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UpdateState))]
internal sealed partial class UpdateStateJson : JsonSerializerContext;
