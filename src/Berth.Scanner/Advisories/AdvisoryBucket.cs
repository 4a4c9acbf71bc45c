namespace Berth.Scanner.Advisories;

/// <summary>The advisories of one source for one distribution or ecosystem.</summary>
/// <param name="Name">In Trivy's words (<c>debian 12</c>, <c>npm::GitHub Security Advisory Npm</c>) or <c>osv::</c> with the ecosystem (<c>osv::Debian:12</c>).</param>
/// <param name="Feed">What brought it in: <c>trivy</c>, <c>osv</c>, <c>alpine</c>, <c>debian</c> or the name of a dropped file's kind.</param>
public sealed record AdvisoryBucket(string Name, string Feed)
{
    /// <summary>Short id of the source (<c>ghsa</c>, <c>debian</c>), which also names its severities; empty when unknown.</summary>
    public string SourceId { get; init; } = "";

    public string SourceName { get; init; } = "";

    public string SourceUrl { get; init; } = "";

    /// <summary>Source whose severities count when this one rebuilds another's packages; empty otherwise.</summary>
    public string BaseId { get; init; } = "";
}
