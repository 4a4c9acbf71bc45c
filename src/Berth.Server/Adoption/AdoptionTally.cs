namespace Berth.Server.Adoption;

/// <summary>Counts what an adoption finds and does, for its report and for whoever watches. Used by several threads.</summary>
internal sealed class AdoptionTally(IProgress<AdoptionProgress>? progress)
{
    private readonly Lock _lock = new();
    private readonly List<AdoptionFinding> _findings = [];
    private AdoptionPhase _phase;
    private int _done;
    private int _total;

    public AdoptionCounts Found { get; private set; } = new(0, 0, 0, 0, 0, 0);

    public AdoptionCounts Added { get; private set; } = new(0, 0, 0, 0, 0, 0);

    public IReadOnlyList<AdoptionFinding> Findings => _findings;

    public long Skipped { get; private set; }

    public long Incomplete { get; private set; }

    /// <summary>Begins a phase.</summary>
    public void Begin(AdoptionPhase phase, int total)
    {
        lock (_lock) (_phase, _done, _total) = (phase, 0, total);
        Tell();
    }

    /// <summary>A step of the phase is finished.</summary>
    public void Step()
    {
        lock (_lock) _done++;
    }

    /// <summary>Counts what one transaction has recorded, and tells whoever watches.</summary>
    public void Add(AdoptionCounts found, AdoptionCounts added)
    {
        lock (_lock) (Found, Added) = (Sum(Found, found), Sum(Added, added));
        Tell();
    }

    /// <summary>Notes something that is not as it should be.</summary>
    public void Note(string kind, string name, string reason, bool isAdopted = false)
    {
        lock (_lock)
        {
            if (isAdopted) Incomplete++;
            else Skipped++;
            if (_findings.Count < AdoptionReport.MaxFindings) _findings.Add(new AdoptionFinding(kind, name, reason, isAdopted));
        }
    }

    // Within the lock: whoever watches is told one thing at a time, in order.
    private void Tell()
    {
        lock (_lock) progress?.Report(new AdoptionProgress(_phase, _done, _total, Found));
    }

    private static AdoptionCounts Sum(AdoptionCounts a, AdoptionCounts b) => new(
        a.Repositories + b.Repositories, a.Tags + b.Tags, a.Manifests + b.Manifests, a.Links + b.Links, a.Blobs + b.Blobs, a.Bytes + b.Bytes);
}
