using System.Diagnostics;
using Berth.Server.Retention;
using Berth.Server.Retention.Dialects;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Retention;

public sealed class RetentionPropertyTests
{
    private static readonly Gen<RetentionCondition> s_condition =
        from kind in Gen.Elements(Enum.GetValues<ConditionKind>())
        from isNegated in Gen.Elements(true, false)
        from count in Gen.Choose(0, 4)
        from days in Gen.Choose(0, 20)
        from clock in Gen.Elements(Enum.GetValues<RetentionClock>())
        from per in Gen.Elements(Enum.GetValues<VersionLine>())
        from countsImages in Gen.Elements(true, false)
        select new RetentionCondition { Kind = kind, IsNegated = isNegated, Count = count, Age = TimeSpan.FromDays(days), By = clock, Per = per, CountsImages = countsImages };

    private static readonly Gen<RetentionRule> s_rule =
        from action in Gen.Elements(RetentionAction.Keep, RetentionAction.Delete)
        from pattern in Gen.Elements("**", "v*", "dev-*", "latest")
        from isNegated in Gen.Elements(true, false)
        from state in Gen.Elements(Enum.GetValues<TagState>())
        from conditions in s_condition.ListOf(2)
        from count in Gen.Choose(0, 2)
        from any in Gen.Elements(true, false)
        select new RetentionRule
        {
            Name = "r",
            Action = action,
            Selection = new RetentionSelection { Tags = [NamePattern.Glob(pattern, isNegated)], State = state },
            Conditions = [.. conditions.Take(count)],
            AnyCondition = any,
        };

    private static readonly Gen<RetentionRuleSet> s_set =
        from count in Gen.Choose(0, 5)
        from rules in s_rule.ListOf(count)
        from unit in Gen.Elements(RetentionUnit.Tag, RetentionUnit.Image)
        from rest in Gen.Elements(true, false)
        from floating in Gen.Elements(true, false)
        from leaves in Gen.Elements(true, false)
        select new RetentionRuleSet { Rules = [.. rules], Unit = unit, RestGoes = rest, FloatingFollows = floating, LeavesUntagged = leaves };

    private static readonly Gen<FactsBuilder> s_facts =
        from images in (from pushed in Gen.Choose(0, 30)
                        from tags in Gen.Choose(0, 3)
                        from names in Gen.Elements("v1.0.", "v2.1.", "dev-").ListOf(3)
                        from pulled in Gen.Choose(0, 60)
                        from link in Gen.Choose(0, 9)
                        from keep in Gen.Choose(0, 12)
                        select (pushed, tags, names, pulled, link, keep)).ListOf(12)
        select Build([.. images]);

    private static FactsBuilder Build((int Pushed, int Tags, List<string> Names, int Pulled, int Link, int Keep)[] images)
    {
        var built = new FactsBuilder();
        for (var i = 0; i < images.Length; i++)
        {
            var (pushed, tags, names, pulled, link, keep) = images[i];
            var words = string.Join(' ', names.Take(tags).Select((n, t) => $"{n}{i}{t}").Concat(i == 3 ? ["latest"] : []));
            // Every fourth lists or is about an earlier one, as digests can only name what was there before.
            var child = i > 0 && link == 0 ? new[] { i - 1 } : null;
            built.Image(pushed, words, pulled > 30 ? null : pulled, children: child, subject: i > 1 && link == 1 && tags == 0 ? i - 2 : -1, keptBy: keep == 0 ? "lock" : null);
        }
        return built;
    }

    private static readonly Arbitrary<(FactsBuilder Facts, RetentionRuleSet Set)> s_cases = s_facts.SelectMany(_ => s_set, (f, s) => (f, s)).ToArbitrary();

    [Fact]
    public void The_order_of_rules_changes_no_outcome()
    {
        Prop.ForAll(s_cases, c =>
        {
            var (forward, backward) = (c.Facts.Decide(c.Set), c.Facts.Decide(c.Set with { Rules = [.. c.Set.Rules.Reverse()] }));
            Assert.Equal(forward.Verdicts.Select(v => (v.Tag, v.Image, v.Goes, v.GoesAt)), backward.Verdicts.Select(v => (v.Tag, v.Image, v.Goes, v.GoesAt)));
            Assert.Equal(forward.GoneImages, backward.GoneImages);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_rule_that_keeps_only_ever_keeps_more_and_what_is_kept_never_goes()
    {
        Prop.ForAll(s_cases, c =>
        {
            var keep = new RetentionRule { Name = "keep", Selection = new RetentionSelection { Tags = [NamePattern.Glob("v*")] } };
            if (c.Set.Rules.Count == 0) return;
            var (before, after) = (c.Facts.Decide(c.Set), c.Facts.Decide(c.Set with { Rules = [.. c.Set.Rules, keep] }));
            for (var i = 0; i < before.Verdicts.Count; i++)
            {
                Assert.True(before.Verdicts[i].Goes || !after.Verdicts[i].Goes);
                if (after.Verdicts[i].Tag?.StartsWith('v') == true) Assert.False(after.Verdicts[i].Goes);
            }
            Assert.Subset(before.GoneImages.ToHashSet(), after.GoneImages.ToHashSet());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Nothing_vanishes_that_a_tag_or_a_remaining_index_needs()
    {
        Prop.ForAll(s_cases, c =>
        {
            var plan = c.Facts.Decide(c.Set);
            var gone = plan.GoneImages.ToHashSet();
            Assert.All(plan.Verdicts, v => Assert.False(!v.Goes && gone.Contains(v.Image)));
            for (var i = 0; i < plan.Facts.Images.Count; i++)
            {
                if (!gone.Contains(i)) Assert.All(plan.Facts.Images[i].Children, child => Assert.DoesNotContain(child, gone));
                if (plan.Facts.Images[i].Subject is >= 0 and var subject && gone.Contains(subject) && !plan.Facts.Images.Any(p => p.Children.Contains(i))) Assert.Contains(i, gone);
            }
            Assert.All(plan.Verdicts, v => Assert.False(v.Goes && plan.Facts.Tags.Any(t => t.Name == v.Tag && t.KeptBy is not null)));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_is_to_go_at_a_time_goes_then_and_not_before()
    {
        Prop.ForAll(s_cases, c =>
        {
            // Counts of what is picked by time change as time passes; alone they are exact.
            var set = c.Set with { Rules = [.. c.Set.Rules.Where(r => !r.AnyCondition)], FloatingFollows = false, KeepsUsed = TimeSpan.Zero };
            Assert.True(CompiledRuleSet.TryCreate(set, out var compiled, out _));
            foreach (var verdict in c.Facts.Decide(set).Verdicts.Where(v => v.GoesAt > FactsBuilder.Now))
            {
                bool GoesAt(long time) => RetentionRules.Decide(compiled, c.Facts.Facts, time).Verdicts.Single(v => v.Tag == verdict.Tag && v.Image == verdict.Image).Goes;
                Assert.True(GoesAt(verdict.GoesAt!.Value));
                Assert.False(GoesAt(verdict.GoesAt.Value - 1));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Our_own_form_says_everything()
    {
        Prop.ForAll(s_cases, c =>
        {
            var text = RetentionDialects.WriteOwn(c.Set with { KeepsUsed = TimeSpan.Zero });
            var read = RetentionDialects.Read(RetentionDialects.Own, text)!;
            Assert.Empty(read.Problems);
            Assert.Equal(text, RetentionDialects.WriteOwn(read.Rules!));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_million_tags_in_a_thousand_repositories_are_decided_about_in_a_minute_with_4_megabytes_at_a_time()
    {
        var set = new RetentionRuleSet
        {
            Rules =
            [
                new RetentionRule { Name = "releases", Selection = new RetentionSelection { Tags = [NamePattern.Regex("^v[0-9]+\\.[0-9]+\\.[0-9]+$")] }, Conditions = [RetentionCondition.Versions(3, VersionLine.Minor)] },
                new RetentionRule { Name = "recent", Selection = new RetentionSelection { Tags = [NamePattern.Glob("{dev,test}-*")] }, Conditions = [RetentionCondition.Newest(50)] },
                new RetentionRule { Name = "pulled", Conditions = [RetentionCondition.Within(TimeSpan.FromDays(10), RetentionClock.Pulled)] },
            ],
            RestGoes = true,
            FloatingFollows = true,
        };
        Assert.True(CompiledRuleSet.TryCreate(set, out var compiled, out _));
        // Other tests run beside this one, so the heap says nothing: what one repository allocates bounds what is alive, since nothing is kept from one to the next.
        var (watch, going, most) = (Stopwatch.StartNew(), 0, 0L);
        for (var r = 0; r < 1000; r++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var repository = new FactsBuilder($"team/app-{r}");
            for (var i = 0; i < 1000; i++) repository.Image(i / 10.0, i % 3 == 0 ? $"v{i % 7}.{i % 11}.{i}" : $"dev-{i}", pulled: i % 50 == 0 ? i / 20.0 : null);
            going += RetentionRules.Decide(compiled, repository.Facts, FactsBuilder.Now).Going;
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.InRange(going, 1, 1_000_000);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
        Assert.InRange(most, 1, 4L << 20);
    }
}
