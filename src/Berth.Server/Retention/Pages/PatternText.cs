namespace Berth.Server.Retention.Pages;

/// <summary>
/// Patterns as people type them into one field: separated by spaces, each a glob, or <c>re:</c> with a regular expression, or <c>prefix:</c> with the beginning of a name;
/// <c>!</c> in front for all names that do not match. Nothing is lost on the way there and back.
/// </summary>
internal static class PatternText
{
    private const string Regex = "re:";
    private const string Prefix = "prefix:";

    /// <summary>Patterns as text.</summary>
    public static string Of(IReadOnlyList<NamePattern> patterns) => string.Join(' ', patterns.Select(Of));

    /// <summary>One pattern as text.</summary>
    public static string Of(NamePattern pattern)
    {
        var text = pattern.Kind switch
        {
            // A space would end it; to a regular expression this is the same.
            PatternKind.Regex => Regex + pattern.Text.Replace(" ", "\\x20", StringComparison.Ordinal),
            PatternKind.Prefix => Prefix + pattern.Text,
            _ => pattern.Text,
        };
        return pattern.IsNegated ? "!" + text : text;
    }

    /// <summary>The patterns of a text.</summary>
    public static IReadOnlyList<NamePattern> Read(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ReadOne)];

    private static NamePattern ReadOne(string text)
    {
        var isNegated = text.StartsWith('!');
        if (isNegated) text = text[1..];
        if (text.StartsWith(Regex, StringComparison.Ordinal)) return new NamePattern(PatternKind.Regex, text[Regex.Length..], isNegated);
        return text.StartsWith(Prefix, StringComparison.Ordinal) ? new NamePattern(PatternKind.Prefix, text[Prefix.Length..], isNegated) : new NamePattern(PatternKind.Glob, text, isNegated);
    }
}
