using System.Text.Json;

namespace Berth.Server.GarbageCollection;

/// <summary>How to collect.</summary>
public sealed record CollectionOptions
{
    /// <summary>Only tell what would be removed.</summary>
    public bool DryRun { get; init; }

    /// <summary>Remove manifests that no tag leads to; without it every manifest stays.</summary>
    public bool DeleteUntagged { get; init; }

    /// <summary>Print nothing.</summary>
    public bool Quiet { get; init; }

    /// <summary>
    /// What was pushed or linked this recently is kept: a client may be about to push the manifest, the index or the tag that needs it. Zero where no
    /// server runs on the same data; what is linked after the collection began is kept in any case.
    /// </summary>
    public TimeSpan Grace { get; init; }

    /// <summary>Most blobs or manifests of one transaction.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>The grace where a server runs, or may run.</summary>
    public static readonly TimeSpan GraceBesideServer = TimeSpan.FromHours(1);
}

/// <summary>What a collection found and removed.</summary>
public sealed record CollectionReport
{
    /// <summary>Nothing was removed.</summary>
    public required bool IsDryRun { get; init; }

    /// <summary>Digests in use: manifests that stay, and the blobs that they need.</summary>
    public required long Marked { get; init; }

    /// <summary>Manifests removed, or in a dry run to be removed.</summary>
    public required long Manifests { get; init; }

    /// <summary>Blobs removed, or in a dry run to be removed.</summary>
    public required long Blobs { get; init; }

    /// <summary>Bytes that vanished from the store; in a dry run, recorded bytes that would.</summary>
    public required long FreedBytes { get; init; }

    /// <summary>The report as indented JSON with camel-case names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { WriteIndented = true };
}

/// <summary>Collecting now would destroy data.</summary>
public sealed class CollectionRefusedException(string message) : InvalidOperationException(message);
