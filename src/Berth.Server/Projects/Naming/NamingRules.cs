using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.RegularExpressions;
using Berth.Server.Platform.Text;

namespace Berth.Server.Projects.Naming;

/// <summary>A rule of a naming policy that a name breaks.</summary>
/// <param name="Rule">Its name as in the policy: <c>lower_case</c>, <c>separators</c> …</param>
/// <param name="Sentence">What is wrong, for people.</param>
public sealed record NamingBreach(string Rule, string Sentence);

/// <summary>A naming policy whose patterns are read; pure decisions. Remembered with the project, so that a push asks nobody.</summary>
public sealed class NamingRules
{
    /// <summary>Name of the project's setting that holds the policy.</summary>
    public const string Setting = "naming_policy";

    private const int MaxPatterns = 50;
    private const string AllSeparators = "._-";
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromMilliseconds(250);

    // semver.org, item 2 and 9; a tag cannot hold the "+" of item 10, which people write as "_" or "-".
    private static readonly Regex s_version = new(@"^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)([-_][0-9A-Za-z._-]+)?\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, s_timeLimit);

    private readonly NamingPolicy _policy;
    private readonly Pattern[] _tags;
    private readonly Pattern[] _repositories;
    private readonly string _foreign;

    private NamingRules(NamingPolicy policy, Pattern[] tags, Pattern[] repositories)
    {
        (_policy, _tags, _repositories) = (policy, tags, repositories);
        _foreign = policy.Separators is { } allowed ? new string([.. AllSeparators.Where(s => !allowed.Contains(s, StringComparison.Ordinal))]) : "";
    }

    /// <summary>How seriously it is meant.</summary>
    public NamingMode Mode => _policy.Mode;

    /// <summary>Reads a policy; all that is wrong with it when the answer is false.</summary>
    public static bool TryCreate(NamingPolicy policy, [NotNullWhen(true)] out NamingRules? rules, out IReadOnlyList<string> problems)
    {
        var found = new List<string>();
        if (policy.Separators is { } separators && (separators.Distinct().Count() != separators.Length || separators.Any(s => !AllSeparators.Contains(s, StringComparison.Ordinal))))
            found.Add($"separators may hold each of {AllSeparators} once");
        var tags = Read("tags", policy.Tags, found);
        var repositories = Read("repositories", policy.Repositories, found);
        problems = found;
        rules = found.Count == 0 ? new NamingRules(policy, tags, repositories) : null;
        return rules is not null;
    }

    /// <summary>The rules of a project's settings; null where there are none, or they are switched off.</summary>
    public static NamingRules? Of(IReadOnlyDictionary<string, string> settings) =>
        settings.TryGetValue(Setting, out var text) && PolicyOf(text) is { Mode: not NamingMode.Off } policy && TryCreate(policy, out var rules, out _) ? rules : null;

    /// <summary>The policy of a stored text; one that is off where it cannot be read.</summary>
    public static NamingPolicy PolicyOf(string? text)
    {
        try
        {
            return string.IsNullOrEmpty(text) ? new NamingPolicy() : JsonSerializer.Deserialize(text, NamingJson.Default.NamingPolicy) ?? new NamingPolicy();
        }
        catch (JsonException)
        {
            // A later version's policy that this one does not know: people are not kept from pushing by it.
            return new NamingPolicy();
        }
    }

    /// <summary>The first rule that a tag breaks which is made or moved; null: none.</summary>
    /// <param name="repository">Name of the repository without the project.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="exists">It points to another manifest now.</param>
    public NamingBreach? Find(string repository, string tag, bool exists)
    {
        if (_policy.ForbidVersionOverwrite && exists && s_version.IsMatch(tag))
            return new NamingBreach("forbid_version_overwrite", $"the tag {tag} is a version, which stays what it is: push a new one");
        if (_policy.ForbidLatest && tag == "latest") return new NamingBreach("forbid_latest", "the tag latest is not used in this project: name the version");
        if (_policy.LowerCase && tag.Any(char.IsAsciiLetterUpper)) return new NamingBreach("lower_case", $"the tag {tag} has capital letters");
        if (Foreign(tag) is { } inTag) return new NamingBreach("separators", $"the tag {tag} has a '{inTag}', where only {Allowed()} may separate words");
        if (Foreign(repository) is { } inName) return new NamingBreach("separators", $"the repository's name {repository} has a '{inName}', where only {Allowed()} may separate words");
        if (_repositories.Length > 0 && !Array.Exists(_repositories, p => p.IsMatch(repository)))
            return new NamingBreach("repositories", $"the repository's name {repository} matches none of {Texts(_policy.Repositories)}");
        return _tags.Length > 0 && !Array.Exists(_tags, p => p.IsMatch(tag)) ? new NamingBreach("tags", $"the tag {tag} matches none of {Texts(_policy.Tags)}") : null;
    }

    private char? Foreign(string name)
    {
        var at = _foreign.Length == 0 ? -1 : name.AsSpan().IndexOfAny(_foreign);
        return at < 0 ? null : name[at];
    }

    private string Allowed() => _policy.Separators is { Length: > 0 } separators ? string.Join(' ', separators.Select(s => $"'{s}'")) : "nothing";

    private static string Texts(IReadOnlyList<NamingPattern>? patterns) => string.Join(", ", (patterns ?? []).Select(p => p.Text));

    private static Pattern[] Read(string word, IReadOnlyList<NamingPattern>? patterns, List<string> problems)
    {
        if (patterns is null) return [];
        if (patterns.Count > MaxPatterns)
        {
            problems.Add($"{word} is a list of at most {MaxPatterns} patterns");
            return [];
        }
        var read = new List<Pattern>();
        for (var i = 0; i < patterns.Count; i++)
        {
            if (Read(patterns[i], out var problem) is { } pattern) read.Add(pattern);
            else problems.Add($"{word}[{i}]: {problem}");
        }
        return [.. read];
    }

    private static Pattern? Read(NamingPattern? pattern, out string problem)
    {
        problem = "";
        if (pattern?.Text is not { Length: > 0 and <= Glob.MaxLength })
        {
            problem = $"a pattern has 1 to {Glob.MaxLength} characters";
            return null;
        }
        if (pattern.Kind == NamingPatternKind.Glob) return Glob.TryParse(pattern.Text, out var glob, out problem) ? new Pattern(glob, null) : null;
        try
        {
            return new Pattern(null, new Regex($@"\A(?:{pattern.Text})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, s_timeLimit));
        }
        catch (ArgumentException e)
        {
            problem = $"the regular expression {pattern.Text} cannot be read: {e.Message}";
        }
        catch (NotSupportedException)
        {
            problem = $"the regular expression {pattern.Text} looks around, refers back or is too large: write it without";
        }
        return null;
    }

    private sealed record Pattern(Glob? Glob, Regex? Regex)
    {
        public bool IsMatch(string name) => Glob?.IsMatch(name) ?? Regex!.IsMatch(name);
    }
}
