using System.Text.Json.Nodes;

namespace Berth.Server.Retention.Dialects;

/// <summary>Google Artifact Registry's clean-up policies: conditions of a policy must all hold, prefixes are alternatives, what one policy keeps stays. Ages count from the first push.</summary>
internal static class ArtifactRegistryCleanup
{
    private const int MaxPolicies = 10;
    private const string Form = "an Artifact Registry clean-up policy";

    /// <summary>Reads a file of policies.</summary>
    public static DialectReading Read(string text)
    {
        var problems = new List<string>();
        if (DialectText.Parse(text, problems) is not { } document) return DialectReading.Refused(problems);
        if (document.ValueKind != System.Text.Json.JsonValueKind.Array) return DialectReading.Refused("clean-up policies are a list");
        var rules = document.EnumerateArray().Select((item, i) => ReadPolicy(new StrictObject(item, $"[{i}]", problems))).ToList();
        if (rules.Count is 0 or > MaxPolicies) problems.Add($"there are 1 to {MaxPolicies} clean-up policies");
        if (rules.GroupBy(r => r.Name).FirstOrDefault(g => g.Count() > 1) is { } same) problems.Add($"two policies have the name {same.Key}");
        return DialectReading.Of(new RetentionRuleSet { Rules = rules, Unit = RetentionUnit.Image }, problems);
    }

    /// <summary>Writes a file of policies.</summary>
    public static DialectWriting Write(RetentionRuleSet set)
    {
        var problems = DialectText.Unsayable(set, Form, RetentionUnit.Image, RetentionPrecedence.KeepBeatsDelete, restGoes: false);
        if (set.Rules.Count > MaxPolicies) problems.Add($"there are at most {MaxPolicies} clean-up policies");
        var policies = new JsonArray([.. set.Rules.Select(r => WritePolicy(r, problems))]);
        return DialectWriting.Of(() => policies.ToJsonString(DialectText.Indented), problems);
    }

    private static RetentionRule ReadPolicy(StrictObject policy)
    {
        var name = policy.Text("name");
        if (string.IsNullOrEmpty(name)) policy.Problem("name", "is missing");
        var type = "";
        if (policy.Object("action") is { } action)
        {
            type = action.Text("type")?.ToUpperInvariant() ?? "";
            if (type is not ("KEEP" or "DELETE")) action.Problem("type", "must be Keep or Delete");
            action.End();
        }
        else
        {
            policy.Problem("action", "is missing");
        }
        var rule = new RetentionRule { Name = name ?? "", Action = type == "DELETE" ? RetentionAction.Delete : RetentionAction.Keep };
        if (policy.Has("condition") == policy.Has("mostRecentVersions")) policy.Problem("condition", "or mostRecentVersions must be given, and not both");
        if (policy.Object("condition") is { } condition) rule = ReadCondition(condition, rule);
        if (policy.Object("mostRecentVersions") is { } recent)
        {
            if (type == "DELETE") policy.Problem("mostRecentVersions", "goes only with Keep");
            rule = rule with
            {
                Selection = new RetentionSelection { State = TagState.Any, Repositories = [.. recent.Texts("packageNamePrefixes").Select(NamePattern.Prefix)] },
                Conditions = [RetentionCondition.Newest(recent.Number("keepCount", 1) ?? 1, RetentionClock.Created)],
            };
            if (!recent.Has("keepCount")) recent.Problem("keepCount", "is missing");
            recent.End();
        }
        policy.End();
        return rule;
    }

    private static RetentionRule ReadCondition(StrictObject condition, RetentionRule rule)
    {
        var state = (condition.Text("tagState") ?? "any").ToUpperInvariant();
        if (state is not ("ANY" or "TAGGED" or "UNTAGGED")) condition.Problem("tagState", "must be tagged, untagged or any");
        var tags = condition.Texts("tagPrefixes");
        if (tags.Count > 0 && state == "UNTAGGED") condition.Problem("tagPrefixes", "do not go with untagged");
        if (tags.Count > 0 && state == "ANY") condition.Problem("tagPrefixes", "go only with tagState tagged");
        var conditions = new List<RetentionCondition>();
        if (ReadAge(condition, "olderThan") is { } older) conditions.Add(RetentionCondition.Within(older, RetentionClock.Created).Not());
        if (ReadAge(condition, "newerThan") is { } newer) conditions.Add(RetentionCondition.Within(newer, RetentionClock.Created));
        var selection = new RetentionSelection
        {
            State = state switch { "TAGGED" => TagState.Tagged, "UNTAGGED" => TagState.Untagged, _ => TagState.Any },
            Tags = [.. tags.Select(NamePattern.Prefix)],
            Digests = [.. condition.Texts("versionNamePrefixes").Select(NamePattern.Prefix)],
            Repositories = [.. condition.Texts("packageNamePrefixes").Select(NamePattern.Prefix)],
        };
        condition.End();
        return rule with { Selection = selection, Conditions = conditions };
    }

    private static TimeSpan? ReadAge(StrictObject condition, string name)
    {
        if (condition.Text(name) is not { } text) return null;
        if (DialectText.AgeOf(text, DialectText.Units) is { } age) return age;
        condition.Problem(name, $"must be a number with s, m, h or d, not {text}");
        return null;
    }

    private static JsonObject WritePolicy(RetentionRule rule, List<string> problems)
    {
        var s = rule.Selection;
        DialectText.CheckParts(rule, Form, problems, "repositories", "tags", "digests", "keeping", "deleting");
        if (s.Repositories.Concat(s.Tags).Concat(s.Digests).Any(p => p.Kind != PatternKind.Prefix || p.IsNegated)) problems.Add($"rule {rule.Name}: {Form} takes only prefixes");
        if (s.AllTags && s.Tags.Count > 1) problems.Add($"rule {rule.Name}: in {Form} one tag of a rule is enough");
        if (s.Tags.Count > 0 && s.State == TagState.Any) problems.Add($"rule {rule.Name}: {Form} takes tags only in a rule for tagged images");
        if (rule.AnyCondition && rule.Conditions.Count > 1) problems.Add($"rule {rule.Name}: in {Form} all conditions must hold");
        var policy = new JsonObject { ["name"] = rule.Name, ["action"] = new JsonObject { ["type"] = rule.Action.ToString() } };
        if (rule.Conditions is [{ Kind: ConditionKind.Newest, IsNegated: false, By: RetentionClock.Created, Count: > 0 } newest])
        {
            if (rule.Action != RetentionAction.Keep || s.State != TagState.Any || s.Tags.Count > 0 || s.Digests.Count > 0)
                problems.Add($"rule {rule.Name}: {Form} counts only what it keeps, whatever its tags");
            var recent = new JsonObject { ["keepCount"] = newest.Count };
            if (s.Repositories.Count > 0) recent["packageNamePrefixes"] = Texts(s.Repositories);
            policy["mostRecentVersions"] = recent;
            return policy;
        }
        var condition = new JsonObject { ["tagState"] = s.State.ToString().ToLowerInvariant() };
        if (s.Tags.Count > 0) condition["tagPrefixes"] = Texts(s.Tags);
        if (s.Digests.Count > 0) condition["versionNamePrefixes"] = Texts(s.Digests);
        if (s.Repositories.Count > 0) condition["packageNamePrefixes"] = Texts(s.Repositories);
        foreach (var c in rule.Conditions)
        {
            var field = c.IsNegated ? "olderThan" : "newerThan";
            if (c is not { Kind: ConditionKind.Within, By: RetentionClock.Created } || !condition.TryAdd(field, DialectText.AgeText(c.Age, DialectText.Units)))
                problems.Add($"rule {rule.Name}: {Form} cannot say \"{rule.Describe()}\"");
        }
        policy["condition"] = condition;
        return policy;
    }

    private static JsonArray Texts(IReadOnlyList<NamePattern> patterns) => new([.. patterns.Select(p => JsonValue.Create(p.Text))]);
}
