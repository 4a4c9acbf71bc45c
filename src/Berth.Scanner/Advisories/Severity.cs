namespace Berth.Scanner.Advisories;

/// <summary>How bad a flaw is. The numbers are those of Trivy's database and stay.</summary>
public enum Severity
{
    Unknown = 0,
    Low = 1,
    Medium = 2,
    High = 3,
    Critical = 4,
}

/// <summary>Words and scores of severities.</summary>
public static class Severities
{
    /// <summary>The word in capitals, as reports write it.</summary>
    public static string Word(this Severity severity) => severity switch
    {
        Severity.Low => "LOW",
        Severity.Medium => "MEDIUM",
        Severity.High => "HIGH",
        Severity.Critical => "CRITICAL",
        _ => "UNKNOWN",
    };

    /// <summary>Reads the words of the many sources (MODERATE, IMPORTANT, Debian's urgencies …); anything else is unknown.</summary>
    public static Severity Parse(string? word) => word?.Trim().TrimEnd('*').ToUpperInvariant() switch
    {
        "LOW" or "UNIMPORTANT" or "NEGLIGIBLE" or "MINOR" => Severity.Low,
        "MEDIUM" or "MODERATE" => Severity.Medium,
        "HIGH" or "IMPORTANT" => Severity.High,
        "CRITICAL" => Severity.Critical,
        _ => Severity.Unknown,
    };

    /// <summary>The severity of a CVSS score by the scale of FIRST (v3 and v4).</summary>
    public static Severity OfScore(double score) => score switch
    {
        >= 9.0 => Severity.Critical,
        >= 7.0 => Severity.High,
        >= 4.0 => Severity.Medium,
        > 0.0 => Severity.Low,
        _ => Severity.Unknown,
    };
}
