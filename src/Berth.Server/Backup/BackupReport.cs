using System.Text.Json;

namespace Berth.Server.Backup;

/// <summary>What a backup did.</summary>
public sealed record BackupReport
{
    /// <summary>Name of the backup.</summary>
    public required string Id { get; init; }

    /// <summary>Blobs that it holds.</summary>
    public required long Blobs { get; init; }

    /// <summary>Their bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Blobs that no earlier backup of the target had.</summary>
    public required long CopiedBlobs { get; init; }

    /// <summary>Their bytes.</summary>
    public required long CopiedBytes { get; init; }

    /// <summary>Digests of blobs whose bytes are missing or wrong in the store (1000 at most).</summary>
    public required IReadOnlyList<string> Lacking { get; init; }

    /// <summary>Whether it holds the secret key, sealed with the passphrase.</summary>
    public required bool HoldsSecretKey { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, BackupJson.Default.BackupReport);
}

/// <summary>How to restore.</summary>
public sealed record RestoreOptions
{
    /// <summary>Name of the backup; null for the latest.</summary>
    public string? Id { get; init; }

    /// <summary>Replace what is in the database.</summary>
    public bool Force { get; init; }

    /// <summary>Read every blob back from the store and hash it again.</summary>
    public bool Verify { get; init; }

    /// <summary>Opens the secret key of the backup; null: the key is where the settings say.</summary>
    public string? Passphrase { get; init; }

    /// <summary>The secret key is lost: leave out what it encrypts.</summary>
    public bool WithoutSecretKey { get; init; }
}

/// <summary>What a restore did.</summary>
public sealed record RestoreReport
{
    /// <summary>Name of the backup.</summary>
    public required string Id { get; init; }

    /// <summary>When the database was as it is now, Unix milliseconds.</summary>
    public required long TakenAt { get; init; }

    /// <summary>Rows of the database.</summary>
    public required long Rows { get; init; }

    /// <summary>Blobs of the database.</summary>
    public required long Blobs { get; init; }

    /// <summary>Blobs that were copied into the store; the others were there.</summary>
    public required long CopiedBlobs { get; init; }

    /// <summary>Blobs that were read back and hashed again.</summary>
    public required long VerifiedBlobs { get; init; }

    /// <summary>Digests of blobs that the backup lacks, as it said when it was made (1000 at most).</summary>
    public required IReadOnlyList<string> Lacking { get; init; }

    /// <summary>Whether the secret key was written to the data folder.</summary>
    public required bool HasRestoredSecretKey { get; init; }

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, BackupJson.Default.RestoreReport);
}

/// <summary>A restore was not begun, or not ended, because something is in its way; the message says what to do.</summary>
public sealed class RestoreRefusedException(string message) : InvalidOperationException(message);
