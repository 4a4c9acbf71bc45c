namespace Berth.Server.Retention;

/// <summary>What decided about a tag or an image without one.</summary>
internal enum RetentionReason
{
    /// <summary>A rule of the policy.</summary>
    Rule,

    /// <summary>No rule is about it, or those that are do not hold.</summary>
    NoRule,

    /// <summary>No rule keeps it, and the policy lets go of all that none keeps.</summary>
    Rest,

    /// <summary>The tag is locked or immutable.</summary>
    Protected,

    /// <summary>The image is archived.</summary>
    Archived,

    /// <summary>A cluster has used it lately.</summary>
    InUse,

    /// <summary>A floating tag whose image another tag keeps.</summary>
    Floating,
}

/// <summary>The decision about one tag, or about one image without a tag.</summary>
/// <param name="Tag">The tag; null for an image without one.</param>
/// <param name="Image">Position of its image.</param>
/// <param name="Goes">Whether it goes now.</param>
/// <param name="Reason">What decided.</param>
/// <param name="Rule">Position of the rule that decided; -1 for none.</param>
/// <param name="Detail">More about it: the lock that keeps it, the tag that it follows.</param>
/// <param name="GoesAt">When it goes, in Unix milliseconds: now, or later if nothing is pushed or pulled until then; null when time alone does not make it go.</param>
internal readonly record struct RetentionVerdict(string? Tag, int Image, bool Goes, RetentionReason Reason, int Rule, string? Detail, long? GoesAt);

/// <summary>What becomes of a repository.</summary>
/// <param name="Facts">What was decided about.</param>
/// <param name="Verdicts">One for each tag, and for each image without one that stands alone; in the order of the facts.</param>
/// <param name="GoneImages">Positions of all manifests that vanish with them: those that lose their last tag, what only they list, and what is about them.</param>
internal sealed record RepositoryPlan(RepositoryFacts Facts, IReadOnlyList<RetentionVerdict> Verdicts, IReadOnlyList<int> GoneImages)
{
    /// <summary>How many go.</summary>
    public int Going => Verdicts.Count(v => v.Goes);
}
