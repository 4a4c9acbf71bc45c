using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Server.Retention.Dialects;

/// <summary>Quay's auto-prune policies, one or a list: so many tags, or tags of an age, among those that a regular expression finds or does not find.</summary>
internal static class QuayAutoPrune
{
    private const string Form = "a Quay auto-prune policy";

    // Letters as Quay reads them: m is a minute.
    private static readonly Dictionary<char, int> s_units = new() { ['s'] = 1, ['m'] = 60, ['h'] = 3600, ['d'] = 86_400, ['w'] = 604_800, ['y'] = 31_536_000 };

    /// <summary>Reads a policy or a list of them.</summary>
    public static DialectReading Read(string text)
    {
        var problems = new List<string>();
        if (DialectText.Parse(text, problems) is not { } document) return DialectReading.Refused(problems);
        var items = document.ValueKind == JsonValueKind.Array ? document.EnumerateArray().ToList() : [document];
        if (items.Count == 0) problems.Add("the list of policies is empty");
        var rules = items.Select((item, i) => ReadPolicy(new StrictObject(item, $"policy {i + 1}", problems), i + 1)).ToList();
        return DialectReading.Of(new RetentionRuleSet { Rules = rules, Unit = RetentionUnit.Tag }, problems);
    }

    /// <summary>Writes a list of policies.</summary>
    public static DialectWriting Write(RetentionRuleSet set)
    {
        var problems = DialectText.Unsayable(set, Form, RetentionUnit.Tag, RetentionPrecedence.KeepBeatsDelete, restGoes: false);
        if (set.LeavesUntagged) problems.Add("in Quay a manifest goes with its last tag");
        var policies = new JsonArray([.. set.Rules.Select(r => WritePolicy(r, problems))]);
        return DialectWriting.Of(() => policies.ToJsonString(DialectText.Indented), problems);
    }

    private static RetentionRule ReadPolicy(StrictObject policy, int number)
    {
        var condition = RetentionCondition.Newest(0);
        switch (policy.Text("method"))
        {
            case "number_of_tags":
                condition = RetentionCondition.Newest(policy.Number("value", 1) ?? 1).Not();
                if (!policy.Has("value")) policy.Problem("value", "is missing");
                break;
            case "creation_date":
                var text = policy.Text("value") ?? "";
                if (DialectText.AgeOf(text, s_units) is { } age) condition = RetentionCondition.Within(age).Not();
                else policy.Problem("value", $"must be a number with y, w, d, h, m or s, not \"{text}\"");
                break;
            default:
                policy.Problem("method", "must be number_of_tags or creation_date");
                break;
        }
        var pattern = policy.Text("tagPattern");
        var matches = policy.Flag("tagPatternMatches") ?? true;
        policy.Take("uuid");
        policy.End();
        return new RetentionRule
        {
            Name = $"policy {number}",
            Action = RetentionAction.Delete,
            Selection = new RetentionSelection { Tags = string.IsNullOrEmpty(pattern) ? [] : [NamePattern.Regex(pattern, !matches)] },
            Conditions = [condition],
        };
    }

    private static JsonObject WritePolicy(RetentionRule rule, List<string> problems)
    {
        DialectText.CheckParts(rule, Form, problems, "tags", "deleting");
        var policy = new JsonObject();
        switch (rule.Conditions)
        {
            case [{ Kind: ConditionKind.Newest, IsNegated: true, By: RetentionClock.Pushed, CountsImages: false, Count: > 0 } newest]:
                policy["method"] = "number_of_tags";
                policy["value"] = newest.Count;
                break;
            case [{ Kind: ConditionKind.Within, IsNegated: true, By: RetentionClock.Pushed } within]:
                policy["method"] = "creation_date";
                policy["value"] = DialectText.AgeText(within.Age, s_units);
                break;
            default:
                problems.Add($"rule {rule.Name}: {Form} cannot say \"{rule.Describe()}\"");
                break;
        }
        if (rule.Selection.State != TagState.Tagged) problems.Add($"rule {rule.Name}: {Form} knows only tags");
        if (rule.Selection.Tags.Count > 1 || rule.Selection.Tags.Any(t => t.Kind != PatternKind.Regex)) problems.Add($"rule {rule.Name}: {Form} takes one regular expression");
        else if (rule.Selection.Tags is [var pattern])
        {
            policy["tagPattern"] = pattern.Text;
            policy["tagPatternMatches"] = !pattern.IsNegated;
        }
        return policy;
    }
}
