using Berth.Server.Platform.Text;

namespace Berth.Server.Access;

/// <summary>An access rule with its patterns read.</summary>
public sealed record CompiledRule(AccessRule Rule, Glob Repository, Glob Tag)
{
    /// <summary>The stored form as a rule that can be asked. Stored patterns are checked when they are saved.</summary>
    public static CompiledRule Of(AccessRule rule) => new(rule, Glob.Parse(rule.RepositoryPattern), Glob.Parse(rule.TagPattern));
}

/// <summary>
/// Which rule decides. The most specific comes first: 1. a name before a pattern, and the longer beginning before the shorter, of the repository,
/// then of the tag; 2. a user or robot before a group, a group before a role, a role before anybody; 3. deny before allow. Without a rule that matches, the roles decide.
/// </summary>
internal static class AccessRules
{
    /// <summary>Sorts rules so that the first that matches decides.</summary>
    public static IReadOnlyList<CompiledRule> Sort(IEnumerable<CompiledRule> rules) =>
    [
        .. rules.OrderByDescending(r => r.Repository.IsLiteral).ThenByDescending(r => r.Repository.LiteralLength)
            .ThenByDescending(r => r.Tag.IsLiteral).ThenByDescending(r => r.Tag.LiteralLength)
            .ThenBy(r => Rank(r.Rule.SubjectKind)).ThenBy(r => r.Rule.IsAllowed).ThenBy(r => r.Rule.Id),
    ];

    /// <summary>Whether an action on a tag is allowed, and the rule that says so (null: the roles).</summary>
    /// <param name="rights">Of the caller in the project.</param>
    /// <param name="repository">Name within the project.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="action">Exactly one of pull, delete, create and retag.</param>
    public static (bool IsAllowed, CompiledRule? By) Decide(ProjectRights rights, string repository, string tag, RuleActions action)
    {
        foreach (var rule in rights.Rules)
        {
            if (Covers(rule.Rule.Actions, action) && rule.Repository.IsMatch(repository) && rule.Tag.IsMatch(tag)) return (rule.Rule.IsAllowed, rule);
        }
        return ((rights.Base & action) != 0, null);
    }

    /// <summary>
    /// Whether an action is allowed on something that has no tag in the request, such as a blob: it is when it is on some tag. A tag rule keeps
    /// nobody from content by its digest who may pull the repository otherwise.
    /// </summary>
    public static (bool IsAllowed, CompiledRule? By) DecideWithoutTag(ProjectRights rights, string repository, RuleActions action)
    {
        foreach (var rule in rights.Rules)
        {
            if (!Covers(rule.Rule.Actions, action) || !rule.Repository.IsMatch(repository)) continue;
            if (rule.Rule.IsAllowed || rule.Tag.IsEverything) return (rule.Rule.IsAllowed, rule);
        }
        return ((rights.Base & action) != 0, null);
    }

    /// <summary>What is allowed on something without a tag, all actions at once.</summary>
    public static RuleActions AllWithoutTag(ProjectRights rights, string repository)
    {
        if (rights.Rules.Count == 0) return rights.Base;
        var allowed = RuleActions.None;
        foreach (var action in (ReadOnlySpan<RuleActions>)[RuleActions.Pull, RuleActions.Delete, RuleActions.Create, RuleActions.Retag])
        {
            if (DecideWithoutTag(rights, repository, action).IsAllowed) allowed |= action;
        }
        return (allowed & (RuleActions.Create | RuleActions.Retag)) != 0 ? allowed | RuleActions.Push : allowed;
    }

    private static bool Covers(RuleActions of, RuleActions action) =>
        (of & action) != 0 || (of & RuleActions.Push) != 0 && (action & (RuleActions.Create | RuleActions.Retag)) != 0;

    private static int Rank(SubjectKind kind) => kind switch
    {
        SubjectKind.User or SubjectKind.Robot => 0,
        SubjectKind.Group => 1,
        SubjectKind.Role => 2,
        _ => 3,
    };
}
