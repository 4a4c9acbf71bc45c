using System.Globalization;
using System.Text.Json;

namespace Berth.Server.Retention.Dialects;

/// <summary>What became of a policy in another system's form.</summary>
/// <param name="Rules">The rules; null when it was refused.</param>
/// <param name="Problems">Why it was refused: all reasons.</param>
/// <param name="Notes">What it says that decides nothing about images, and was left out.</param>
internal sealed record DialectReading(RetentionRuleSet? Rules, IReadOnlyList<string> Problems, IReadOnlyList<string> Notes)
{
    /// <summary>Refused if there are problems. The rules must compile as well: patterns are checked here.</summary>
    public static DialectReading Of(RetentionRuleSet rules, List<string> problems, IReadOnlyList<string>? notes = null)
    {
        if (problems.Count == 0 && !CompiledRuleSet.TryCreate(rules, out _, out var wrong)) problems.AddRange(wrong);
        return problems.Count > 0 ? Refused(problems) : new DialectReading(rules, [], notes ?? []);
    }

    public static DialectReading Refused(params IReadOnlyList<string> problems) => new(null, problems, []);
}

/// <summary>A policy in another system's form.</summary>
/// <param name="Text">The form; null when it cannot say what the policy says.</param>
/// <param name="Problems">What it cannot say.</param>
internal sealed record DialectWriting(string? Text, IReadOnlyList<string> Problems)
{
    public static DialectWriting Of(Func<string> text, List<string> problems) => problems.Count > 0 ? new DialectWriting(null, problems) : new DialectWriting(text(), []);
}

/// <summary>Reads an object field by field; what nobody asked for is a problem, since leaving it out could delete too much.</summary>
internal sealed class StrictObject
{
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly string _where;
    private readonly List<string> _problems;

    public StrictObject(JsonElement element, string where, List<string> problems)
    {
        (_where, _problems) = (where, problems);
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{where} must be an object");
            return;
        }
        foreach (var field in element.EnumerateObject())
        {
            if (field.Value.ValueKind != JsonValueKind.Null && !_fields.TryAdd(field.Name, field.Value)) problems.Add($"{where}.{field.Name} stands there twice");
        }
    }

    /// <summary>What is wrong so far, here and elsewhere in the policy.</summary>
    public List<string> Problems => _problems;

    public bool Has(string name) => _fields.ContainsKey(name);

    public string? Text(string name) => Read(name, JsonValueKind.String) is { } value ? value.GetString() : null;

    public bool? Flag(string name)
    {
        if (Take(name) is not { } value) return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        _problems.Add($"{_where}.{name} must be true or false");
        return null;
    }

    public int? Number(string name, int least = 0)
    {
        if (Take(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least) return number;
        _problems.Add($"{_where}.{name} must be a number from {least}");
        return null;
    }

    public IReadOnlyList<string> Texts(string name)
    {
        var texts = new List<string>();
        foreach (var item in Items(name))
        {
            if (item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 } text) texts.Add(text);
            else _problems.Add($"{_where}.{name} must be a list of texts");
        }
        return texts;
    }

    public IReadOnlyList<JsonElement> Items(string name) => Read(name, JsonValueKind.Array) is { } value ? [.. value.EnumerateArray()] : [];

    public StrictObject? Object(string name) => Take(name) is { } value ? new StrictObject(value, $"{_where}.{name}", _problems) : null;

    public JsonElement? Take(string name)
    {
        _read.Add(name);
        return _fields.TryGetValue(name, out var value) ? value : null;
    }

    /// <summary>All fields have been asked for that there may be.</summary>
    public void End()
    {
        foreach (var name in _fields.Keys)
        {
            if (!_read.Contains(name)) _problems.Add($"{_where}.{name} is not known here");
        }
    }

    public void Problem(string name, string problem) => _problems.Add($"{_where}.{name} {problem}");

    private JsonElement? Read(string name, JsonValueKind kind)
    {
        if (Take(name) is not { } value) return null;
        if (value.ValueKind == kind) return value;
        _problems.Add($"{_where}.{name} must be {(kind == JsonValueKind.Array ? "a list" : "a text")}");
        return null;
    }
}

/// <summary>What the forms have in common.</summary>
internal static class DialectText
{
    /// <summary>Longest policy in characters.</summary>
    public const int MaxLength = 256 * 1024;

    /// <summary>Written for people, without escapes that JSON does not need.</summary>
    public static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The document of a text, or why there is none.</summary>
    public static JsonElement? Parse(string text, List<string> problems)
    {
        if (text.Length > MaxLength)
        {
            problems.Add($"the policy is longer than {MaxLength} characters");
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16 });
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            problems.Add($"the policy is no JSON: {e.Message}");
            return null;
        }
    }

    /// <summary>An age such as <c>30d</c>, or of several parts such as <c>2d3h6m</c>; null when it is none.</summary>
    /// <param name="text">The age.</param>
    /// <param name="units">Seconds of each unit's letter.</param>
    /// <param name="parts">Most parts.</param>
    public static TimeSpan? AgeOf(string text, IReadOnlyDictionary<char, int> units, int parts = 1)
    {
        long seconds = 0;
        var start = 0;
        for (var part = 0; start < text.Length; part++)
        {
            var end = start;
            while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
            if (part == parts || end == start || end - start > 9 || end == text.Length || !units.TryGetValue(text[end], out var unit)) return null;
            seconds += long.Parse(text.AsSpan(start, end - start), CultureInfo.InvariantCulture) * unit;
            start = end + 1;
        }
        return start == 0 || seconds > (long)TimeSpan.MaxValue.TotalSeconds ? null : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>An age in the largest unit that leaves nothing over.</summary>
    public static string AgeText(TimeSpan age, IReadOnlyDictionary<char, int> units)
    {
        var seconds = (long)age.TotalSeconds;
        var unit = units.Where(u => seconds % u.Value == 0).OrderByDescending(u => u.Value).First();
        return (seconds / unit.Value).ToString(CultureInfo.InvariantCulture) + unit.Key;
    }

    /// <summary>Units from seconds to days.</summary>
    public static readonly IReadOnlyDictionary<char, int> Units = new Dictionary<char, int> { ['s'] = 1, ['m'] = 60, ['h'] = 3600, ['d'] = 86_400 };

    /// <summary>Says what a form cannot express of a rule set as a whole.</summary>
    public static List<string> Unsayable(RetentionRuleSet set, string form, RetentionUnit unit, RetentionPrecedence precedence, bool restGoes)
    {
        var problems = new List<string>();
        if (set.Unit != unit) problems.Add(unit == RetentionUnit.Tag ? $"{form} decides about each tag, this policy about images" : $"{form} decides about images, this policy about each tag");
        if (set.RestGoes != restGoes) problems.Add(restGoes ? $"in {form} what no rule keeps goes, in this policy it stays" : $"{form} only deletes what a rule names, this policy all that no rule keeps");
        if (set.Precedence != precedence && set.Rules.Count > 1) problems.Add(precedence == RetentionPrecedence.FirstSelection ? $"in {form} the first rule decides, in this policy what keeps beats what deletes" : $"in {form} the order of rules means nothing");
        if (set.FloatingFollows && unit == RetentionUnit.Tag) problems.Add($"{form} does not know floating tags");
        return problems;
    }

    /// <summary>Says which parts of a rule a form has no words for, by naming those that it has.</summary>
    public static void CheckParts(RetentionRule rule, string form, List<string> problems, params ReadOnlySpan<string> known)
    {
        var s = rule.Selection;
        (string Part, bool IsUsed)[] parts =
        [
            ("repositories", s.Repositories.Count > 0), ("excluded repositories", s.NotRepositories.Count > 0), ("tags", s.Tags.Count > 0), ("labels", s.Labels.Count > 0),
            ("types", s.Types.Count > 0), ("digests", s.Digests.Count > 0), ("paths", s.Paths.Count > 0), ("switching off", rule.IsDisabled), ("remarks", rule.Note is not null),
            ("keeping", rule.Action == RetentionAction.Keep), ("deleting", rule.Action == RetentionAction.Delete),
        ];
        foreach (var (part, isUsed) in parts)
        {
            if (isUsed && !known.Contains(part)) problems.Add($"rule {rule.Name}: {form} has no words for {part}");
        }
    }
}
