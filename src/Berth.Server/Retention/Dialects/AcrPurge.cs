using System.Globalization;
using System.Text;

namespace Berth.Server.Retention.Dialects;

/// <summary>
/// The command line of <c>acr purge</c>: tags that a filter finds and that are older than <c>--ago</c> go, the newest <c>--keep</c> of them stay, and manifests
/// without a tag go only with <c>--untagged</c>.
/// </summary>
internal static class AcrPurge
{
    private const string Form = "acr purge";
    private static readonly TimeSpan s_defaultAgo = TimeSpan.FromDays(1);

    // A date counts in days, the rest as Go's durations do.
    private static readonly IReadOnlyDictionary<char, int> s_units = DialectText.Units;

    /// <summary>Reads a command line, with or without <c>acr purge</c> in front.</summary>
    public static DialectReading Read(string text)
    {
        var (problems, notes) = (new List<string>(), new List<string>());
        if (text.Length > DialectText.MaxLength || Split(text) is not { } words) return DialectReading.Refused("the command line is too long, or a quote in it is not closed");
        if (words is ["acr", "purge", ..]) words.RemoveRange(0, 2);
        var (filters, ago, keep, tags, untagged) = (new List<string>(), (TimeSpan?)null, 0, true, false);
        for (var i = 0; i < words.Count; i++)
        {
            var equals = words[i].IndexOf('=', StringComparison.Ordinal);
            var (flag, value) = equals > 0 && words[i].StartsWith('-') ? (words[i][..equals], words[i][(equals + 1)..]) : (words[i], null);
            switch (flag)
            {
                case "--filter":
                    filters.Add(Value());
                    break;
                case "--ago":
                    ago = DialectText.AgeOf(Value(), s_units, parts: 4);
                    if (ago is null) problems.Add("--ago must be an age such as 30d or 2d3h6m");
                    break;
                case "--keep":
                    if (!int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out keep)) problems.Add("--keep must be a number");
                    break;
                case "--untagged":
                    untagged = true;
                    break;
                case "--untagged-only":
                    (tags, untagged) = (false, true);
                    break;
                case "--dry-run":
                    notes.Add("--dry-run is left out: a dry run is asked for when it is started");
                    break;
                case "--concurrency":
                    Value();
                    notes.Add("--concurrency is left out: the server sees to that");
                    break;
                case "--registry" or "-r":
                    Value();
                    notes.Add($"{flag} is left out: the policy belongs to where it is kept");
                    break;
                default:
                    problems.Add($"{words[i]} is not known here");
                    break;
            }

            string Value()
            {
                if (value is not null) return value;
                if (i + 1 < words.Count) return words[++i];
                problems.Add($"{flag} needs a value");
                return "";
            }
        }
        if (filters.Count == 0) problems.Add("--filter is missing");
        var rules = RulesOf(filters, ago ?? s_defaultAgo, keep, tags, untagged, problems);
        return DialectReading.Of(new RetentionRuleSet { Rules = rules, Unit = RetentionUnit.Tag, LeavesUntagged = !untagged }, problems, notes);
    }

    /// <summary>Writes a command line.</summary>
    public static DialectWriting Write(RetentionRuleSet set)
    {
        var problems = DialectText.Unsayable(set, Form, RetentionUnit.Tag, RetentionPrecedence.KeepBeatsDelete, restGoes: false);
        var (words, common, repositories, hasTags, hasUntagged) = (new List<string> { "acr purge" }, (string?)null, new HashSet<string>(), false, false);
        foreach (var rule in set.Rules)
        {
            DialectText.CheckParts(rule, Form, problems, "repositories", "tags", "deleting");
            var s = rule.Selection;
            if (s.Repositories is not [{ Kind: PatternKind.Regex, IsNegated: false } repository] || repository.Text is not ['^', '(', '?', ':', .., ')', '$'])
            {
                problems.Add($"rule {rule.Name}: {Form} names repositories by one regular expression over the whole name");
                continue;
            }
            var name = repository.Text[4..^2];
            if (ConditionsOf(rule, problems) is { } conditions)
            {
                if ((common ??= conditions) != conditions) problems.Add($"rule {rule.Name}: {Form} has one age and one number to keep for all filters");
            }
            if (s.State == TagState.Untagged) hasUntagged = true;
            else if (s.State == TagState.Any || s.Tags.Count == 0 || s.Tags.Any(t => t.Kind != PatternKind.Regex || t.IsNegated)) problems.Add($"rule {rule.Name}: {Form} names tags by regular expressions");
            else hasTags = true;
            foreach (var filter in s.State == TagState.Untagged ? (repositories.Contains(name) ? [] : [".*"]) : s.Tags.Select(t => t.Text)) words.Add($"--filter {Quote($"{name}:{filter}")}");
            repositories.Add(name);
        }
        if (hasTags && set.LeavesUntagged == hasUntagged) problems.Add($"{Form} lets images without a tag go either all or not at all");
        words.Add(common ?? "");
        if (hasUntagged) words.Add(hasTags ? "--untagged" : "--untagged-only");
        return DialectWriting.Of(() => string.Join(' ', words), problems);
    }

    private static List<RetentionRule> RulesOf(List<string> filters, TimeSpan ago, int keep, bool tags, bool untagged, List<string> problems)
    {
        var repositories = new List<(string Repository, List<string> Tags)>();
        foreach (var filter in filters)
        {
            var colon = SeparatorOf(filter);
            if (colon <= 0 || colon == filter.Length - 1)
            {
                problems.Add($"--filter must be repository:tag, both regular expressions, not \"{filter}\"");
                continue;
            }
            var (name, tag) = (filter[..colon], filter[(colon + 1)..]);
            var known = repositories.FindIndex(r => r.Repository == name);
            if (known < 0) repositories.Add((name, [tag]));
            else repositories[known].Tags.Add(tag);
        }
        var conditions = new List<RetentionCondition> { RetentionCondition.Within(ago).Not() };
        if (keep > 0) conditions.Add(RetentionCondition.Newest(keep).Not() with { CountsMatching = true });
        var rules = new List<RetentionRule>();
        foreach (var (name, patterns) in repositories)
        {
            var selection = new RetentionSelection { Repositories = [NamePattern.Regex($"^(?:{name})$")] };
            if (tags) rules.Add(Rule($"tags of {name}", selection with { Tags = [.. patterns.Select(p => NamePattern.Regex(p))] }, conditions));
            if (untagged) rules.Add(Rule($"untagged of {name}", selection with { State = TagState.Untagged }, conditions));
        }
        return rules;
    }

    private static RetentionRule Rule(string name, RetentionSelection selection, List<RetentionCondition> conditions) =>
        new() { Name = name, Action = RetentionAction.Delete, Selection = selection, Conditions = conditions };

    private static string? ConditionsOf(RetentionRule rule, List<string> problems)
    {
        switch (rule.Conditions)
        {
            case [{ Kind: ConditionKind.Within, IsNegated: true, By: RetentionClock.Pushed } ago]:
                return $"--ago {DialectText.AgeText(ago.Age, s_units)}";
            case [{ Kind: ConditionKind.Within, IsNegated: true, By: RetentionClock.Pushed } ago, { Kind: ConditionKind.Newest, IsNegated: true, By: RetentionClock.Pushed, CountsMatching: true, CountsImages: false } keep]
                when !rule.AnyCondition:
                return $"--ago {DialectText.AgeText(ago.Age, s_units)} --keep {keep.Count.ToString(CultureInfo.InvariantCulture)}";
            default:
                problems.Add($"rule {rule.Name}: {Form} cannot say \"{rule.Describe()}\"");
                return null;
        }
    }

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    // Words as a shell takes them apart: quotes and backslashes, nothing else. Null when a quote is not closed.
    private static List<string>? Split(string text)
    {
        var (words, word, quote, isWord) = (new List<string>(), new StringBuilder(), '\0', false);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quote != '\0')
            {
                if (c == quote) quote = '\0';
                else if (c == '\\' && quote == '"' && i + 1 < text.Length && text[i + 1] is '"' or '\\') word.Append(text[++i]);
                else word.Append(c);
            }
            else if (c is '\'' or '"') (quote, isWord) = (c, true);
            else if (c == '\\' && i + 1 < text.Length)
            {
                if (text[++i] is '\n') continue;
                word.Append(text[i]);
                isWord = true;
            }
            else if (!char.IsWhiteSpace(c))
            {
                word.Append(c);
                isWord = true;
            }
            else if (isWord)
            {
                words.Add(word.ToString());
                word.Clear();
                isWord = false;
            }
        }
        if (isWord) words.Add(word.ToString());
        return quote == '\0' ? words : null;
    }

    // The first colon that does not belong to a group (?:…); -1 for none.
    private static int SeparatorOf(string filter)
    {
        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] == ':' && (i == 0 || filter[i - 1] != '?')) return i;
        }
        return -1;
    }
}
