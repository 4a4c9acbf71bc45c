using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using Berth.Server.Projects;

namespace Berth.Server.Scanning.PullGate;

/// <summary>What a closed gate does.</summary>
internal enum GateMode
{
    /// <summary>The pull is refused.</summary>
    Enforce,

    /// <summary>The pull goes on, with a warning, and is written down: what would happen if the gate were enforced.</summary>
    Warn,
}

/// <summary>Which images of a project may not be pulled.</summary>
internal sealed record GatePolicy
{
    private static readonly ConditionalWeakTable<ProjectFacts, Held> s_known = [];

    public GateMode Mode { get; init; }

    /// <summary>The severity from which on findings close the gate, as a word; <c>none</c> for all findings.</summary>
    public string Severity { get; init; } = "none";

    /// <summary>Its rank (<see cref="StoredReport.Rank"/>).</summary>
    public int Threshold { get; init; } = 1;

    /// <summary>Whether images that no scan has reported on are refused.</summary>
    public bool RefusesUnscanned { get; init; } = true;

    /// <summary>For how long after its push an image may be pulled while its first scan waits or runs.</summary>
    public TimeSpan Grace { get; init; }

    /// <summary>Whether only findings with a repair count.</summary>
    public bool FixableOnly { get; init; }

    /// <summary>The policy of a project; null where the gate is down. Costs a look-up where it is.</summary>
    public static GatePolicy? Of(ProjectFacts project) =>
        project.Metadata.TryGetValue(ProjectSettings.PreventVulnerable, out var flag) && flag == "true" ? s_known.GetValue(project, static one => new Held(Read(one.Metadata))).Policy : null;

    /// <summary>The policy that settings make, whether the gate is up or not; null in mode <c>off</c>.</summary>
    public static GatePolicy? Read(IReadOnlyDictionary<string, string> settings)
    {
        if (settings.GetValueOrDefault(ProjectSettings.GateMode) is "off") return null;
        TryRankOf(settings.GetValueOrDefault(ProjectSettings.Severity) ?? "none", out var threshold);
        return new GatePolicy
        {
            Mode = settings.GetValueOrDefault(ProjectSettings.GateMode) == "warn" ? GateMode.Warn : GateMode.Enforce,
            // As in Harbor: a project that names no severity, or one that is not known, minds every finding.
            Severity = settings.GetValueOrDefault(ProjectSettings.Severity) is { } severity && TryRankOf(severity, out _) ? severity : "none",
            Threshold = Math.Max(1, threshold),
            RefusesUnscanned = settings.GetValueOrDefault(ProjectSettings.GateUnscanned) != "allow",
            Grace = int.TryParse(settings.GetValueOrDefault(ProjectSettings.GateGrace), NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ? TimeSpan.FromMinutes(minutes) : TimeSpan.Zero,
            FixableOnly = settings.GetValueOrDefault(ProjectSettings.GateFixableOnly) == "true",
        };
    }

    /// <summary>The rank of a severity as projects write it: <c>none</c> stands for any finding.</summary>
    public static bool TryRankOf([NotNullWhen(true)] string? word, out int rank)
    {
        rank = word switch { "none" => 1, "low" => 2, "medium" => 3, "high" => 4, "critical" => 5, _ => 0 };
        return rank > 0;
    }

    private sealed record Held(GatePolicy? Policy);
}
