using Berth.Scanner.Advisories;

namespace Berth.Scanner.Secrets;

/// <summary>A secret in a file. The secret itself is nowhere in it.</summary>
/// <param name="RuleId">Rule that found it.</param>
/// <param name="Category">Who gives such secrets out.</param>
/// <param name="Title">Name for people.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Path">File, or <c>config.json</c> for the configuration of the image.</param>
/// <param name="StartLine">First line, from 1.</param>
/// <param name="EndLine">Last line.</param>
/// <param name="Match">The line with the secret as stars.</param>
public sealed record SecretFinding(string RuleId, string Category, string Title, Severity Severity, string Path, int StartLine, int EndLine, string Match)
{
    /// <summary>Diff id of the layer with the file; empty outside images.</summary>
    public string Layer { get; init; } = "";
}
