namespace Berth.Server.Retention;

/// <summary>The facts of a repository arranged for questions about tags and images: which stand alone, what belongs together, when something was last pushed or pulled.</summary>
internal sealed class CandidateFacts
{
    private readonly long[] _pulledAt;
    private readonly long[] _usedAt;
    private readonly long[] _pushedAt;
    private readonly TagVersion?[] _versions;

    public CandidateFacts(RepositoryFacts repository)
    {
        (Images, Tags) = (repository.Images, repository.Tags);
        TagsOf = new List<int>?[Images.Count];
        ParentsOf = new List<int>?[Images.Count];
        for (var t = 0; t < Tags.Count; t++) (TagsOf[Tags[t].Image] ??= []).Add(t);
        for (var i = 0; i < Images.Count; i++)
        {
            foreach (var child in Images[i].Children) (ParentsOf[child] ??= []).Add(i);
        }
        _pushedAt = [.. Images.Select((image, i) => Math.Max(image.PushedAt, TagsOf[i]?.Max(t => Tags[t].UpdatedAt) ?? 0))];
        _pulledAt = LastTimes(i => TagsOf[i] is { } tags ? Math.Max(Images[i].PulledAt, tags.Max(t => Tags[t].PulledAt)) : Images[i].PulledAt);
        _usedAt = LastTimes(i => Images[i].UsedAt);
        _versions = [.. Tags.Select(t => TagVersion.Of(t.Name))];
    }

    public IReadOnlyList<ImageFacts> Images { get; }

    public IReadOnlyList<TagFacts> Tags { get; }

    /// <summary>Positions of the tags of each image; null for none.</summary>
    public List<int>?[] TagsOf { get; }

    /// <summary>Positions of the indexes that list each image; null for none.</summary>
    public List<int>?[] ParentsOf { get; }

    /// <summary>Whether rules decide about an image: it is about no other one, which it would follow.</summary>
    public bool StandsAlone(int image) => Images[image].Subject < 0;

    /// <summary>What a policy decides about, in the order of the facts.</summary>
    public List<Candidate> CandidatesOf(RetentionUnit unit)
    {
        var candidates = new List<Candidate>();
        for (var i = 0; i < Images.Count; i++)
        {
            if (!StandsAlone(i)) continue;
            if (TagsOf[i] is { } tags)
            {
                if (unit == RetentionUnit.Image) candidates.Add(new Candidate(i, -1));
                else candidates.AddRange(tags.Select(t => new Candidate(i, t)));
            }
            else if (ParentsOf[i] is null)
            {
                candidates.Add(new Candidate(i, -1));
            }
        }
        return candidates;
    }

    /// <summary>The last time that a clock shows for a candidate.</summary>
    public long TimeOf(Candidate candidate, RetentionClock clock) => clock switch
    {
        RetentionClock.Pushed => PushedAt(candidate),
        RetentionClock.Pulled => _pulledAt[candidate.Image],
        RetentionClock.Created => Images[candidate.Image].CreatedAt,
        _ => Math.Max(PushedAt(candidate), _pulledAt[candidate.Image]),
    };

    /// <summary>When a cluster last pulled an image or one that it lists.</summary>
    public long UsedAt(int image) => _usedAt[image];

    /// <summary>The newest first; at the same time, by the tag's own times, and then by names from the end, so that the order is always the same.</summary>
    public IEnumerable<Candidate> NewestFirst(IEnumerable<Candidate> candidates, RetentionClock clock) => candidates
        .OrderByDescending(c => TimeOf(c, clock))
        .ThenByDescending(c => c.Tag < 0 ? 0 : clock == RetentionClock.Pulled ? Tags[c.Tag].PulledAt : Tags[c.Tag].UpdatedAt)
        .ThenByDescending(c => c.Tag < 0 ? Images[c.Image].Digest : Tags[c.Tag].Name, StringComparer.Ordinal);

    /// <summary>The version of a tag, or the highest of an image's tags.</summary>
    public TagVersion? VersionOf(Candidate candidate) =>
        candidate.Tag >= 0 ? _versions[candidate.Tag] : TagsOf[candidate.Image]?.Select(t => _versions[t]).Max();

    // A tag that was pushed again without moving has no time of its own for that: the image's push counts for it.
    private long PushedAt(Candidate candidate) =>
        candidate.Tag < 0 ? _pushedAt[candidate.Image] : Math.Max(Tags[candidate.Tag].UpdatedAt, Images[candidate.Image].PushedAt);

    // Clients pull an index by tag and the image in it by digest, or only the image: either uses the index.
    private long[] LastTimes(Func<int, long> own)
    {
        var times = new long[Images.Count];
        Array.Fill(times, -1);
        for (var i = 0; i < times.Length; i++) LastTime(i, own, times);
        return times;
    }

    private long LastTime(int image, Func<int, long> own, long[] times)
    {
        if (times[image] >= 0) return times[image];
        // Set before the children are asked: facts that name each other in a circle end here.
        var last = times[image] = own(image);
        foreach (var child in Images[image].Children) last = Math.Max(last, LastTime(child, own, times));
        return times[image] = last;
    }
}
