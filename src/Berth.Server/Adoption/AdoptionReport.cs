using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Server.Adoption;

/// <summary>How to adopt.</summary>
public sealed record AdoptionOptions
{
    /// <summary>Read every blob and compare its hash with its name; a blob that differs is not recorded.</summary>
    public bool Verify { get; init; }

    /// <summary>Largest manifest in bytes (<see cref="Registry.RegistryOptions.MaxManifestBytes"/>).</summary>
    public int MaxManifestBytes { get; init; } = 4 << 20;

    /// <summary>Most blobs, links, manifests or tags of one transaction.</summary>
    public int BatchSize { get; init; } = 500;

    /// <summary>Most files or objects read side by side; 0 takes four for each processor, sixteen (32 to 128 in all) from a bucket.</summary>
    public int MaxReaders { get; init; }
}

/// <summary>What an adoption is busy with.</summary>
public enum AdoptionPhase
{
    /// <summary>Recording blobs; a step is those whose digests begin alike.</summary>
    Blobs,

    /// <summary>Recording links, manifests and tags; a step is a repository.</summary>
    Repositories,

    /// <summary>Everything is recorded.</summary>
    Done,
}

/// <summary>How far an adoption is; told after every transaction.</summary>
/// <param name="Phase">What is done now.</param>
/// <param name="Done">Finished steps of the phase.</param>
/// <param name="Total">Steps that the phase has.</param>
/// <param name="Found">What was found until now.</param>
public sealed record AdoptionProgress(AdoptionPhase Phase, int Done, int Total, AdoptionCounts Found);

/// <summary>Numbers of things; bytes are those of blobs.</summary>
public sealed record AdoptionCounts(long Repositories, long Tags, long Manifests, long Links, long Blobs, long Bytes);

/// <summary>Something that is not as it should be.</summary>
/// <param name="Kind"><c>repository</c>, <c>blob</c>, <c>link</c>, <c>manifest</c> or <c>tag</c>.</param>
/// <param name="Name">Which one: <c>repository</c>, <c>repository@digest</c>, <c>repository:tag</c> or a digest.</param>
/// <param name="Reason">What is wrong with it.</param>
/// <param name="IsAdopted">True when it was recorded all the same, as Docker Registry serves it: a manifest whose layer is missing.</param>
public sealed record AdoptionFinding(string Kind, string Name, string Reason, bool IsAdopted);

/// <summary>What an adoption found and did.</summary>
public sealed record AdoptionReport
{
    /// <summary>Most findings that a report lists; more are only counted.</summary>
    public const int MaxFindings = 10_000;

    /// <summary>The storage root or bucket that was read.</summary>
    public required string Root { get; init; }

    /// <summary>What it holds and the database now knows.</summary>
    public required AdoptionCounts Found { get; init; }

    /// <summary>How much of it the database did not know before; a moved tag counts.</summary>
    public required AdoptionCounts Added { get; init; }

    /// <summary>How many things were left out.</summary>
    public required long Skipped { get; init; }

    /// <summary>How many manifests were recorded although something they name is missing.</summary>
    public required long Incomplete { get; init; }

    /// <summary>What was left out or is incomplete, with reasons; at most <see cref="MaxFindings"/>.</summary>
    public required IReadOnlyList<AdoptionFinding> Findings { get; init; }

    /// <summary>Whether every blob was read and hashed.</summary>
    public required bool IsVerified { get; init; }

    /// <summary>Time taken, in seconds.</summary>
    public required double ElapsedSeconds { get; init; }

    /// <summary>The report as indented JSON with camel-case names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };
}
