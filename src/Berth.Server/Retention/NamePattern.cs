using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Berth.Server.Platform.Text;

namespace Berth.Server.Retention;

/// <summary>How the text of a <see cref="NamePattern"/> is read.</summary>
[JsonConverter(typeof(WordConverter<PatternKind>))]
internal enum PatternKind
{
    /// <summary>Doublestar, as in the rules of immutable tags.</summary>
    Glob,

    /// <summary>A regular expression, found anywhere in the name unless it is anchored; without look-around and back references.</summary>
    Regex,

    /// <summary>The name starts with it.</summary>
    Prefix,
}

/// <summary>Selects names: repositories, tags, labels, kinds of artifacts.</summary>
/// <param name="Kind">How the text is read.</param>
/// <param name="Text">The pattern.</param>
/// <param name="IsNegated">All names that do not match are meant.</param>
internal sealed record NamePattern(PatternKind Kind, string Text, bool IsNegated = false)
{
    /// <summary>Longest pattern in characters.</summary>
    public const int MaxLength = 255;

    /// <summary>A glob.</summary>
    public static NamePattern Glob(string text, bool isNegated = false) => new(PatternKind.Glob, text, isNegated);

    /// <summary>A regular expression.</summary>
    public static NamePattern Regex(string text, bool isNegated = false) => new(PatternKind.Regex, text, isNegated);

    /// <summary>A prefix.</summary>
    public static NamePattern Prefix(string text) => new(PatternKind.Prefix, text);

    /// <summary>As people read it.</summary>
    public override string ToString() => (IsNegated ? "not " : "") + Kind switch { PatternKind.Regex => $"/{Text}/", PatternKind.Prefix => Text + "…", _ => Text };
}

/// <summary>A pattern that is ready to be asked. Asking takes time in proportion to the name, whatever the pattern.</summary>
internal sealed class NameMatcher
{
    // The matcher without backtracking is linear; the limit is for a pattern that compiles into something huge.
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromMilliseconds(250);

    private readonly NamePattern _pattern;
    private readonly Glob? _glob;
    private readonly Regex? _regex;

    private NameMatcher(NamePattern pattern, Glob? glob, Regex? regex) => (_pattern, _glob, _regex) = (pattern, glob, regex);

    /// <summary>Reads a pattern.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="matcher">The matcher when the answer is true.</param>
    /// <param name="problem">What is wrong when it is false.</param>
    public static bool TryCreate(NamePattern pattern, [NotNullWhen(true)] out NameMatcher? matcher, out string problem)
    {
        (matcher, problem) = (null, "");
        if (pattern.Text.Length is 0 or > NamePattern.MaxLength)
        {
            problem = $"a pattern has 1 to {NamePattern.MaxLength} characters";
            return false;
        }
        switch (pattern.Kind)
        {
            case PatternKind.Prefix:
                matcher = new NameMatcher(pattern, null, null);
                return true;
            case PatternKind.Glob:
                if (!Glob.TryParse(pattern.Text, out var glob, out problem)) return false;
                matcher = new NameMatcher(pattern, glob, null);
                return true;
            default:
                return TryCreateRegex(pattern, out matcher, out problem);
        }
    }

    /// <summary>Whether the name is meant.</summary>
    public bool IsMatch(string name) => Matches(name) != _pattern.IsNegated;

    private bool Matches(string name) => _glob?.IsMatch(name) ?? _regex?.IsMatch(name) ?? name.StartsWith(_pattern.Text, StringComparison.Ordinal);

    private static bool TryCreateRegex(NamePattern pattern, [NotNullWhen(true)] out NameMatcher? matcher, out string problem)
    {
        (matcher, problem) = (null, "");
        try
        {
            matcher = new NameMatcher(pattern, null, new Regex(pattern.Text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, s_timeLimit));
            return true;
        }
        catch (ArgumentException e)
        {
            problem = $"the regular expression {pattern.Text} cannot be read: {e.Message}";
        }
        catch (NotSupportedException)
        {
            problem = $"the regular expression {pattern.Text} looks around or refers back, which could take for ever: write it without";
        }
        return false;
    }
}
