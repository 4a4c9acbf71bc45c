using System.Text.Json;

namespace Berth.Server.Integrity;

/// <summary>What to do about what is found.</summary>
public sealed record FsckOptions
{
    /// <summary>Quarantines blobs whose bytes are missing or have another size, heals those that are right again, and lets go of objects that no row names.</summary>
    public bool Repair { get; init; }

    /// <summary>Records content that the stores have and the database does not, and links it to the manifests that name it.</summary>
    public bool Rebuild { get; init; }
}

/// <summary>What came of a comparison of database and blob stores.</summary>
public sealed record FsckReport
{
    private const int MaxListed = 10_000;

    private static readonly JsonSerializerOptions s_format = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly Lock _gate = new();

    /// <summary>Blobs that the database names.</summary>
    public long Blobs { get; set; }

    /// <summary>Their bytes, as recorded.</summary>
    public long Bytes { get; set; }

    /// <summary>Objects in the stores.</summary>
    public long Objects { get; set; }

    /// <summary>Of these, younger than an hour and named by no row: left alone, a push may be under way.</summary>
    public long YoungObjects { get; set; }

    /// <summary>Of these, parts of backups: left alone.</summary>
    public long BackupObjects { get; set; }

    /// <summary>Uploads that no session, blob or removal names and that nobody touched for an hour: the registry's janitor removes them too.</summary>
    public long UnknownUploads { get; set; }

    /// <summary>Blobs in quarantine at the end.</summary>
    public long Quarantined { get; set; }

    /// <summary>Objects that wait for their removal.</summary>
    public long WaitingRemovals { get; set; }

    /// <summary>Their bytes.</summary>
    public long WaitingBytes { get; set; }

    /// <summary>Blobs whose object is not there.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Blobs whose object has another size.</summary>
    public List<string> WrongSize { get; } = [];

    /// <summary>Objects that no row names, as <c>store: digest or key</c>.</summary>
    public List<string> Orphans { get; } = [];

    /// <summary>How many problems there were; the lists end at 10,000 lines each.</summary>
    public long Problems { get; set; }

    /// <summary>Blobs that were quarantined.</summary>
    public long NewlyQuarantined { get; set; }

    /// <summary>Blobs that were healed.</summary>
    public long Healed { get; set; }

    /// <summary>Objects and uploads that were let go of.</summary>
    public long Removed { get; set; }

    /// <summary>Blobs that were recorded.</summary>
    public long Recorded { get; set; }

    /// <summary>Whether database and stores agree, or were brought to.</summary>
    public bool IsClean => Problems == 0 && Quarantined == 0;

    /// <summary>The report as indented JSON with camel-case names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_format);

    internal void AddQuarantined()
    {
        lock (_gate) NewlyQuarantined++;
    }

    internal void Add(List<string> list, string line)
    {
        lock (_gate)
        {
            Problems++;
            if (list.Count < MaxListed) list.Add(line);
        }
    }
}
