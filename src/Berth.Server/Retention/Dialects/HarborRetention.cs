using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Server.Retention.Dialects;

/// <summary>
/// Harbor's tag retention rules. They only retain: in a repository that a rule is about, images that none retains go. An image of which one tag is retained keeps all.
/// </summary>
internal static class HarborRetention
{
    /// <summary>Most rules of a policy; Harbor's.</summary>
    public const int MaxRules = 15;

    private const string Form = "a Harbor retention policy";

    /// <summary>Harbor's templates: the name, which is that of the parameter too, and what it says; null for <c>always</c>.</summary>
    public static readonly IReadOnlyList<(string Name, Func<int, RetentionCondition>? Condition)> Templates =
    [
        ("latestPushedK", n => RetentionCondition.Newest(n)),
        ("latestPulledN", n => RetentionCondition.Newest(n, RetentionClock.Pulled)),
        ("latestActiveK", n => RetentionCondition.Newest(n, RetentionClock.Active)),
        ("nDaysSinceLastPush", n => RetentionCondition.Within(TimeSpan.FromDays(n))),
        ("nDaysSinceLastPull", n => RetentionCondition.Within(TimeSpan.FromDays(n), RetentionClock.Pulled)),
        ("lastXDays", n => RetentionCondition.Within(TimeSpan.FromDays(n), RetentionClock.Active)),
        ("always", null),
    ];

    /// <summary>Reads the policy as it stands in Harbor's API; its trigger and scope belong to where it is kept.</summary>
    public static DialectReading Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, HarborRetentionJson.Default.HarborPolicy) is { } policy ? Read(policy) : DialectReading.Refused("the policy is empty");
        }
        catch (JsonException e)
        {
            return DialectReading.Refused($"the policy is no JSON of Harbor's: {e.Message}");
        }
    }

    /// <summary>Reads a policy.</summary>
    public static DialectReading Read(HarborPolicy policy)
    {
        var problems = new List<string>();
        if (policy.Algorithm is not ("or" or null or "")) problems.Add($"the algorithm must be or, not {policy.Algorithm}");
        var rules = policy.Rules ?? [];
        if (rules.Count > MaxRules) problems.Add($"only {MaxRules} rules are allowed at most");
        var read = rules.Take(MaxRules).Select((r, i) => ReadRule(r, i + 1, problems)).ToList();
        return DialectReading.Of(new RetentionRuleSet { Rules = read, Unit = RetentionUnit.Image, RestGoes = true }, problems);
    }

    /// <summary>Writes a policy.</summary>
    public static DialectWriting Write(RetentionRuleSet set)
    {
        var (policy, problems) = ToPolicy(set);
        return DialectWriting.Of(() => JsonSerializer.Serialize(policy, HarborRetentionJson.Default.HarborPolicy), problems);
    }

    /// <summary>A rule set as Harbor's API has it, and what it cannot say.</summary>
    public static (HarborPolicy Policy, List<string> Problems) ToPolicy(RetentionRuleSet set)
    {
        var problems = DialectText.Unsayable(set, Form, RetentionUnit.Image, RetentionPrecedence.KeepBeatsDelete, restGoes: true);
        if (set.Rules.Count > MaxRules) problems.Add($"{Form} has at most {MaxRules} rules");
        return (new HarborPolicy { Algorithm = "or", Rules = [.. set.Rules.Select((r, i) => WriteRule(r, i + 1, problems))] }, problems);
    }

    private static RetentionRule ReadRule(HarborRule rule, int number, List<string> problems)
    {
        var where = $"rule {number}";
        if (rule.Action is not ("retain" or null or "")) problems.Add($"{where}: the action must be retain, not {rule.Action}");
        var tags = ReadSelector(rule.TagSelectors, where, "tag_selectors", "matches", "excludes", problems);
        var repositories = ReadSelector(rule.ScopeSelectors?.GetValueOrDefault("repository"), where, "scope_selectors.repository", "repoMatches", "repoExcludes", problems);
        if (rule.ScopeSelectors?.Keys.FirstOrDefault(k => k != "repository") is { } other) problems.Add($"{where}: scope_selectors has {other}, and only repository is known");
        return new RetentionRule
        {
            Name = where,
            Priority = rule.Priority ?? 0,
            IsDisabled = rule.Disabled == true,
            Selection = new RetentionSelection { Repositories = [repositories.Pattern], Tags = [tags.Pattern], State = tags.SelectsUntagged ? TagState.Any : TagState.Tagged },
            Conditions = ReadTemplate(rule, where, problems),
        };
    }

    private static List<RetentionCondition> ReadTemplate(HarborRule rule, string where, List<string> problems)
    {
        var template = Templates.FirstOrDefault(t => t.Name == rule.Template);
        if (template.Name is null)
        {
            problems.Add($"{where}: the template {rule.Template} is none of {string.Join(", ", Templates.Select(t => t.Name))}");
            return [];
        }
        if (template.Condition is null) return [];
        if (rule.Params is null || !rule.Params.TryGetValue(template.Name, out var value) || value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number) || number < 0)
        {
            problems.Add($"{where}: params.{template.Name} must be a number from 0");
            return [];
        }
        return [template.Condition(number)];
    }

    // Without extras a rule retains images without a tag if its tags match, and with it if they are excluded.
    private static (NamePattern Pattern, bool SelectsUntagged) ReadSelector(
        IReadOnlyList<HarborSelector>? selectors, string where, string field, string matches, string excludes, List<string> problems)
    {
        if (selectors is not [var selector])
        {
            problems.Add($"{where}: {field} must have exactly one selector");
            return (NamePattern.Glob("**"), true);
        }
        if (selector.Kind is not ("doublestar" or null or "")) problems.Add($"{where}: the kind of a selector must be doublestar, not {selector.Kind}");
        var isExclusion = selector.Decoration == excludes;
        if (!isExclusion && selector.Decoration != matches) problems.Add($"{where}: the decoration must be {matches} or {excludes}, not {selector.Decoration}");
        var says = isExclusion ? false : true;
        if (!string.IsNullOrEmpty(selector.Extras))
        {
            try
            {
                using var extras = JsonDocument.Parse(selector.Extras);
                says = extras.RootElement.ValueKind == JsonValueKind.Object && extras.RootElement.TryGetProperty("untagged", out var value) && value.ValueKind == JsonValueKind.True;
            }
            catch (JsonException)
            {
                problems.Add($"{where}: the extras of a selector must be JSON, not {selector.Extras}");
            }
        }
        return (NamePattern.Glob(string.IsNullOrEmpty(selector.Pattern) ? "**" : selector.Pattern, isExclusion), says != isExclusion);
    }

    private static HarborRule WriteRule(RetentionRule rule, int number, List<string> problems)
    {
        var s = rule.Selection;
        DialectText.CheckParts(rule, Form, problems, "repositories", "tags", "keeping", "switching off");
        if (s.Repositories.Count > 1 || s.Tags.Count > 1 || s.Repositories.Concat(s.Tags).Any(p => p.Kind != PatternKind.Glob)) problems.Add($"rule {rule.Name}: {Form} takes one glob for repositories and one for tags");
        if (s.State == TagState.Untagged) problems.Add($"rule {rule.Name}: {Form} has no rule for images without a tag alone");
        var (template, count) = TemplateOf(rule);
        if (template is null) problems.Add($"rule {rule.Name}: {Form} cannot say \"{rule.Describe()}\"");
        var tags = s.Tags.Count > 0 ? s.Tags[0] : NamePattern.Glob("**");
        var untagged = (s.State == TagState.Any) != tags.IsNegated;
        return new HarborRule
        {
            Id = number,
            Priority = rule.Priority,
            Disabled = rule.IsDisabled,
            Action = "retain",
            Template = template,
            Params = template is null or "always" ? new Dictionary<string, JsonElement>() : new Dictionary<string, JsonElement> { [template] = JsonSerializer.SerializeToElement(count, HarborRetentionJson.Default.Int32) },
            TagSelectors = [new HarborSelector("doublestar", tags.IsNegated ? "excludes" : "matches", tags.Text, untagged ? "{\"untagged\":true}" : "{\"untagged\":false}")],
            ScopeSelectors = new Dictionary<string, IReadOnlyList<HarborSelector>>
            {
                ["repository"] = [s.Repositories is [var repository, ..]
                    ? new HarborSelector("doublestar", repository.IsNegated ? "repoExcludes" : "repoMatches", repository.Text, null)
                    : new HarborSelector("doublestar", "repoMatches", "**", null)],
            },
        };
    }

    private static (string? Name, int Count) TemplateOf(RetentionRule rule)
    {
        if (rule.Conditions.Count == 0) return ("always", 0);
        if (rule.Conditions is not [var condition]) return (null, 0);
        var count = condition.Kind == ConditionKind.Newest ? condition.Count : (int)Math.Min(condition.Age.TotalDays, int.MaxValue);
        return (Templates.FirstOrDefault(t => t.Condition?.Invoke(Math.Min(count, 1_000_000)) == condition).Name, count);
    }
}

/// <summary>Harbor's retention policy.</summary>
public sealed record HarborPolicy
{
    public long? Id { get; init; }

    public string? Algorithm { get; init; }

    public IReadOnlyList<HarborRule>? Rules { get; init; }

    public HarborTrigger? Trigger { get; init; }

    public HarborScope? Scope { get; init; }
}

/// <summary>When the policy runs: <c>Schedule</c> with <c>settings.cron</c>, six fields.</summary>
public sealed record HarborTrigger(string? Kind, IReadOnlyDictionary<string, JsonElement>? Settings, IReadOnlyDictionary<string, JsonElement>? References);

/// <summary>What the policy covers: <c>project</c> and its number.</summary>
public sealed record HarborScope(string? Level, long? Ref);

/// <summary>One rule of Harbor's.</summary>
public sealed record HarborRule
{
    public int? Id { get; init; }

    public int? Priority { get; init; }

    public bool? Disabled { get; init; }

    public string? Action { get; init; }

    public string? Template { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Params { get; init; }

    public IReadOnlyList<HarborSelector>? TagSelectors { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<HarborSelector>>? ScopeSelectors { get; init; }
}

/// <summary>Selects names.</summary>
/// <param name="Kind"><c>doublestar</c>.</param>
/// <param name="Decoration"><c>matches</c>, <c>excludes</c>, <c>repoMatches</c>, <c>repoExcludes</c>.</param>
/// <param name="Pattern">The glob.</param>
/// <param name="Extras">JSON in a text: <c>{"untagged":true}</c>.</param>
public sealed record HarborSelector(string? Kind, string? Decoration, string? Pattern, string? Extras);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HarborPolicy))]
[JsonSerializable(typeof(int))]
internal sealed partial class HarborRetentionJson : JsonSerializerContext;
