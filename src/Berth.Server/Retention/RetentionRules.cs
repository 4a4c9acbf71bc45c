namespace Berth.Server.Retention;

/// <summary>
/// Decides what a policy lets go of in a repository. Nothing is read or written here: a simulation and a run ask the same question. In this order:
/// 1. what is archived, locked, immutable or used by a cluster stays, 2. rules that keep, 3. rules that delete, 4. the rest, 5. floating tags whose image stays with another
/// tag, 6. what goes along: an image with its last tag, what only it lists, what is about it.
/// Which rule stands where changes nothing but the name that a result shows, unless the policy says that the first selection decides.
/// </summary>
internal static class RetentionRules
{
    /// <summary>Decides about one repository at a time, given in Unix milliseconds.</summary>
    public static RepositoryPlan Decide(CompiledRuleSet policy, RepositoryFacts repository, long now)
    {
        var facts = new CandidateFacts(repository);
        var candidates = facts.CandidatesOf(policy.Set.Unit);
        var about = RulesAbout(policy, repository, facts, candidates, now);
        var verdicts = new Dictionary<Candidate, RetentionVerdict>(candidates.Count);
        foreach (var candidate in candidates)
            verdicts[candidate] = Guard(policy.Set, facts, candidate, now) ?? Judge(policy.Set, about, candidate, now);
        if (policy.Set.Unit == RetentionUnit.Tag && policy.Set.FloatingFollows) KeepFloating(policy, facts, candidates, verdicts);
        var shown = Show(facts, candidates, verdicts);
        return new RepositoryPlan(repository, shown, policy.Set.LeavesUntagged ? GoneUntagged(facts, shown) : GoneImages(facts, shown));
    }

    // What each enabled rule selects, with its conditions; rules that are not about the repository are left out.
    private static List<RuleInRepository> RulesAbout(CompiledRuleSet policy, RepositoryFacts repository, CandidateFacts facts, List<Candidate> candidates, long now)
    {
        var about = new List<RuleInRepository>();
        for (var r = 0; r < policy.Rules.Count; r++)
        {
            var rule = policy.Rules[r];
            if (rule.Rule.IsDisabled || !rule.IsAbout(repository.Name)) continue;
            var selected = candidates.Where(c => Selects(rule, repository.Name, facts, c)).ToList();
            about.Add(new RuleInRepository(r, rule.Rule.Action, [.. selected], new ConditionTable(rule, facts, selected, now)));
        }
        return about;
    }

    private static bool Selects(CompiledRule rule, string repository, CandidateFacts facts, Candidate candidate)
    {
        var image = facts.Images[candidate.Image];
        if (!rule.Selects(image)) return false;
        if (candidate.Tag >= 0) return rule.Selects(repository, facts.Tags[candidate.Tag].Name);
        return facts.TagsOf[candidate.Image] is { } tags ? rule.SelectsTagged(repository, tags.Select(t => facts.Tags[t].Name)) : rule.SelectsUntagged(repository, image);
    }

    // 1.
    private static RetentionVerdict? Guard(RetentionRuleSet set, CandidateFacts facts, Candidate candidate, long now)
    {
        var image = facts.Images[candidate.Image];
        if (image.IsArchived) return Kept(candidate, RetentionReason.Archived, null);
        var tags = candidate.Tag >= 0 ? [candidate.Tag] : facts.TagsOf[candidate.Image] ?? [];
        foreach (var tag in tags)
        {
            if (facts.Tags[tag].KeptBy is { } keeper) return Kept(candidate, RetentionReason.Protected, keeper);
        }
        var used = facts.UsedAt(candidate.Image);
        var isUsed = set.KeepsUsed > TimeSpan.Zero && used > 0 && now - used < set.KeepsUsed.TotalMilliseconds;
        return isUsed ? Kept(candidate, RetentionReason.InUse, null) : null;
    }

    private static RetentionVerdict Kept(Candidate candidate, RetentionReason reason, string? detail) => new(null, candidate.Image, false, reason, -1, detail, null);

    // 2. to 4.
    private static RetentionVerdict Judge(RetentionRuleSet set, List<RuleInRepository> about, Candidate candidate, long now)
    {
        if (about.Count == 0) return Kept(candidate, RetentionReason.NoRule, null);
        if (set.Precedence == RetentionPrecedence.FirstSelection)
        {
            var first = about.Find(r => r.Selected.Contains(candidate));
            about = first is null ? [] : [first];
        }
        var (keeper, deleter, keeps, deletes) = (-1, -1, new List<Span>(), new List<Span>());
        foreach (var rule in about)
        {
            if (!rule.Selected.Contains(candidate)) continue;
            var (holds, when) = rule.Conditions.Ask(candidate, now);
            (rule.Action == RetentionAction.Keep ? keeps : deletes).Add(when);
            if (!holds) continue;
            if (rule.Action == RetentionAction.Keep) keeper = keeper < 0 ? rule.Position : keeper;
            else deleter = deleter < 0 ? rule.Position : deleter;
        }
        if (set.RestGoes) deletes.Add(Span.Always);
        if (keeper >= 0) return new RetentionVerdict(null, candidate.Image, false, RetentionReason.Rule, keeper, null, FirstTime(keeps, deletes, now));
        if (deleter >= 0) return new RetentionVerdict(null, candidate.Image, true, RetentionReason.Rule, deleter, null, now);
        return set.RestGoes
            ? new RetentionVerdict(null, candidate.Image, true, RetentionReason.Rest, -1, null, now)
            : new RetentionVerdict(null, candidate.Image, false, RetentionReason.NoRule, -1, null, FirstTime(keeps, deletes, now));
    }

    // The first time from now on at which something deletes and nothing keeps: spans begin and end at finitely many times.
    private static long? FirstTime(List<Span> keeps, List<Span> deletes, long now)
    {
        long? first = null;
        foreach (var time in deletes.Select(d => d.From).Concat(keeps.Select(k => k.Until)))
        {
            var at = Math.Max(time, now);
            if (at == long.MaxValue || at >= first) continue;
            if (deletes.Exists(d => d.Has(at)) && !keeps.Exists(k => k.Has(at))) first = at;
        }
        return first;
    }

    // 5. A tag that a rule names letter by letter is meant itself.
    private static void KeepFloating(CompiledRuleSet policy, CandidateFacts facts, List<Candidate> candidates, Dictionary<Candidate, RetentionVerdict> verdicts)
    {
        foreach (var candidate in candidates)
        {
            var verdict = verdicts[candidate];
            if (candidate.Tag < 0 || !verdict.Goes || !TagVersion.IsFloating(facts.Tags[candidate.Tag].Name)) continue;
            if (verdict.Reason == RetentionReason.Rule && IsNamed(policy.Set, facts.Tags[candidate.Tag].Name)) continue;
            foreach (var other in facts.TagsOf[candidate.Image]!)
            {
                if (TagVersion.IsFloating(facts.Tags[other].Name) || verdicts[new Candidate(candidate.Image, other)].Goes) continue;
                verdicts[candidate] = Kept(candidate, RetentionReason.Floating, facts.Tags[other].Name);
                break;
            }
        }
    }

    private static bool IsNamed(RetentionRuleSet set, string tag) =>
        set.Rules.Any(r => r.Action == RetentionAction.Delete && !r.IsDisabled && r.Selection.Tags.Any(p => !p.IsNegated && p.Text == tag));

    private static List<RetentionVerdict> Show(CandidateFacts facts, List<Candidate> candidates, Dictionary<Candidate, RetentionVerdict> verdicts)
    {
        var shown = new List<RetentionVerdict>(candidates.Count);
        foreach (var candidate in candidates)
        {
            var verdict = verdicts[candidate];
            if (candidate.Tag >= 0) shown.Add(verdict with { Tag = facts.Tags[candidate.Tag].Name });
            else if (facts.TagsOf[candidate.Image] is { } tags) shown.AddRange(tags.Select(t => verdict with { Tag = facts.Tags[t].Name }));
            else shown.Add(verdict);
        }
        return shown;
    }

    // 6.
    private static List<int> GoneImages(CandidateFacts facts, List<RetentionVerdict> verdicts)
    {
        var kept = new bool[facts.Images.Count];
        var decided = new bool[facts.Images.Count];
        foreach (var verdict in verdicts)
        {
            decided[verdict.Image] = true;
            kept[verdict.Image] |= !verdict.Goes;
        }
        var gone = new bool?[facts.Images.Count];
        for (var i = 0; i < gone.Length; i++) IsGone(i);
        return [.. Enumerable.Range(0, gone.Length).Where(i => gone[i] == true)];

        bool IsGone(int image)
        {
            if (gone[image] is { } known) return known;
            // Facts that name each other in a circle stay.
            gone[image] = false;
            var subject = facts.Images[image].Subject;
            var goes = subject >= 0 ? IsGone(subject) : decided[image] ? !kept[image] : facts.ParentsOf[image] is not null;
            if (goes && facts.ParentsOf[image] is { } parents) goes = parents.TrueForAll(IsGone);
            gone[image] = goes;
            return goes;
        }
    }

    private static List<int> GoneUntagged(CandidateFacts facts, List<RetentionVerdict> verdicts) =>
        GoneImages(facts, [.. verdicts.Select(v => v.Tag is not null ? v with { Goes = false } : v)]);

    private sealed record RuleInRepository(int Position, RetentionAction Action, HashSet<Candidate> Selected, ConditionTable Conditions);
}
