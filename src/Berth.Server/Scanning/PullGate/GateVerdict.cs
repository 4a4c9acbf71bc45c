using System.Globalization;
using System.Text;
using Berth.Scanner.Exceptions;
using Berth.Server.Api;
using Berth.Server.Scanning.Exceptions;

namespace Berth.Server.Scanning.PullGate;

/// <summary>Why the gate is closed for an image.</summary>
internal enum GateReason
{
    /// <summary>No scan has been asked for.</summary>
    NotScanned,

    /// <summary>Its first scan waits or runs.</summary>
    BeingScanned,

    /// <summary>Its scan failed, and there is no report of an earlier one.</summary>
    ScanFailed,

    /// <summary>What was found.</summary>
    Findings,
}

/// <summary>An image that the gate is closed for.</summary>
/// <param name="Image">The image.</param>
/// <param name="Reason">Why.</param>
internal sealed record RefusedImage(GateImage Image, GateReason Reason)
{
    /// <summary>Findings that count, the worst first, at most <see cref="GateRules.MaxShown"/>.</summary>
    public IReadOnlyList<ReportedFinding> Worst { get; init; } = [];

    /// <summary>Findings that count, by rank.</summary>
    public int[] Counts { get; init; } = new int[6];

    public int Total => Counts.Sum();

    /// <summary>Exceptions that ran out, and for which vulnerability; at most <see cref="GateRules.MaxShown"/>.</summary>
    public IReadOnlyList<(string Id, Suppression Was)> RanOut { get; init; } = [];
}

/// <summary>What the gate says of a pull: it is open when no image is refused.</summary>
internal sealed record GateVerdict(GatePolicy Policy, IReadOnlyList<RefusedImage> Refused)
{
    /// <summary>When it may change by itself; null for never.</summary>
    public DateTimeOffset? ValidUntil { get; init; }

    public bool IsOpen => Refused.Count == 0;

    /// <summary>A sentence for whoever pulls: how much, the worst, what ran out, what to do.</summary>
    public string Sentence(string name)
    {
        var text = new StringBuilder($"{name} may not be pulled: the project ");
        text.Append(Policy.RefusesUnscanned || Refused.Any(static one => one.Reason == GateReason.Findings)
            ? $"keeps back images with {(Policy.FixableOnly ? "repairable " : "")}findings of {(Policy.Severity == "none" ? "any severity" : $"severity {Policy.Severity} or above")}" : "keeps back images");
        if (Policy.RefusesUnscanned) text.Append(" and images without a scan report");
        foreach (var image in Refused.Take(GateRules.MaxShown)) text.Append("; ").Append(Of(image, Refused.Count > 1));
        if (Refused.Count > GateRules.MaxShown) text.Append(CultureInfo.InvariantCulture, $"; and {Refused.Count - GateRules.MaxShown} more images of the index");
        text.Append(Refused.Any(static one => one.Reason == GateReason.Findings)
            ? ". Repair the image, or ask an administrator of the project for an exception" : ". Have it scanned, or ask an administrator of the project");
        return text.ToString();
    }

    private static string Of(RefusedImage image, bool isOneOfMany)
    {
        var which = isOneOfMany ? $"{image.Image.Digest[..Math.Min(19, image.Image.Digest.Length)]} " : "it ";
        if (image.Reason != GateReason.Findings)
        {
            return which + image.Reason switch
            {
                GateReason.BeingScanned => "is being scanned for the first time: try again in a while",
                GateReason.ScanFailed => "could not be scanned" + (image.Image.Problem is { } problem ? $" ({Cut(problem)})" : ""),
                _ => "was never scanned",
            };
        }
        var text = new StringBuilder(which).Append("has ").Append(GateRules.CountsOf(image.Counts)).Append(": ");
        text.AppendJoin(", ", image.Worst.Select(static one => $"{one.Finding.Id} in {one.PackageName} {one.Finding.InstalledVersion} ({one.Severity.ToLowerInvariant()}"
            + (one.FixedVersion.Length > 0 ? $", repaired in {Cut(one.FixedVersion)})" : ")")));
        if (image.Total > image.Worst.Count) text.Append(CultureInfo.InvariantCulture, $" and {image.Total - image.Worst.Count} more");
        if (image.RanOut.Count > 0)
            text.Append("; exceptions that ran out: ").AppendJoin(", ", image.RanOut.Select(static one => $"{one.Id} ({one.Was.Source}, {ApiTime.Text(one.Was.ExpiresAt!.Value.ToUnixTimeMilliseconds())})"));
        return text.ToString();
    }

    private static string Cut(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
