using Berth.Server.Retention;

namespace Berth.Server.Tests.Retention;

public sealed class RetentionRulesTests
{
    private static RetentionRule Keep(string tags, params RetentionCondition[] conditions) => new()
    {
        Name = $"keep {tags}",
        Selection = new RetentionSelection { Tags = [NamePattern.Glob(tags)] },
        Conditions = conditions,
    };

    private static RetentionRule Delete(string tags, params RetentionCondition[] conditions) => Keep(tags, conditions) with { Name = $"delete {tags}", Action = RetentionAction.Delete };

    private static RetentionRuleSet Set(params RetentionRule[] rules) => new() { Rules = rules };

    [Fact]
    public void A_tag_that_goes_loses_only_itself_and_the_image_goes_with_its_last_tag()
    {
        var repository = new FactsBuilder();
        repository.Image(10, "dev-1 v1.0.0");
        repository.Image(20, "dev-2");
        var plan = repository.Decide(Set(Delete("dev-*")));
        Assert.Equal(["dev-1", "dev-2"], plan.Verdicts.Where(v => v.Goes).Select(v => v.Tag));
        Assert.Equal([1], plan.GoneImages);
    }

    [Fact]
    public void What_one_rule_keeps_no_other_deletes()
    {
        var repository = new FactsBuilder();
        repository.Image(10, "v1.0.0 dev-1");
        Assert.Equal("dev-1", repository.Going(Set(Delete("**"), Keep("v*"))));
        Assert.Equal("dev-1", repository.Going(Set(Keep("v*"), Delete("**"))));
    }

    [Fact]
    public void Without_a_rule_about_the_repository_nothing_goes_even_where_the_rest_goes()
    {
        var repository = new FactsBuilder("tools/app");
        repository.Image(100, "a");
        var rule = Keep("v*") with { Selection = new RetentionSelection { Repositories = [NamePattern.Glob("shop/**")], Tags = [NamePattern.Glob("v*")] } };
        Assert.Equal("", repository.Going(Set(rule) with { RestGoes = true }));
        Assert.Equal("a", repository.Going(Set(rule with { Selection = rule.Selection with { Repositories = [NamePattern.Glob("shop/**", isNegated: true)] } }) with { RestGoes = true }));
        Assert.Equal("", repository.Going(Set(Keep("v*") with { IsDisabled = true }) with { RestGoes = true }));
    }

    [Fact]
    public void Locked_immutable_archived_and_used_images_stay_whatever_a_rule_says()
    {
        var repository = new FactsBuilder();
        repository.Image(100, "locked", keptBy: "lock");
        repository.Image(100, "archived", isArchived: true);
        repository.Image(100, "used", used: 2);
        repository.Image(100, "unused", used: 20);
        var plan = repository.Decide(Set(Delete("**")));
        Assert.Equal([RetentionReason.Protected, RetentionReason.Archived, RetentionReason.InUse, RetentionReason.Rule], plan.Verdicts.Select(v => v.Reason));
        Assert.Equal(["unused"], plan.Verdicts.Where(v => v.Goes).Select(v => v.Tag));
        Assert.Equal("used unused", repository.Going(Set(Delete("**")) with { KeepsUsed = TimeSpan.Zero }));
    }

    [Fact]
    public void An_index_keeps_its_children_and_takes_along_those_that_only_it_lists()
    {
        var repository = new FactsBuilder();
        var amd = repository.Image(10);
        var arm = repository.Image(10);
        var shared = repository.Image(10);
        var tagged = repository.Image(10, "amd64-only");
        repository.Image(10, "old", children: [amd, shared, tagged]);
        repository.Image(1, "new", children: [arm, shared]);
        var untagged = new RetentionRule { Name = "untagged", Action = RetentionAction.Delete, Selection = new RetentionSelection { State = TagState.Untagged } };
        Assert.Equal("", repository.Going(Set(untagged)));
        Assert.Equal([amd, 4], repository.Decide(Set(Delete("old"), untagged)).GoneImages);
        Assert.Equal([amd, tagged, 4], repository.Decide(Set(Delete("{old,amd64-only}"))).GoneImages);
    }

    [Fact]
    public void Signatures_and_what_is_about_them_follow_their_image_and_are_never_decided_about()
    {
        var repository = new FactsBuilder();
        var image = repository.Image(50, "v1");
        var signature = repository.Image(50, subject: image, kind: "SIGNATURE");
        repository.Image(50, subject: signature, kind: "ATTESTATION");
        var other = repository.Image(50, "v2");
        repository.Image(50, subject: other);
        var plan = repository.Decide(Set(Delete("v1"), new RetentionRule { Name = "all", Action = RetentionAction.Delete, Selection = new RetentionSelection { State = TagState.Untagged } }));
        Assert.Equal(2, plan.Verdicts.Count);
        Assert.Equal([0, 1, 2], plan.GoneImages);
    }

    [Fact]
    public void A_floating_tag_stays_while_a_version_of_its_image_does()
    {
        var repository = new FactsBuilder();
        repository.Image(400, "v1.0.0 v1.0");
        repository.Image(300, "v1.0.1 v1.0-old");
        repository.Image(100, "v1.1.0 v1.1 v1 latest");
        var set = Set(Keep("**", RetentionCondition.Versions(1, VersionLine.Major))) with { RestGoes = true };
        Assert.Equal("v1.0.0 v1.0 v1.0.1 v1.0-old v1.1 v1 latest", repository.Going(set));
        Assert.Equal("v1.0.0 v1.0 v1.0.1 v1.0-old", repository.Going(set with { FloatingFollows = true }));
        var plan = repository.Decide(set with { FloatingFollows = true });
        Assert.Equal((RetentionReason.Floating, "v1.1.0"), plan.Verdicts.Where(v => v.Tag == "latest").Select(v => (v.Reason, v.Detail)).Single());
        // Named itself, it goes.
        Assert.Equal("latest", repository.Going(Set(Delete("latest")) with { FloatingFollows = true }));
    }

    [Fact]
    public void Versions_are_counted_by_line_and_the_same_version_once()
    {
        var repository = new FactsBuilder();
        repository.Image(9, "v1.0.0 1.0.0");
        repository.Image(8, "v1.10.0");
        repository.Image(7, "v1.9.0 not-a-version 20260101");
        repository.Image(6, "v2.0.0-rc.2 v2.0.0-rc.10");
        RetentionRuleSet Lines(VersionLine per, int count) => Set(Delete("**", RetentionCondition.Versions(count, per).Not()));
        Assert.Equal("v1.0.0 1.0.0 v1.9.0 not-a-version 20260101 v2.0.0-rc.2", repository.Going(Lines(VersionLine.Major, 1)));
        Assert.Equal("not-a-version 20260101 v2.0.0-rc.2", repository.Going(Lines(VersionLine.Minor, 1)));
        Assert.Equal("v1.0.0 1.0.0 not-a-version 20260101", repository.Going(Lines(VersionLine.All, 4)));
    }

    [Fact]
    public void Tags_of_one_image_count_as_one_where_a_rule_says_so()
    {
        var repository = new FactsBuilder();
        repository.Image(1, "c1 c2 c3");
        repository.Image(2, "b");
        repository.Image(3, "a");
        Assert.Equal("b a", repository.Going(Set(Delete("**", RetentionCondition.Newest(3).Not()))));
        Assert.Equal("a", repository.Going(Set(Delete("**", RetentionCondition.Newest(2).Not() with { CountsImages = true }))));
    }

    [Fact]
    public void A_pull_of_an_index_or_of_an_image_in_it_counts_for_the_index()
    {
        var repository = new FactsBuilder();
        var child = repository.Image(90, pulled: 1);
        repository.Image(90, "pulled-by-digest", children: [child]);
        repository.Image(90, "pulled-by-tag", pulled: 2);
        repository.Image(90, "never");
        Assert.Equal("never", repository.Going(Set(Keep("**", RetentionCondition.Within(TimeSpan.FromDays(7), RetentionClock.Pulled))) with { RestGoes = true }));
    }

    [Fact]
    public void A_result_tells_when_a_tag_goes_if_nothing_happens_until_then()
    {
        var repository = new FactsBuilder();
        repository.Image(10, "a");
        repository.Image(40, "b");
        repository.Image(40, "keep");
        var plan = repository.Decide(Set(Delete("**", RetentionCondition.Within(TimeSpan.FromDays(30)).Not()), Keep("keep", RetentionCondition.Within(TimeSpan.FromDays(90)))));
        Assert.Equal([FactsBuilder.At(-20), FactsBuilder.Now, FactsBuilder.At(-50)], plan.Verdicts.Select(v => v.GoesAt!.Value));
        Assert.Equal([false, true, false], plan.Verdicts.Select(v => v.Goes));
        Assert.All(repository.Decide(Set(Keep("**"))).Verdicts, v => Assert.Null(v.GoesAt));
        Assert.Equal(FactsBuilder.At(-20), repository.Decide(Set(Keep("a", RetentionCondition.Within(TimeSpan.FromDays(30)))) with { RestGoes = true }).Verdicts[0].GoesAt);
    }

    [Fact]
    public void The_age_ends_to_the_millisecond()
    {
        var repository = new FactsBuilder();
        repository.Image(30, "exactly");
        repository.Image(30 - (1 / 86_400_000.0), "younger");
        Assert.Equal("exactly", repository.Going(Set(Delete("**", RetentionCondition.Within(TimeSpan.FromDays(30)).Not()))));
        Assert.Equal("", repository.Going(Set(Delete("**", RetentionCondition.Within(TimeSpan.MaxValue).Not()))));
    }

    [Fact]
    public void Labels_types_and_negation_select()
    {
        var repository = new FactsBuilder();
        repository.Image(1, "a", labels: ["release", "x"]);
        repository.Image(1, "b", labels: ["x"]);
        repository.Image(1, "c", kind: "CHART");
        RetentionRuleSet Of(RetentionSelection selection) => Set(new RetentionRule { Name = "r", Action = RetentionAction.Delete, Selection = selection });
        Assert.Equal("a", repository.Going(Of(new RetentionSelection { Labels = [NamePattern.Glob("rel*")] })));
        Assert.Equal("b c", repository.Going(Of(new RetentionSelection { Labels = [NamePattern.Glob("rel*", isNegated: true)] })));
        Assert.Equal("c", repository.Going(Of(new RetentionSelection { Types = [NamePattern.Glob("CHART")] })));
        Assert.Equal("b c", repository.Going(Of(new RetentionSelection { Tags = [NamePattern.Regex("^a$", isNegated: true)] })));
    }

    [Theory]
    [InlineData("Regex", "(a+)+$", true)]
    [InlineData("Regex", "(?=a)", false)]
    [InlineData("Regex", "(a)\\1", false)]
    [InlineData("Regex", "(", false)]
    [InlineData("Glob", "{a", false)]
    [InlineData("Prefix", "", false)]
    public void Patterns_that_cannot_be_asked_in_bounded_time_are_refused(string kind, string text, bool isFine)
    {
        Assert.Equal(isFine, NameMatcher.TryCreate(new NamePattern(Enum.Parse<PatternKind>(kind), text), out var matcher, out var problem));
        Assert.Equal(isFine, problem.Length == 0);
        if (isFine) Assert.False(matcher!.IsMatch(new string('a', 128) + "!"));
    }

    [Theory]
    [InlineData("v1", true)]
    [InlineData("1.4", true)]
    [InlineData("latest", true)]
    [InlineData("v1.4.2", false)]
    [InlineData("20260101", false)]
    [InlineData("1", false)]
    [InlineData("v1-alpine", false)]
    [InlineData("abc", false)]
    public void Floating_tags_are_lines_of_versions_and_channels(string tag, bool isFloating) => Assert.Equal(isFloating, TagVersion.IsFloating(tag));

    [Fact]
    public void Versions_have_the_order_of_the_specification()
    {
        string[] order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "10.0.0"];
        Assert.Equal(order, order.Reverse().OrderBy(t => TagVersion.Of(t)));
        Assert.Null(TagVersion.Of("1.02.0"));
        Assert.Null(TagVersion.Of("1.0"));
    }
}
