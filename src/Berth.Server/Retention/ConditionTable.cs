namespace Berth.Server.Retention;

/// <summary>What a policy decides about: a tag, an image without one, or an image with all its tags.</summary>
/// <param name="Image">Position of the image.</param>
/// <param name="Tag">Position of the tag; -1 for an image.</param>
internal readonly record struct Candidate(int Image, int Tag);

/// <summary>From when until when something holds, in Unix milliseconds; empty when <see cref="From"/> is not before <see cref="Until"/>.</summary>
internal readonly record struct Span(long From, long Until)
{
    public static readonly Span Always = new(long.MinValue, long.MaxValue);
    public static readonly Span Never = new(long.MaxValue, long.MinValue);

    public bool IsEmpty => From >= Until;

    public bool Has(long at) => From <= at && at < Until;
}

/// <summary>
/// When the conditions of one rule hold for what it selects in one repository. Counts are taken once, over all that the rule selects; times give spans, so that
/// it can be told when a rule will begin or cease to hold.
/// </summary>
internal sealed class ConditionTable
{
    private readonly CompiledRule _rule;
    private readonly CandidateFacts _facts;
    private readonly HashSet<Candidate>?[] _among;

    public ConditionTable(CompiledRule rule, CandidateFacts facts, IReadOnlyList<Candidate> selected, long now)
    {
        (_rule, _facts) = (rule, facts);
        _among = [.. rule.Rule.Conditions.Select(c => c.Kind switch
        {
            ConditionKind.Newest => Newest(c, Counted(c, selected, now)),
            ConditionKind.NewestVersions => NewestVersions(c, Counted(c, selected, now)),
            _ => null,
        })];
    }

    private IReadOnlyList<Candidate> Counted(RetentionCondition condition, IReadOnlyList<Candidate> selected, long now)
    {
        var times = _rule.Rule.Conditions.Where(c => c.Kind is ConditionKind.Within or ConditionKind.InUse).ToList();
        return condition.CountsMatching && times.Count > 0 ? [.. selected.Where(s => times.TrueForAll(t => SpanOf(t, null, s).Has(now)))] : selected;
    }

    /// <summary>Whether the rule holds at a time, and the span that this is part of.</summary>
    public (bool Holds, Span When) Ask(Candidate candidate, long now)
    {
        var conditions = _rule.Rule.Conditions;
        if (conditions.Count == 0) return (true, Span.Always);
        var isAny = _rule.Rule.AnyCondition;
        var (holds, from, until) = (!isAny, isAny ? long.MaxValue : long.MinValue, isAny ? long.MinValue : long.MaxValue);
        for (var i = 0; i < conditions.Count; i++)
        {
            var span = SpanOf(conditions[i], _among[i], candidate);
            if (isAny)
            {
                if (span.IsEmpty) continue;
                holds |= span.Has(now);
                (from, until) = (Math.Min(from, span.From), Math.Max(until, span.Until));
            }
            else
            {
                holds &= span.Has(now);
                (from, until) = (Math.Max(from, span.From), Math.Min(until, span.Until));
            }
        }
        return (holds, new Span(from, until));
    }

    private Span SpanOf(RetentionCondition condition, HashSet<Candidate>? among, Candidate candidate)
    {
        if (among is not null) return among.Contains(candidate) != condition.IsNegated ? Span.Always : Span.Never;
        var clock = condition.Kind == ConditionKind.InUse ? _facts.UsedAt(candidate.Image) : _facts.TimeOf(candidate, condition.By);
        var end = AddTo(clock, condition.Age);
        return condition.IsNegated ? new Span(end, long.MaxValue) : new Span(long.MinValue, end);
    }

    // An age may be written that reaches beyond all time.
    private static long AddTo(long clock, TimeSpan age) => clock > long.MaxValue - (long)age.TotalMilliseconds ? long.MaxValue : clock + (long)age.TotalMilliseconds;

    private HashSet<Candidate> Newest(RetentionCondition condition, IReadOnlyList<Candidate> selected)
    {
        var among = new HashSet<Candidate>();
        if (condition.Count == 0) return among;
        if (condition.CountsImages)
        {
            var images = new HashSet<int>();
            foreach (var candidate in _facts.NewestFirst(selected, condition.By))
            {
                if (images.Contains(candidate.Image) || images.Count < condition.Count)
                {
                    images.Add(candidate.Image);
                    among.Add(candidate);
                }
            }
            return among;
        }
        among.UnionWith(_facts.NewestFirst(selected, condition.By).Take(condition.Count));
        return among;
    }

    // The same version twice, as v1.0.0 and 1.0.0, counts once.
    private HashSet<Candidate> NewestVersions(RetentionCondition condition, IReadOnlyList<Candidate> selected)
    {
        var among = new HashSet<Candidate>();
        var versions = selected.Select(c => (Candidate: c, Version: _facts.VersionOf(c))).Where(v => v.Version is not null);
        foreach (var line in versions.GroupBy(v => condition.Per switch
        {
            VersionLine.Major => (v.Version!.Major, (System.Numerics.BigInteger)0),
            VersionLine.Minor => (v.Version!.Major, v.Version.Minor),
            _ => (0, 0),
        }))
        {
            foreach (var same in line.GroupBy(v => v.Version!).OrderByDescending(v => v.Key).Take(condition.Count)) among.UnionWith(same.Select(s => s.Candidate));
        }
        return among;
    }
}
