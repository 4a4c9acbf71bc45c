using System.Text.Json.Nodes;

namespace Berth.Server.Retention.Dialects;

/// <summary>
/// Amazon ECR's lifecycle policies. All rules are counted by themselves; then the one with the lowest number that selects an image decides about it, whether its
/// limit is reached or not. Several tags of one rule must all be on the image. Storage classes do not exist here, so a transition is refused.
/// </summary>
internal static class EcrLifecycle
{
    private const int MaxRules = 50;
    private const int MaxLength = 30_720;
    private const int MaxWildcards = 4;
    private const string Form = "an ECR lifecycle policy";

    /// <summary>Reads a policy.</summary>
    public static DialectReading Read(string text)
    {
        var problems = new List<string>();
        if (text.Length > MaxLength) problems.Add($"a lifecycle policy has at most {MaxLength} characters");
        if (DialectText.Parse(text, problems) is not { } document) return DialectReading.Refused(problems);
        var policy = new StrictObject(document, "policy", problems);
        var items = policy.Items("rules");
        policy.End();
        if (items.Count is 0 or > MaxRules) problems.Add($"a lifecycle policy has 1 to {MaxRules} rules");
        var rules = items.Select((item, i) => ReadRule(new StrictObject(item, $"rules[{i}]", problems))).OrderBy(r => r.Priority).ToList();
        CheckOrder(rules, problems);
        return DialectReading.Of(new RetentionRuleSet { Rules = rules, Unit = RetentionUnit.Image, Precedence = RetentionPrecedence.FirstSelection }, problems);
    }

    /// <summary>Writes a policy.</summary>
    public static DialectWriting Write(RetentionRuleSet set)
    {
        var problems = DialectText.Unsayable(set, Form, RetentionUnit.Image, RetentionPrecedence.FirstSelection, restGoes: false);
        var rules = new JsonArray();
        var hasNumbers = set.Rules.All(r => r.Priority > 0) && set.Rules.Zip(set.Rules.Skip(1)).All(p => p.First.Priority < p.Second.Priority);
        for (var i = 0; i < set.Rules.Count; i++) rules.Add(WriteRule(set.Rules[i], hasNumbers ? set.Rules[i].Priority : i + 1, problems));
        CheckOrder(set.Rules, problems, numbers: false);
        return DialectWriting.Of(() => new JsonObject { ["rules"] = rules }.ToJsonString(DialectText.Indented), problems);
    }

    private static RetentionRule ReadRule(StrictObject rule)
    {
        var priority = rule.Number("rulePriority", 1);
        if (!rule.Has("rulePriority")) rule.Problem("rulePriority", "is missing");
        var description = rule.Text("description");
        var (selection, conditions) = rule.Object("selection") is { } selected ? ReadSelection(selected) : (new RetentionSelection(), []);
        if (!rule.Has("selection")) rule.Problem("selection", "is missing");
        if (rule.Object("action") is { } action)
        {
            var type = action.Text("type");
            if (type == "transition") action.Problem("type", "is transition: there are no storage classes here, bytes lie in one place until they go");
            else if (type != "expire") action.Problem("type", "must be expire");
            action.Take("targetStorageClass");
            action.End();
        }
        else
        {
            rule.Problem("action", "is missing");
        }
        rule.End();
        return new RetentionRule
        {
            Name = description ?? $"rule {priority}",
            Note = description,
            Priority = priority ?? 0,
            Action = RetentionAction.Delete,
            Selection = selection,
            Conditions = conditions,
        };
    }

    private static (RetentionSelection Selection, IReadOnlyList<RetentionCondition> Conditions) ReadSelection(StrictObject selection)
    {
        var status = selection.Text("tagStatus");
        var patterns = selection.Texts("tagPatternList");
        var prefixes = selection.Texts("tagPrefixList");
        if (status is not ("tagged" or "untagged" or "any")) selection.Problem("tagStatus", "must be tagged, untagged or any");
        if (status == "tagged" && (patterns.Count == 0) == (prefixes.Count == 0)) selection.Problem("tagStatus", "is tagged: give either tagPatternList or tagPrefixList");
        if (status != "tagged" && patterns.Count + prefixes.Count > 0) selection.Problem("tagStatus", $"is {status}: tagPatternList and tagPrefixList go with tagged");
        foreach (var pattern in patterns)
        {
            if (pattern.Count(c => c == '*') > MaxWildcards) selection.Problem("tagPatternList", $"has a pattern with more than {MaxWildcards} wildcards: {pattern}");
            if (!pattern.All(c => char.IsAsciiLetterOrDigit(c) || c is '*' or '.' or '_' or '-')) selection.Problem("tagPatternList", $"has a pattern that no tag can match: {pattern}");
        }
        if (selection.Text("storageClass") is { } storage && storage != "standard") selection.Problem("storageClass", $"is {storage}: there are no storage classes here");
        var condition = ReadCount(selection);
        selection.End();
        return (new RetentionSelection
        {
            State = status switch { "untagged" => TagState.Untagged, "any" => TagState.Any, _ => TagState.Tagged },
            Tags = [.. patterns.Select(p => NamePattern.Glob(p)), .. prefixes.Select(NamePattern.Prefix)],
            AllTags = status == "tagged",
        }, [condition]);
    }

    private static RetentionCondition ReadCount(StrictObject selection)
    {
        var number = selection.Number("countNumber", 1) ?? 1;
        if (!selection.Has("countNumber")) selection.Problem("countNumber", "is missing");
        var unit = selection.Text("countUnit");
        switch (selection.Text("countType"))
        {
            case "imageCountMoreThan":
                if (unit is not null) selection.Problem("countUnit", "does not go with imageCountMoreThan");
                return RetentionCondition.Newest(number).Not();
            case "sinceImagePushed":
                if (unit != "days") selection.Problem("countUnit", "must be days");
                return RetentionCondition.Within(TimeSpan.FromDays(number)).Not();
            case "sinceImagePulled" or "sinceImageTransitioned":
                selection.Problem("countType", "goes only with a transition to the archive class, and there are no storage classes here");
                return RetentionCondition.Newest(number);
            default:
                selection.Problem("countType", "must be imageCountMoreThan or sinceImagePushed");
                return RetentionCondition.Newest(number);
        }
    }

    private static void CheckOrder(IReadOnlyList<RetentionRule> rules, List<string> problems, bool numbers = true)
    {
        if (numbers && rules.Where(r => r.Priority > 0).GroupBy(r => r.Priority).FirstOrDefault(g => g.Count() > 1) is { } same)
            problems.Add($"the rulePriority {same.Key} stands at more than one rule");
        for (var i = 0; i < rules.Count - 1; i++)
        {
            if (rules[i].Selection.State == TagState.Any) problems.Add($"rule {rules[i].Name}: a rule for any image must be the last");
        }
        if (rules.Count(r => r.Selection.State == TagState.Untagged) > 1) problems.Add("a lifecycle policy has at most one rule for untagged images");
    }

    private static JsonObject WriteRule(RetentionRule rule, int priority, List<string> problems)
    {
        var s = rule.Selection;
        DialectText.CheckParts(rule, Form, problems, "tags", "deleting", "remarks");
        var isAllOne = s.Tags.All(t => t.Kind == PatternKind.Prefix) || s.Tags.All(t => t.Kind == PatternKind.Glob);
        if (!isAllOne || s.Tags.Any(t => t.IsNegated)) problems.Add($"rule {rule.Name}: {Form} takes only prefixes or only wildcards, and no negation");
        if (s.State != TagState.Tagged && s.Tags.Count > 0) problems.Add($"rule {rule.Name}: {Form} takes tags only in a rule for tagged images");
        if (s.State == TagState.Tagged && s.Tags.Count == 0) problems.Add($"rule {rule.Name}: {Form} needs the tags of a rule for tagged images");
        if (s.Tags.Count > 1 && !s.AllTags) problems.Add($"rule {rule.Name}: in {Form} an image must have all tags of a rule");
        if (s.Tags.Any(t => t.Kind == PatternKind.Glob && t.Text.AsSpan().IndexOfAny("?[{\\") >= 0)) problems.Add($"rule {rule.Name}: {Form} has no wildcard but *");
        var selection = new JsonObject { ["tagStatus"] = s.State switch { TagState.Untagged => "untagged", TagState.Any => "any", _ => "tagged" } };
        if (s.Tags.Count > 0)
            selection[s.Tags[0].Kind == PatternKind.Prefix ? "tagPrefixList" : "tagPatternList"] = new JsonArray([.. s.Tags.Select(t => JsonValue.Create(t.Text))]);
        switch (rule.Conditions)
        {
            case [{ Kind: ConditionKind.Newest, IsNegated: true, By: RetentionClock.Pushed, Count: > 0 } newest]:
                selection["countType"] = "imageCountMoreThan";
                selection["countNumber"] = newest.Count;
                break;
            case [{ Kind: ConditionKind.Within, IsNegated: true, By: RetentionClock.Pushed } within] when within.Age >= TimeSpan.FromDays(1) && within.Age == TimeSpan.FromDays((int)within.Age.TotalDays):
                selection["countType"] = "sinceImagePushed";
                selection["countUnit"] = "days";
                selection["countNumber"] = (int)within.Age.TotalDays;
                break;
            default:
                problems.Add($"rule {rule.Name}: {Form} cannot say \"{rule.Describe()}\"");
                break;
        }
        var written = new JsonObject { ["rulePriority"] = priority };
        if (rule.Note is not null) written["description"] = rule.Note;
        written["selection"] = selection;
        written["action"] = new JsonObject { ["type"] = "expire" };
        return written;
    }
}
