using System.Text.Json.Serialization;

namespace Berth.Server.Backup;

/// <summary>One backup: what it consists of. It is written last, so that what has a manifest is whole.</summary>
public sealed record BackupManifest
{
    /// <summary>Version of the form of a backup that this version writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Version of the form.</summary>
    public required int Format { get; init; }

    /// <summary>Name of the backup, in the order of time.</summary>
    public required string Id { get; init; }

    /// <summary>When the database was read, Unix milliseconds.</summary>
    public required long TakenAt { get; init; }

    /// <summary>The database that it was read from.</summary>
    public required string Database { get; init; }

    /// <summary>The migrations that it had.</summary>
    public required IReadOnlyList<string> Migrations { get; init; }

    /// <summary>The export of the database (<see cref="DatabaseExport"/>).</summary>
    public required BackupFile Export { get; init; }

    /// <summary>The list of all blobs (<see cref="BlobEntry"/>, one a line).</summary>
    public required BackupFile Blobs { get; init; }

    /// <summary>How many blobs.</summary>
    public required long BlobCount { get; init; }

    /// <summary>Their bytes.</summary>
    public required long BlobBytes { get; init; }

    /// <summary>Digests of blobs whose bytes were missing or wrong in the store and are not in the backup.</summary>
    public IReadOnlyList<string> Lacking { get; init; } = [];

    /// <summary>The secret key of the installation; null when it had none yet.</summary>
    public SecretKeyCopy? SecretKey { get; init; }
}

/// <summary>A file of a backup, compressed with gzip.</summary>
/// <param name="Key">Where it lies in the target.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its size in bytes.</param>
public sealed record BackupFile(string Key, string Digest, long Size);

/// <summary>A blob as the database knew it.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Store">The store that it lay in.</param>
/// <param name="Key">Key within that store; null where the digest says the path.</param>
public sealed record BlobEntry(
    [property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("n")] long Size, [property: JsonPropertyName("s")] string Store, [property: JsonPropertyName("k")] string? Key);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BackupManifest))]
[JsonSerializable(typeof(BlobEntry))]
[JsonSerializable(typeof(BackupReport))]
[JsonSerializable(typeof(RestoreReport))]
internal sealed partial class BackupJson : JsonSerializerContext;
