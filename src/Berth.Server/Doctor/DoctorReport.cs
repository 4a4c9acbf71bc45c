using System.Text.Json.Serialization;

namespace Berth.Server.Doctor;

/// <summary>One line of a report.</summary>
public sealed record DoctorLine
{
    public required string Id { get; init; }

    /// <summary>Group: deployment, access …</summary>
    public required string Area { get; init; }

    public required string Question { get; init; }

    /// <summary>pass, fail or not_configured.</summary>
    public required string Status { get; init; }

    /// <summary>What was found.</summary>
    public required string Finding { get; init; }

    /// <summary>What the answer depends on.</summary>
    public required string DecidedBy { get; init; }

    /// <summary>What to do; null for what passes.</summary>
    public string? Fix { get; init; }

    internal static DoctorLine Of(DoctorCheck check, Finding finding) => new()
    {
        Id = check.Id,
        Area = check.Area.ToString().ToLowerInvariant(),
        Question = check.Question,
        Status = WordOf(finding.Status),
        Finding = finding.Text,
        DecidedBy = check.DecidedBy,
        Fix = finding.Status == DoctorStatus.Pass ? null : check.Fix,
    };

    private static string WordOf(DoctorStatus status) => status switch
    {
        DoctorStatus.Pass => "pass",
        DoctorStatus.Fail => "fail",
        _ => "not_configured",
    };
}

/// <summary>The checklist, held against a registry.</summary>
public sealed record DoctorReport
{
    /// <summary>Version of the server; empty when it was not asked.</summary>
    public string Version { get; init; } = "";

    /// <summary>Lines that pass.</summary>
    public int Passed { get; init; }

    /// <summary>Lines that fail.</summary>
    public int Failed { get; init; }

    /// <summary>Lines that nothing is set up for.</summary>
    public int NotConfigured { get; init; }

    public IReadOnlyList<DoctorLine> Checks { get; init; } = [];

    internal static DoctorReport Of(string version, IReadOnlyList<DoctorLine> lines) => new()
    {
        Version = version,
        Passed = lines.Count(line => line.Status == "pass"),
        Failed = lines.Count(line => line.Status == "fail"),
        NotConfigured = lines.Count(line => line.Status == "not_configured"),
        Checks = lines,
    };
}

/// <summary>JSON of the feature.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
