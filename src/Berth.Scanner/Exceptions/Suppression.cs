using Berth.Scanner.Matching;

namespace Berth.Scanner.Exceptions;

/// <summary>Why a finding does not count.</summary>
/// <param name="Source">Where it is written: <c>allow list of the project</c>, the name of an ignore file, the id of a VEX document.</param>
/// <param name="Status">What it claims.</param>
/// <param name="Reason">The words of its author; empty when there are none.</param>
/// <param name="ExpiresAt">When it ends; null for never.</param>
public sealed record Suppression(string Source, SuppressionStatus Status, string Reason, DateTimeOffset? ExpiresAt = null);

/// <summary>What an exception claims about a finding.</summary>
public enum SuppressionStatus
{
    /// <summary>Somebody decided not to look at it.</summary>
    Ignored,

    /// <summary>The product does not have the flaw (VEX).</summary>
    NotAffected,

    /// <summary>The product has the repair (VEX).</summary>
    Fixed,
}

/// <summary>A finding that does not count, with the reason.</summary>
public sealed record SuppressedFinding(Finding Finding, Suppression Suppression);

/// <summary>Words of statuses.</summary>
public static class SuppressionStatuses
{
    /// <summary>The word as Trivy's reports write it.</summary>
    public static string Word(this SuppressionStatus status) => status switch
    {
        SuppressionStatus.NotAffected => "not_affected",
        SuppressionStatus.Fixed => "fixed",
        _ => "ignored",
    };
}
