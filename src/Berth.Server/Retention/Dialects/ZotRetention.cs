using System.Text.Json.Nodes;

namespace Berth.Server.Retention.Dialects;

/// <summary>
/// zot's section <c>retention</c>: the first policy whose globs match a repository decides about it; a tag that none of its <c>keepTags</c> keeps goes. Within one
/// entry any criterion is enough. Without <c>keepTags</c> all tags stay.
/// </summary>
internal static class ZotRetention
{
    private const string Form = "zot's retention";
    private static readonly TimeSpan s_defaultDelay = TimeSpan.FromHours(24);

    /// <summary>Reads the section.</summary>
    public static DialectReading Read(string text)
    {
        var (problems, notes) = (new List<string>(), new List<string>());
        if (DialectText.Parse(text, problems) is not { } document) return DialectReading.Refused(problems);
        var retention = new StrictObject(document, "retention", problems);
        if (retention.Flag("dryRun") == true) notes.Add("dryRun is left out: a dry run is asked for when it is started");
        var delay = ReadAge(retention, "delay") ?? s_defaultDelay;
        var policies = retention.Items("policies");
        retention.End();
        if (policies.Count == 0) problems.Add("retention.policies is empty");
        var (rules, earlier) = (new List<RetentionRule>(), new List<NamePattern>());
        for (var i = 0; i < policies.Count; i++)
        {
            var policy = new StrictObject(policies[i], $"policies[{i}]", problems);
            IReadOnlyList<NamePattern> repositories = [.. policy.Texts("repositories").Select(p => NamePattern.Glob(p))];
            if (repositories.Count == 0) policy.Problem("repositories", "is empty");
            var scope = new RetentionSelection { Repositories = repositories, NotRepositories = [.. earlier] };
            rules.AddRange(ReadPolicy(policy, $"policy {i + 1}", scope, delay));
            earlier.AddRange(repositories);
        }
        return DialectReading.Of(new RetentionRuleSet { Rules = rules, Unit = RetentionUnit.Tag, RestGoes = true }, problems, notes);
    }

    /// <summary>Writes the section.</summary>
    public static DialectWriting Write(RetentionRuleSet set)
    {
        var problems = DialectText.Unsayable(set, Form, RetentionUnit.Tag, RetentionPrecedence.KeepBeatsDelete, restGoes: true);
        var (policies, earlier, delay) = (new JsonArray(), new List<NamePattern>(), (TimeSpan?)null);
        foreach (var group in set.Rules.GroupBy(r => string.Join('\n', r.Selection.Repositories)))
        {
            var repositories = group.First().Selection.Repositories;
            if (repositories.Count == 0 || repositories.Any(p => p.Kind != PatternKind.Glob || p.IsNegated)) problems.Add($"{Form} names repositories by globs");
            foreach (var rule in group)
            {
                DialectText.CheckParts(rule, Form, problems, "repositories", "excluded repositories", "tags", "keeping", "deleting");
                if (!rule.Selection.NotRepositories.SequenceEqual(earlier)) problems.Add($"rule {rule.Name}: in {Form} the first policy that matches a repository decides about it");
            }
            policies.Add(WritePolicy([.. group], repositories, ref delay, problems));
            earlier.AddRange(repositories);
        }
        return DialectWriting.Of(() => new JsonObject { ["delay"] = DurationText(delay ?? s_defaultDelay), ["policies"] = policies }.ToJsonString(DialectText.Indented), problems);
    }

    private static List<RetentionRule> ReadPolicy(StrictObject policy, string name, RetentionSelection scope, TimeSpan delay)
    {
        if (policy.Flag("deleteReferrers") == false) policy.Problem("deleteReferrers", "cannot be false: what is about an image goes with it");
        var deletesUntagged = policy.Flag("deleteUntagged") ?? true;
        var rules = new List<RetentionRule>();
        var tags = policy.Items("keepTags");
        for (var i = 0; i < tags.Count; i++)
        {
            var keep = new StrictObject(tags[i], $"{name} keepTags[{i}]", policy.Problems);
            rules.Add(ReadKeep(keep, $"{name}, tags {i + 1}", scope with { Tags = [.. keep.Texts("patterns").Select(p => NamePattern.Regex(p))] }));
        }
        if (tags.Count == 0) rules.Add(new RetentionRule { Name = $"{name}, tags 1", Selection = scope });
        var untagged = scope with { State = TagState.Untagged };
        if (policy.Items("keepUntagged") is { Count: > 0 } kept)
        {
            for (var i = 0; i < kept.Count; i++) rules.Add(ReadKeep(new StrictObject(kept[i], $"{name} keepUntagged[{i}]", policy.Problems), $"{name}, untagged {i + 1}", untagged));
        }
        rules.Add(deletesUntagged
            ? new RetentionRule { Name = $"{name}, new untagged", Selection = untagged, Conditions = [RetentionCondition.Within(delay)] }
            : new RetentionRule { Name = $"{name}, all untagged", Selection = untagged });
        policy.End();
        return rules;
    }

    private static RetentionRule ReadKeep(StrictObject keep, string name, RetentionSelection selection)
    {
        var conditions = new List<RetentionCondition>();
        if (keep.Number("mostRecentlyPushedCount", 1) is { } pushed) conditions.Add(RetentionCondition.Newest(pushed));
        if (keep.Number("mostRecentlyPulledCount", 1) is { } pulled) conditions.Add(RetentionCondition.Newest(pulled, RetentionClock.Pulled));
        if (ReadAge(keep, "pushedWithin") is { } pushedWithin) conditions.Add(RetentionCondition.Within(pushedWithin));
        if (ReadAge(keep, "pulledWithin") is { } pulledWithin) conditions.Add(RetentionCondition.Within(pulledWithin, RetentionClock.Pulled));
        keep.End();
        return new RetentionRule { Name = name, Selection = selection, Conditions = conditions, AnyCondition = conditions.Count > 1 };
    }

    private static TimeSpan? ReadAge(StrictObject from, string name)
    {
        if (from.Text(name) is not { } text) return null;
        if (DialectText.AgeOf(text, s_units, parts: 3) is { } age) return age;
        from.Problem(name, $"must be a duration such as 168h, not {text}");
        return null;
    }

    private static JsonObject WritePolicy(List<RetentionRule> rules, IReadOnlyList<NamePattern> repositories, ref TimeSpan? delay, List<string> problems)
    {
        var policy = new JsonObject { ["repositories"] = new JsonArray([.. repositories.Select(p => JsonValue.Create(p.Text))]), ["deleteReferrers"] = true };
        var (keepTags, keepUntagged, deletesUntagged) = (new JsonArray(), new JsonArray(), true);
        foreach (var rule in rules)
        {
            if (rule.Action != RetentionAction.Keep || rule.Selection.State == TagState.Any || rule.Selection.AllTags)
            {
                problems.Add($"rule {rule.Name}: {Form} only keeps, and tags and untagged images by rules of their own");
                continue;
            }
            if (rule.Selection.State == TagState.Tagged) keepTags.Add(WriteKeep(rule, problems));
            else if (rule.Conditions.Count == 0) deletesUntagged = false;
            else if (rule == rules[^1] && rule.Conditions is [{ Kind: ConditionKind.Within, By: RetentionClock.Pushed, IsNegated: false } within] && (delay ?? within.Age) == within.Age) delay = within.Age;
            else keepUntagged.Add(WriteKeep(rule, problems));
        }
        if (keepTags.Count == 0) problems.Add($"{Form} without keepTags keeps all tags, this policy none of {string.Join(", ", repositories)}");
        policy["deleteUntagged"] = deletesUntagged;
        policy["keepTags"] = keepTags;
        if (keepUntagged.Count > 0) policy["keepUntagged"] = keepUntagged;
        return policy;
    }

    private static JsonObject WriteKeep(RetentionRule rule, List<string> problems)
    {
        var keep = new JsonObject();
        if (rule.Selection.Tags.Any(t => t.Kind != PatternKind.Regex || t.IsNegated)) problems.Add($"rule {rule.Name}: {Form} names tags by regular expressions, without negation");
        if (rule.Selection.Tags.Count > 0) keep["patterns"] = new JsonArray([.. rule.Selection.Tags.Select(t => JsonValue.Create(t.Text))]);
        if (rule.Conditions.Count > 1 && !rule.AnyCondition) problems.Add($"rule {rule.Name}: in {Form} any criterion is enough");
        foreach (var c in rule.Conditions)
        {
            (string Name, JsonNode Value)? field = c switch
            {
                { IsNegated: true } or { CountsImages: true } => null,
                { Kind: ConditionKind.Newest, By: RetentionClock.Pushed, Count: > 0 } => ("mostRecentlyPushedCount", c.Count),
                { Kind: ConditionKind.Newest, By: RetentionClock.Pulled, Count: > 0 } => ("mostRecentlyPulledCount", c.Count),
                { Kind: ConditionKind.Within, By: RetentionClock.Pushed } => ("pushedWithin", DurationText(c.Age)),
                { Kind: ConditionKind.Within, By: RetentionClock.Pulled } => ("pulledWithin", DurationText(c.Age)),
                _ => null,
            };
            if (field is null || !keep.TryAdd(field.Value.Name, field.Value.Value)) problems.Add($"rule {rule.Name}: {Form} cannot say \"{rule.Describe()}\"");
        }
        return keep;
    }

    // Go's durations end at hours.
    private static readonly Dictionary<char, int> s_units = new() { ['s'] = 1, ['m'] = 60, ['h'] = 3600 };

    private static string DurationText(TimeSpan age) => DialectText.AgeText(age, s_units);
}
