using Berth.Server.Access;

namespace Berth.Server.Tests.Access;

public sealed class AccessRulesTests
{
    [Fact]
    public void Rights_that_are_cut_to_a_limit_keep_nothing_of_what_was_cut_off()
    {
        var limited = ProjectRights.All with { Set = ProjectRights.All.Set.Intersect(PermissionSet.Of(ProjectPermissions.RepositoryPull)) };
        Assert.Equal(RuleActions.Pull, AccessRules.AllWithoutTag(limited, "x"));
        Assert.False(AccessRules.Decide(limited, "x", "1", RuleActions.Create).IsAllowed);
    }

    [Fact]
    public void Without_rules_the_roles_decide()
    {
        var developer = Rights(BuiltInRoles.Developer);
        Assert.True(AccessRules.Decide(developer, "app", "v1", RuleActions.Create).IsAllowed);
        Assert.True(AccessRules.Decide(developer, "app", "v1", RuleActions.Retag).IsAllowed);
        Assert.False(AccessRules.Decide(developer, "app", "v1", RuleActions.Delete).IsAllowed);
        Assert.False(AccessRules.Decide(Rights(BuiltInRoles.LimitedGuest), "app", "v1", RuleActions.Create).IsAllowed);
    }

    [Theory]
    [InlineData("app", "v1", RuleActions.Retag, false)]
    [InlineData("app", "v1", RuleActions.Create, true)]
    [InlineData("app", "dev", RuleActions.Retag, true)]
    [InlineData("secret/app", "dev", RuleActions.Pull, false)]
    [InlineData("secret/open", "dev", RuleActions.Pull, true)]
    [InlineData("secret/app", "dev", RuleActions.Create, true)]
    public void The_most_specific_rule_decides(string repository, string tag, RuleActions action, bool isAllowed)
    {
        var rights = Rights(BuiltInRoles.Developer,
            Rule("**", "v*", RuleActions.Retag, isAllowed: false),
            Rule("secret/**", "**", RuleActions.Pull, isAllowed: false),
            Rule("secret/open", "**", RuleActions.Pull, isAllowed: true));
        Assert.Equal(isAllowed, AccessRules.Decide(rights, repository, tag, action).IsAllowed);
    }

    [Fact]
    public void Where_rules_are_equally_specific_the_one_that_denies_decides_and_a_name_comes_before_a_role()
    {
        var tie = Rights(BuiltInRoles.Developer, Rule("app", "**", RuleActions.Pull, isAllowed: true), Rule("app", "**", RuleActions.Pull, isAllowed: false));
        Assert.False(AccessRules.Decide(tie, "app", "1", RuleActions.Pull).IsAllowed);
        var named = Rights(BuiltInRoles.Developer,
            Rule("app", "**", RuleActions.Pull, isAllowed: false, SubjectKind.Role), Rule("app", "**", RuleActions.Pull, isAllowed: true, SubjectKind.User));
        Assert.True(AccessRules.Decide(named, "app", "1", RuleActions.Pull).IsAllowed);
    }

    [Fact]
    public void A_push_to_deny_forbids_new_and_moved_tags_and_the_bytes_before_them()
    {
        var rights = Rights(BuiltInRoles.Developer, Rule("frozen", "**", RuleActions.Push, isAllowed: false));
        Assert.Equal(RuleActions.Pull, AccessRules.AllWithoutTag(rights, "frozen"));
        Assert.False(AccessRules.Decide(rights, "frozen", "x", RuleActions.Create).IsAllowed);
        Assert.False(AccessRules.Decide(rights, "frozen", "x", RuleActions.Retag).IsAllowed);
    }

    [Fact]
    public void Who_may_push_some_tag_may_upload_and_who_may_pull_some_tag_may_read_by_digest()
    {
        var guest = Rights(BuiltInRoles.Guest, Rule("app", "pr-*", RuleActions.Create, isAllowed: true));
        Assert.Equal(RuleActions.Pull | RuleActions.Create | RuleActions.Push, AccessRules.AllWithoutTag(guest, "app"));
        Assert.True(AccessRules.Decide(guest, "app", "pr-7", RuleActions.Create).IsAllowed);
        Assert.False(AccessRules.Decide(guest, "app", "pr-7", RuleActions.Retag).IsAllowed);
        Assert.False(AccessRules.Decide(guest, "app", "v1", RuleActions.Create).IsAllowed);
        var hidden = Rights(BuiltInRoles.Guest, Rule("app", "secret-*", RuleActions.Pull, isAllowed: false));
        Assert.True(AccessRules.DecideWithoutTag(hidden, "app", RuleActions.Pull).IsAllowed);
        Assert.False(AccessRules.Decide(hidden, "app", "secret-1", RuleActions.Pull).IsAllowed);
    }

    private static ProjectRights Rights(long role, params CompiledRule[] rules) => new(BuiltInRoles.Find(role)!.Rights, AccessRules.Sort(rules), [role]);

    private static CompiledRule Rule(string repository, string tag, RuleActions actions, bool isAllowed, SubjectKind kind = SubjectKind.Anybody) => CompiledRule.Of(new AccessRule
    {
        RepositoryPattern = repository,
        TagPattern = tag,
        Actions = actions,
        IsAllowed = isAllowed,
        SubjectKind = kind,
    });
}
