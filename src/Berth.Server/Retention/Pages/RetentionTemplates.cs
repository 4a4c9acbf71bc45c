namespace Berth.Server.Retention.Pages;

/// <summary>Ready-made rules for the usual ways to name versions.</summary>
internal static class RetentionTemplates
{
    /// <summary>Their names.</summary>
    public static readonly IReadOnlyList<string> Names = ["semver", "commit", "branch", "date"];

    /// <summary>A policy with the rules of a template added. They keep; the first ones also let go of what no rule keeps, or nothing would ever go.</summary>
    public static RetentionRuleSet AddTo(RetentionRuleSet set, string name)
    {
        IReadOnlyList<RetentionRule> added = name switch
        {
            "semver" =>
            [
                Keep("newest-patches", [NamePattern.Regex(Version)], RetentionCondition.Versions(3, VersionLine.Minor)),
                Keep("first-majors", [NamePattern.Regex("^v?[0-9]+\\.0\\.0$")]),
            ],
            "commit" =>
            [
                Keep("newest-builds", [NamePattern.Regex("^(sha-)?[0-9a-f]{7,40}$")], RetentionCondition.Newest(20), RetentionCondition.Within(TimeSpan.FromDays(30), RetentionClock.Pulled)),
            ],
            "branch" =>
            [
                Keep("main-branches", [NamePattern.Glob("{main,master,latest}"), NamePattern.Glob("release-*")]),
                Keep("other-branches", [NamePattern.Glob("*")], RetentionCondition.Within(TimeSpan.FromDays(14))),
            ],
            "date" => [Keep("last-month", [NamePattern.Regex("^[0-9]{4}-?[0-9]{2}-?[0-9]{2}")], RetentionCondition.Within(TimeSpan.FromDays(30)))],
            _ => [],
        };
        var isFirst = set.Rules.Count == 0;
        return set with
        {
            Rules = [.. set.Rules, .. added.Where(r => set.Rules.All(known => known.Name != r.Name))],
            RestGoes = set.RestGoes || isFirst,
            FloatingFollows = set.FloatingFollows || isFirst,
        };
    }

    private const string Version = "^v?[0-9]+\\.[0-9]+\\.[0-9]+$";

    private static RetentionRule Keep(string name, IReadOnlyList<NamePattern> tags, params RetentionCondition[] any) =>
        new() { Name = name, Selection = new RetentionSelection { Tags = tags }, Conditions = any, AnyCondition = any.Length > 1 };
}
