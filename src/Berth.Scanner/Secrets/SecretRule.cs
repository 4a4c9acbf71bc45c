using System.Text.RegularExpressions;
using Berth.Scanner.Advisories;

namespace Berth.Scanner.Secrets;

/// <summary>What a secret looks like.</summary>
/// <param name="Id">Id of the rule, as in Trivy's where it has one.</param>
/// <param name="Category">Who gives such secrets out.</param>
/// <param name="Title">Name for people.</param>
/// <param name="Severity">How bad it is to find one.</param>
/// <param name="Pattern">Expression in the syntax of RE2.</param>
public sealed record SecretRule(string Id, string Category, string Title, Severity Severity, string Pattern)
{
    /// <summary>One of these words stands in every file that can have the secret, in any case; empty when nothing is known.</summary>
    public IReadOnlyList<string> Keywords { get; init; } = [];

    /// <summary>Paths that are looked at; empty for all.</summary>
    public string PathPattern { get; init; } = "";

    /// <summary>Group of the expression that is the secret; empty for the whole match.</summary>
    public string Group { get; init; } = "";

    /// <summary>What is no secret although the rule finds it.</summary>
    public IReadOnlyList<SecretAllowRule> AllowRules { get; init; } = [];
}

/// <summary>What is no secret: by its text or by its path.</summary>
/// <param name="Id">Id of the rule.</param>
/// <param name="Pattern">Expression for the secret; empty for any.</param>
/// <param name="PathPattern">Expression for the path; empty for any.</param>
public sealed record SecretAllowRule(string Id, string Pattern, string PathPattern);

/// <summary>Expressions of others, run in linear time.</summary>
internal static class SecretPattern
{
    private const int MaxLength = 4096;

    /// <summary>Reads an expression in the syntax of RE2. Throws <see cref="FormatException"/> when it cannot be run safely.</summary>
    public static Regex Read(string pattern)
    {
        if (pattern.Length > MaxLength)
            throw new FormatException("an expression is too long");
        var translated = pattern.Replace("(?P<", "(?<", StringComparison.Ordinal)
            .Replace("[:alnum:]", "a-zA-Z0-9", StringComparison.Ordinal).Replace("[:alpha:]", "a-zA-Z", StringComparison.Ordinal)
            .Replace("[:digit:]", "0-9", StringComparison.Ordinal).Replace("[:space:]", "\\s", StringComparison.Ordinal).Replace("[:word:]", "\\w", StringComparison.Ordinal);
        try
        {
            return new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"the expression '{pattern}' cannot be read", e);
        }
    }
}
