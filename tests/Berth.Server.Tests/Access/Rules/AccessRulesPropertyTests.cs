using Berth.Server.Access;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Access.Rules;

/// <summary>What holds for any set of rules.</summary>
public sealed class AccessRulesPropertyTests
{
    private static readonly string[] s_patterns = ["**", "app", "app/*", "a*", "team/**", "{app,lib}", "lib"];
    private static readonly string[] s_repositories = ["app", "lib", "app/x", "team/a/b", "other"];
    private static readonly string[] s_tags = ["v1", "v2", "latest", "pr-7"];
    private static readonly string[] s_tagPatterns = ["**", "v*", "v1", "pr-*"];
    private static readonly RuleActions[] s_asked = [RuleActions.Pull, RuleActions.Delete, RuleActions.Create, RuleActions.Retag];

    private static Arbitrary<AccessRule[]> Rules() => Gen.ArrayOf(
        from repository in Gen.Elements(s_patterns)
        from tag in Gen.Elements(s_tagPatterns)
        from actions in Gen.Choose(1, 31)
        from kind in Gen.Elements(SubjectKind.User, SubjectKind.Group, SubjectKind.Role, SubjectKind.Anybody)
        from isAllowed in Gen.Elements(true, false)
        from id in Gen.Choose(1, 1000)
        select new AccessRule { Id = id, RepositoryPattern = repository, TagPattern = tag, Actions = (RuleActions)actions, SubjectKind = kind, IsAllowed = isAllowed }).ToArbitrary();

    [Fact]
    public void The_order_in_which_rules_were_stored_changes_nothing() => Check.QuickThrowOnFailure(Prop.ForAll(Rules(), rules =>
    {
        var (one, other) = (Rights(BuiltInRoles.Developer, rules), Rights(BuiltInRoles.Developer, [.. rules.Reverse()]));
        return All((repository, tag, action) => AccessRules.Decide(one, repository, tag, action).IsAllowed == AccessRules.Decide(other, repository, tag, action).IsAllowed);
    }));

    [Fact]
    public void A_deny_equal_to_an_allow_wins() => Check.QuickThrowOnFailure(Prop.ForAll(Rules(), rules =>
    {
        var doubled = rules.Concat(rules.Where(r => r.IsAllowed).Select(r => new AccessRule
        {
            Id = r.Id + 5000,
            RepositoryPattern = r.RepositoryPattern,
            TagPattern = r.TagPattern,
            Actions = r.Actions,
            SubjectKind = r.SubjectKind,
            IsAllowed = false,
        })).ToArray();
        var rights = Rights(BuiltInRoles.ProjectAdmin, doubled);
        return All((repository, tag, action) => AccessRules.Decide(rights, repository, tag, action) is not { IsAllowed: true, By: not null });
    }));

    [Fact]
    public void A_limited_token_never_may_what_its_owner_may_not() => Check.QuickThrowOnFailure(Prop.ForAll(Rules(), Gen.Elements("read", "push", "write", "admin").ToArbitrary(), (rules, level) =>
    {
        Assert.True(TokenScopes.TryParse($"p:{level}", out var scopes, out _));
        var owner = Rights(BuiltInRoles.Developer, rules);
        // What RightsCache makes of a limited caller.
        var token = owner with { Set = owner.Set.Intersect(scopes.In("p")), Rules = [.. owner.Rules.Where(r => !r.Rule.IsAllowed)] };
        return All((repository, tag, action) => !AccessRules.Decide(token, repository, tag, action).IsAllowed || AccessRules.Decide(owner, repository, tag, action).IsAllowed)
            && s_repositories.All(r => (AccessRules.AllWithoutTag(token, r) & ~AccessRules.AllWithoutTag(owner, r)) == 0);
    }));

    [Fact]
    public void Rules_about_other_repositories_change_nothing() => Check.QuickThrowOnFailure(Prop.ForAll(Rules(), rules =>
    {
        var elsewhere = rules.Where(r => !Berth.Server.Platform.Text.Glob.Parse(r.RepositoryPattern).IsMatch("other")).ToArray();
        return AccessRules.AllWithoutTag(Rights(BuiltInRoles.Guest, elsewhere), "other") == RuleActions.Pull;
    }));

    private static bool All(Func<string, string, RuleActions, bool> holds) =>
        s_repositories.All(repository => s_tags.All(tag => s_asked.All(action => holds(repository, tag, action))));

    private static ProjectRights Rights(long role, AccessRule[] rules) => new(BuiltInRoles.Find(role)!.Rights, AccessRules.Sort(rules.Select(CompiledRule.Of)), [role]);
}
