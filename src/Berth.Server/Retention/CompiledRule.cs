using System.Diagnostics.CodeAnalysis;

namespace Berth.Server.Retention;

/// <summary>A rule whose patterns are read.</summary>
internal sealed class CompiledRule
{
    private readonly NameMatcher[] _repositories, _tags, _labels, _types, _digests, _paths, _notRepositories;

    private CompiledRule(RetentionRule rule, NameMatcher[][] matchers)
    {
        Rule = rule;
        (_repositories, _tags, _labels, _types, _digests, _paths) = (matchers[0], matchers[1], matchers[2], matchers[3], matchers[4], matchers[5]);
        _notRepositories = matchers[6];
        Sentence = rule.Describe();
    }

    public RetentionRule Rule { get; }

    /// <summary>The conditions as people read them.</summary>
    public string Sentence { get; }

    /// <summary>Reads the patterns of a rule; adds what is wrong with it.</summary>
    public static CompiledRule? Create(RetentionRule rule, List<string> problems)
    {
        var before = problems.Count;
        var s = rule.Selection;
        NameMatcher[][] matchers = [Read(s.Repositories), Read(s.Tags), Read(s.Labels), Read(s.Types), Read(s.Digests), Read(s.Paths), Read(s.NotRepositories)];
        foreach (var condition in rule.Conditions)
        {
            if (condition.Kind is ConditionKind.Newest or ConditionKind.NewestVersions && condition.Count < 0) problems.Add($"rule {rule.Name}: a count cannot be negative");
            if (condition.Age < TimeSpan.Zero) problems.Add($"rule {rule.Name}: an age cannot be negative");
        }
        return problems.Count == before ? new CompiledRule(rule, matchers) : null;

        NameMatcher[] Read(IReadOnlyList<NamePattern> patterns)
        {
            var read = new List<NameMatcher>(patterns.Count);
            foreach (var pattern in patterns)
            {
                if (NameMatcher.TryCreate(pattern, out var matcher, out var problem)) read.Add(matcher);
                else problems.Add($"rule {rule.Name}: {problem}");
            }
            return [.. read];
        }
    }

    /// <summary>Whether it is about a repository at all.</summary>
    public bool IsAbout(string repository) => IsAny(_repositories, repository) && !Array.Exists(_notRepositories, p => p.IsMatch(repository));

    /// <summary>Whether it is about an image, apart from its tags.</summary>
    public bool Selects(ImageFacts image) =>
        IsAny(_digests, image.Digest)
        && (_types.Length == 0 || Array.Exists(_types, t => t.IsMatch(image.Kind) || (image.ArtifactType is { } type && t.IsMatch(type))))
        && (_labels.Length == 0 || HasLabel(image));

    /// <summary>Whether it is about a tag of an image.</summary>
    public bool Selects(string repository, string tag) =>
        Rule.Selection.State != TagState.Untagged && IsAny(_tags, tag) && (_paths.Length == 0 || IsAny(_paths, $"v2/{repository}/manifests/{tag}"));

    /// <summary>Whether it is about images without a tag.</summary>
    public bool SelectsUntagged(string repository, ImageFacts image) =>
        Rule.Selection.State != TagState.Tagged && (_paths.Length == 0 || IsAny(_paths, $"v2/{repository}/manifests/{image.Digest}"));

    /// <summary>Whether it is about an image with these tags.</summary>
    public bool SelectsTagged(string repository, IEnumerable<string> tags)
    {
        if (Rule.Selection.State == TagState.Untagged) return false;
        if (!Rule.Selection.AllTags || _tags.Length == 0) return tags.Any(t => Selects(repository, t));
        return _paths.Length == 0 && Array.TrueForAll(_tags, p => tags.Any(p.IsMatch));
    }

    private bool HasLabel(ImageFacts image)
    {
        for (var i = 0; i < _labels.Length; i++)
        {
            // A negated pattern asks that no label has the name; its matcher says so of each.
            if (Rule.Selection.Labels[i].IsNegated ? image.Labels.All(_labels[i].IsMatch) : image.Labels.Any(_labels[i].IsMatch)) return true;
        }
        return false;
    }

    private static bool IsAny(NameMatcher[] matchers, string name)
    {
        if (matchers.Length == 0) return true;
        foreach (var matcher in matchers)
        {
            if (matcher.IsMatch(name)) return true;
        }
        return false;
    }
}

/// <summary>A rule set that is ready to be asked.</summary>
internal sealed class CompiledRuleSet
{
    private CompiledRuleSet(RetentionRuleSet set, IReadOnlyList<CompiledRule> rules) => (Set, Rules) = (set, rules);

    public RetentionRuleSet Set { get; }

    /// <summary>The rules at the positions that they have in the set, those that are switched off among them.</summary>
    public IReadOnlyList<CompiledRule> Rules { get; }

    /// <summary>Reads a rule set.</summary>
    /// <param name="set">The rules.</param>
    /// <param name="compiled">Ready when the answer is true.</param>
    /// <param name="problems">All that is wrong when it is false.</param>
    public static bool TryCreate(RetentionRuleSet set, [NotNullWhen(true)] out CompiledRuleSet? compiled, out IReadOnlyList<string> problems)
    {
        var found = new List<string>();
        if (set.Rules.Count > RetentionRuleSet.MaxRules) found.Add($"a policy has at most {RetentionRuleSet.MaxRules} rules");
        var rules = set.Rules.Take(RetentionRuleSet.MaxRules).Select(r => CompiledRule.Create(r, found)).ToList();
        problems = found;
        compiled = found.Count == 0 ? new CompiledRuleSet(set, rules!) : null;
        return compiled is not null;
    }
}
