using System.Text.Json.Serialization;

namespace Berth.Scanner.Advisories.Database;

/// <summary>What an advisory database says about itself.</summary>
public sealed record DatabaseMetadata
{
    /// <summary>Schema of the file.</summary>
    public int Schema { get; init; } = SortedTableFormat.Schema;

    /// <summary>When it was built (UTC).</summary>
    public DateTimeOffset BuiltAt { get; init; }

    /// <summary>Where its content comes from.</summary>
    public IReadOnlyList<DatabaseSource> Sources { get; init; } = [];

    public IReadOnlyList<AdvisoryBucket> Buckets { get; init; } = [];

    /// <summary>Pairs of package and advisory.</summary>
    public long Advisories { get; init; }

    /// <summary>Flaws with details.</summary>
    public long Details { get; init; }

    /// <summary>Flaws with a probability of exploitation.</summary>
    public long Predictions { get; init; }

    /// <summary>Flaws that are known to be exploited.</summary>
    public long KnownExploitations { get; init; }

    /// <summary>The date of the newest source; null when no source says one.</summary>
    [JsonIgnore]
    public DateTimeOffset? NewestSource => Sources.Max(static s => s.UpdatedAt);
}

/// <summary>One thing that went into a database.</summary>
/// <param name="Feed">Kind: <c>trivy</c>, <c>osv</c>, <c>alpine</c>, <c>debian</c>, <c>epss</c>, <c>kev</c>, <c>constraints</c>.</param>
/// <param name="Name">File or reference it was read from, without folders.</param>
public sealed record DatabaseSource(string Feed, string Name)
{
    /// <summary>Date of the data as the source says it, or the newest date in them; null when unknown.</summary>
    public DateTimeOffset? UpdatedAt { get; init; }

    /// <summary>When the source expects to be newer; null when it does not say.</summary>
    public DateTimeOffset? NextUpdate { get; init; }

    /// <summary>Records that were taken.</summary>
    public long Records { get; init; }

    /// <summary>Records that could not be read and were left out.</summary>
    public long Skipped { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = false, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DatabaseMetadata))]
internal sealed partial class DatabaseMetadataJson : JsonSerializerContext;
