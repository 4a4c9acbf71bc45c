using System.Text.Json.Nodes;

namespace Berth.Server.Retention.Dialects;

/// <summary>
/// Nexus Repository's clean-up policies: all criteria must hold; <c>retain</c> keeps the newest so many of what they match. What was never downloaded counts from its push.
/// </summary>
internal static class NexusCleanup
{
    private const string Form = "a Nexus clean-up policy";

    /// <summary>Reads a policy as Nexus's API has it.</summary>
    public static DialectReading Read(string text)
    {
        var problems = new List<string>();
        if (DialectText.Parse(text, problems) is not { } document) return DialectReading.Refused(problems);
        var policy = new StrictObject(document, "policy", problems);
        var name = policy.Text("name");
        if (string.IsNullOrEmpty(name)) policy.Problem("name", "is missing");
        if (policy.Text("format") is not ("docker" or "*")) policy.Problem("format", "must be docker or *: the policy is about images");
        if (policy.Has("criteriaReleaseType")) policy.Problem("criteriaReleaseType", "is about Maven, npm and Yum, not about images");
        policy.Take("criteriaReleaseType");
        var conditions = new List<RetentionCondition>();
        if (policy.Number("criteriaLastBlobUpdated", 1) is { } updated) conditions.Add(RetentionCondition.Within(TimeSpan.FromDays(updated)).Not());
        if (policy.Number("criteriaLastDownloaded", 1) is { } downloaded) conditions.Add(RetentionCondition.Within(TimeSpan.FromDays(downloaded), RetentionClock.Active).Not());
        var path = policy.Text("criteriaAssetRegex");
        var hasCriteria = conditions.Count > 0 || !string.IsNullOrEmpty(path);
        if (policy.Number("retain", 1) is { } retain) conditions.Add(RetentionCondition.Newest(retain).Not() with { CountsMatching = true });
        if (policy.Text("sortBy") is { } sort && sort != "date") policy.Problem("sortBy", "must be date: tags are kept by when they were pushed");
        if (!hasCriteria) problems.Add("policy needs at least one of criteriaLastBlobUpdated, criteriaLastDownloaded and criteriaAssetRegex");
        var rule = new RetentionRule
        {
            Name = name ?? "",
            Note = policy.Text("notes"),
            Action = RetentionAction.Delete,
            Selection = new RetentionSelection { Paths = string.IsNullOrEmpty(path) ? [] : [NamePattern.Regex($"^(?:{path})$")] },
            Conditions = conditions,
        };
        policy.End();
        return DialectReading.Of(new RetentionRuleSet { Rules = [rule], Unit = RetentionUnit.Tag }, problems);
    }

    /// <summary>Writes a policy.</summary>
    public static DialectWriting Write(RetentionRuleSet set)
    {
        var problems = DialectText.Unsayable(set, Form, RetentionUnit.Tag, RetentionPrecedence.KeepBeatsDelete, restGoes: false);
        if (set.LeavesUntagged) problems.Add("in Nexus a manifest goes with its tag");
        if (set.Rules is not [var rule]) return new DialectWriting(null, [.. problems, $"{Form} is one rule, this policy has {set.Rules.Count}"]);
        DialectText.CheckParts(rule, Form, problems, "paths", "deleting", "remarks");
        if (rule.Selection.State != TagState.Tagged) problems.Add($"{Form} is about tags");
        if (rule.AnyCondition && rule.Conditions.Count > 1) problems.Add($"in {Form} all criteria must hold");
        var policy = new JsonObject { ["name"] = rule.Name, ["format"] = "docker" };
        if (rule.Note is not null) policy["notes"] = rule.Note;
        foreach (var c in rule.Conditions)
        {
            var field = c switch
            {
                { IsNegated: false } => null,
                { Kind: ConditionKind.Within, By: RetentionClock.Pushed } => "criteriaLastBlobUpdated",
                { Kind: ConditionKind.Within, By: RetentionClock.Active } => "criteriaLastDownloaded",
                { Kind: ConditionKind.Newest, By: RetentionClock.Pushed, CountsMatching: true, CountsImages: false, Count: > 0 } => "retain",
                _ => null,
            };
            var value = c.Kind == ConditionKind.Newest ? c.Count : (int)c.Age.TotalDays;
            var isWhole = c.Kind == ConditionKind.Newest || (c.Age == TimeSpan.FromDays(value) && value > 0);
            if (field is null || !isWhole || !policy.TryAdd(field, value)) problems.Add($"{Form} cannot say \"{rule.Describe()}\"");
        }
        switch (rule.Selection.Paths)
        {
            case []:
                break;
            case [{ Kind: PatternKind.Regex, IsNegated: false, Text: ['^', '(', '?', ':', .., ')', '$'] } path]:
                policy["criteriaAssetRegex"] = path.Text[4..^2];
                break;
            default:
                problems.Add($"{Form} takes one regular expression over the whole path");
                break;
        }
        return DialectWriting.Of(() => policy.ToJsonString(DialectText.Indented), problems);
    }
}
