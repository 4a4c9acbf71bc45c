using Berth.Server.Retention;
using Berth.Server.Retention.Dialects;

namespace Berth.Server.Tests.Retention;

/// <summary>
/// Policies of other systems with what they do there; situations follow the examples of each system's documentation. The text that is written must say the same as the
/// one that was read.
/// </summary>
public sealed class DialectTests
{
    // The names are ages in days.
    private static FactsBuilder Repository(string name = "app")
    {
        var repository = new FactsBuilder(name);
        repository.Image(1, "prod-1 web", pulled: 1);
        repository.Image(5, "dev-5", pulled: 40);
        repository.Image(20, "dev-20 release-20");
        repository.Image(40, "prod-40", pulled: 3);
        repository.Image(45, "dev-45");
        repository.Image(50);
        repository.Image(2);
        return repository;
    }

    private static void WritesTheSame(string dialect, string text)
    {
        var read = RetentionDialects.Read(dialect, text)!.Rules!;
        var written = RetentionDialects.Write(dialect, read)!;
        Assert.True(written.Text is not null, string.Join("; ", written.Problems));
        var again = RetentionDialects.Read(dialect, written.Text)!;
        Assert.True(again.Rules is not null, string.Join("; ", again.Problems));
        Assert.Equal(RetentionDialects.WriteOwn(read), RetentionDialects.WriteOwn(again.Rules));
    }

    private static void Goes(string expected, string dialect, string text, string repository = "app")
    {
        Assert.Equal(expected, Repository(repository).Going(dialect, text));
        WritesTheSame(dialect, text);
    }

    private static string Problem(string dialect, string text)
    {
        var reading = RetentionDialects.Read(dialect, text)!;
        Assert.Null(reading.Rules);
        return string.Join("; ", reading.Problems);
    }

    private static string Ecr(params string[] rules) => $$"""{"rules":[{{string.Join(',', rules)}}]}""";

    private static string EcrRule(int priority, string selection) => $$$"""{"rulePriority":{{{priority}}},"description":"rule","selection":{{{{selection}}}},"action":{"type":"expire"}}""";

    [Theory]
    // Untagged images older than a number of days.
    [InlineData("#5", """ "tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14 """)]
    // All but one untagged image.
    [InlineData("#5", """ "tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1 """)]
    // An image must carry every prefix of the list.
    [InlineData("dev-20 release-20", """ "tagStatus":"tagged","tagPrefixList":["dev","release"],"countType":"sinceImagePushed","countUnit":"days","countNumber":10 """)]
    [InlineData("prod-40", """ "tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":1 """)]
    [InlineData("dev-20 release-20 dev-45", """ "tagStatus":"tagged","tagPatternList":["dev*"],"countType":"imageCountMoreThan","countNumber":1 """)]
    [InlineData("dev-20 release-20 prod-40 dev-45 #5", """ "tagStatus":"any","countType":"imageCountMoreThan","countNumber":3 """)]
    public void Ecr_policies_of_one_rule(string going, string selection) => Goes(going, "ecr", Ecr(EcrRule(1, selection)));

    [Fact]
    public void In_ecr_an_image_belongs_to_the_first_rule_that_selects_it()
    {
        var prod = EcrRule(1, """ "tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":100 """);
        var any = EcrRule(20, """ "tagStatus":"any","countType":"imageCountMoreThan","countNumber":1 """);
        // The number counts all images, those of the other rule among them; the images of the first rule stay.
        Goes("dev-5 dev-20 release-20 dev-45 #5 #6", "ecr", Ecr(any, prod));
        Assert.Equal("prod-40", Repository().Going("ecr", Ecr(prod.Replace("100", "1", StringComparison.Ordinal), EcrRule(5, """ "tagStatus":"tagged","tagPrefixList":["prod"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1 """))));
    }

    [Theory]
    [InlineData("storage classes", """{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90},"action":{"type":"transition","targetStorageClass":"archive"}}]}""")]
    [InlineData("must be the last", """{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}},{"rulePriority":2,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}]}""")]
    [InlineData("more than one rule", """{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}},{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}]}""")]
    [InlineData("either tagPatternList or tagPrefixList", """{"rules":[{"rulePriority":1,"selection":{"tagStatus":"tagged","countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}]}""")]
    [InlineData("more than 4 wildcards", """{"rules":[{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["*a*b*c*d*"],"countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}]}""")]
    [InlineData("countNumber must be a number from 1", """{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0},"action":{"type":"expire"}}]}""")]
    [InlineData("selection.since is not known", """{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1,"since":3},"action":{"type":"expire"}}]}""")]
    [InlineData("no JSON", "{")]
    public void What_ecr_or_berth_does_not_take_is_refused_with_the_reason(string reason, string text) => Assert.Contains(reason, Problem("ecr", text), StringComparison.Ordinal);

    [Theory]
    [InlineData("#5 #6", """[{"name":"untagged","action":{"type":"Delete"},"condition":{"tagState":"untagged"}}]""")]
    [InlineData("prod-40 dev-45 #5", """[{"name":"old","action":{"type":"Delete"},"condition":{"tagState":"any","olderThan":"30d"}}]""")]
    [InlineData("dev-45 #5", """[{"name":"old","action":{"type":"Delete"},"condition":{"olderThan":"2592000s"}},{"name":"prod","action":{"type":"Keep"},"condition":{"tagState":"TAGGED","tagPrefixes":["prod","release"]}}]""")]
    [InlineData("dev-45 #5", """[{"name":"all","action":{"type":"DELETE"},"condition":{"tagState":"any","packageNamePrefixes":["app"]}},{"name":"newest","action":{"type":"KEEP"},"mostRecentVersions":{"keepCount":5}}]""")]
    [InlineData("", """[{"name":"all","action":{"type":"Delete"},"condition":{"tagState":"any","packageNamePrefixes":["web","base"]}}]""")]
    [InlineData("dev-20 release-20 prod-40", """[{"name":"between","action":{"type":"Delete"},"condition":{"tagState":"tagged","olderThan":"10d","newerThan":"42d"}}]""")]
    [InlineData("dev-5", """[{"name":"one","action":{"type":"Delete"},"condition":{"tagState":"any","versionNamePrefixes":["sha256:0000000000000000000000000000000000000000000000000000000000000001"]}}]""")]
    public void Artifact_registry_policies(string going, string text) => Goes(going, "artifact-registry", text);

    [Theory]
    [InlineData("both", """[{"name":"a","action":{"type":"Keep"}}]""")]
    [InlineData("only with Keep", """[{"name":"a","action":{"type":"Delete"},"mostRecentVersions":{"keepCount":5}}]""")]
    [InlineData("two policies have the name", """[{"name":"a","action":{"type":"Delete"},"condition":{}},{"name":"a","action":{"type":"Keep"},"condition":{}}]""")]
    [InlineData("not 30 days", """[{"name":"a","action":{"type":"Delete"},"condition":{"olderThan":"30 days"}}]""")]
    [InlineData("a list", """{"name":"a"}""")]
    public void What_artifact_registry_does_not_take_is_refused(string reason, string text) => Assert.Contains(reason, Problem("artifact-registry", text), StringComparison.Ordinal);

    [Theory]
    [InlineData("dev-20 release-20 prod-40 dev-45", """{"method":"number_of_tags","value":3}""")]
    [InlineData("dev-20 release-20 prod-40 dev-45", """{"method":"creation_date","value":"7d"}""")]
    [InlineData("dev-20 dev-45", """{"method":"creation_date","value":"1w","tagPattern":"^dev"}""")]
    [InlineData("release-20 prod-40", """{"method":"creation_date","value":"1w","tagPattern":"^dev","tagPatternMatches":false}""")]
    [InlineData("dev-20 dev-45 prod-40", """[{"method":"number_of_tags","value":1,"tagPattern":"dev"},{"method":"creation_date","value":"30d","tagPattern":"prod"}]""")]
    [InlineData("prod-1 web dev-5 dev-20 release-20 prod-40 dev-45", """{"method":"creation_date","value":"5m"}""")]
    public void Quay_policies(string going, string text)
    {
        Assert.Equal(going.Split(' ').Order(), Repository().Going("quay", text).Split(' ').Order());
        WritesTheSame("quay", text);
    }

    [Theory]
    [InlineData("number_of_tags or creation_date", """{"method":"age","value":3}""")]
    [InlineData("policy 1.value", """{"method":"creation_date","value":"7 days"}""")]
    [InlineData("looks around", """{"method":"number_of_tags","value":3,"tagPattern":"^(?!release)"}""")]
    public void What_quay_or_berth_does_not_take_is_refused(string reason, string text) => Assert.Contains(reason, Problem("quay", text), StringComparison.Ordinal);

    [Theory]
    // A tag stays if one entry keeps it; without criteria an entry keeps all that match.
    [InlineData("app", "web dev-5 dev-20 release-20 dev-45 #5 #6", """{"delay":"24h","policies":[{"repositories":["app*"],"deleteReferrers":true,"deleteUntagged":true,"keepTags":[{"patterns":["prod.*"]}]}]}""")]
    // Criteria of one entry are alternatives.
    [InlineData("app", "dev-20 release-20 dev-45 #5 #6", """{"policies":[{"repositories":["**"],"keepTags":[{"mostRecentlyPushedCount":1,"pulledWithin":"168h","pushedWithin":"240h"}]}]}""")]
    // The first policy that matches decides.
    [InlineData("prod/app", "", """{"policies":[{"repositories":["prod/**"],"deleteUntagged":false},{"repositories":["**"],"keepTags":[{"patterns":["none"]}]}]}""")]
    [InlineData("dev/app", "prod-1 web dev-5 dev-20 release-20 prod-40 dev-45 #5 #6", """{"policies":[{"repositories":["prod/**"],"deleteUntagged":false},{"repositories":["**"],"keepTags":[{"patterns":["none"]}]}]}""")]
    // New untagged images are given the delay.
    [InlineData("app", "#5", """{"delay":"72h","policies":[{"repositories":["app"]}]}""")]
    [InlineData("other", "", """{"policies":[{"repositories":["app"]}]}""")]
    public void Zot_policies(string repository, string going, string text) => Goes(going, "zot", text, repository);

    [Theory]
    [InlineData("goes with it", """{"policies":[{"repositories":["**"],"deleteReferrers":false}]}""")]
    [InlineData("repositories is empty", """{"policies":[{"keepTags":[]}]}""")]
    [InlineData("duration", """{"delay":"1d","policies":[{"repositories":["**"]}]}""")]
    [InlineData("keepTag is not known", """{"policies":[{"repositories":["**"],"keepTag":[]}]}""")]
    public void What_zot_or_berth_does_not_take_is_refused(string reason, string text) => Assert.Contains(reason, Problem("zot", text), StringComparison.Ordinal);

    [Theory]
    [InlineData("dev-20 dev-45", "acr purge --filter 'app:dev-.*' --ago 7d")]
    [InlineData("dev-20 dev-45", "--filter \"app:dev-.*\" --ago 0d --keep 1")]
    [InlineData("dev-45", "acr purge --filter 'app:dev-.*' --ago 7d --keep 1")]
    [InlineData("", "acr purge --filter 'ap:.*' --ago 0d")]
    [InlineData("dev-20 release-20 prod-40 dev-45 #5", "acr purge --filter 'a.*:(?:dev|prod|release).*' --ago=7d --untagged")]
    [InlineData("#5", "acr purge --filter 'app:.*' --ago 2d3h6m --untagged-only")]
    [InlineData("dev-20 release-20 dev-45", "acr purge --filter 'app:dev-.*' --filter 'app:release-.*' --ago 7d")]
    public void Acr_purge_command_lines(string going, string text) => Goes(going, "acr-purge", text);

    [Fact]
    public void Acr_purge_leaves_manifests_without_a_tag_unless_it_is_told_to()
    {
        var plan = Repository().Decide(RetentionDialects.Read("acr-purge", "acr purge --filter 'app:dev-.*' --ago 7d")!.Rules!);
        Assert.Empty(plan.GoneImages);
        plan = Repository().Decide(RetentionDialects.Read("acr-purge", "acr purge --filter 'app:dev-.*' --ago 7d --untagged")!.Rules!);
        Assert.Equal([4, 5], plan.GoneImages);
        Assert.Equal(2, RetentionDialects.Read("acr-purge", "acr purge --filter 'a:b' --dry-run --concurrency 5")!.Notes.Count);
    }

    [Theory]
    [InlineData("--filter is missing", "acr purge --ago 7d")]
    [InlineData("--include-locked is not known", "acr purge --filter 'a:b' --include-locked")]
    [InlineData("quote", "acr purge --filter 'a:b")]
    [InlineData("both regular expressions", "acr purge --filter app")]
    public void What_acr_purge_or_berth_does_not_take_is_refused(string reason, string text) => Assert.Contains(reason, Problem("acr-purge", text), StringComparison.Ordinal);

    [Theory]
    [InlineData("dev-20 release-20 prod-40 dev-45", """{"name":"old","format":"docker","notes":"n","criteriaLastBlobUpdated":7}""")]
    // Both criteria must hold; what was never pulled counts from its push.
    [InlineData("dev-20 release-20 dev-45", """{"name":"unused","format":"docker","criteriaLastBlobUpdated":7,"criteriaLastDownloaded":14}""")]
    [InlineData("dev-45", """{"name":"dev","format":"*","criteriaAssetRegex":"v2/app/manifests/dev-.*","criteriaLastBlobUpdated":10,"retain":1}""")]
    [InlineData("", """{"name":"other","format":"docker","criteriaAssetRegex":"app/manifests/dev-.*"}""")]
    public void Nexus_policies(string going, string text) => Goes(going, "nexus", text);

    [Theory]
    [InlineData("about images", """{"name":"a","format":"maven2","criteriaLastBlobUpdated":7}""")]
    [InlineData("Maven, npm and Yum", """{"name":"a","format":"docker","criteriaReleaseType":"PRERELEASES","criteriaLastBlobUpdated":7}""")]
    [InlineData("at least one", """{"name":"a","format":"docker","retain":7}""")]
    public void What_nexus_or_berth_does_not_take_is_refused(string reason, string text) => Assert.Contains(reason, Problem("nexus", text), StringComparison.Ordinal);

    private static string Harbor(string template, int? count, string tags = "**", string decoration = "matches", bool? untagged = null, string repositories = "**", string repositoryDecoration = "repoMatches") => $$$"""
        {"algorithm":"or","rules":[{"disabled":false,"action":"retain","template":"{{{template}}}","params":{{{(count is null ? "{}" : $"{{\"{template}\":{count}}}")}}},
        "tag_selectors":[{"kind":"doublestar","decoration":"{{{decoration}}}","pattern":"{{{tags}}}"{{{(untagged is null ? "" : $",\"extras\":\"{{\\\"untagged\\\":{(untagged.Value ? "true" : "false")}}}\"")}}}}],
        "scope_selectors":{"repository":[{"kind":"doublestar","decoration":"{{{repositoryDecoration}}}","pattern":"{{{repositories}}}"}]}}]}
        """;

    public static readonly TheoryData<string, string> HarborPolicies = new()
    {
        { "dev-20 release-20 prod-40 dev-45 #5", Harbor("latestPushedK", 3) },
        { "dev-20 release-20 prod-40 dev-45 #5 #6", Harbor("latestPushedK", 2, untagged: false) },
        { "dev-5 dev-20 release-20 dev-45 #5 #6", Harbor("latestPulledN", 2, untagged: false) },
        { "dev-20 release-20 prod-40 dev-45 #5", Harbor("nDaysSinceLastPush", 7) },
        { "dev-5 dev-20 release-20 dev-45 #5 #6", Harbor("nDaysSinceLastPull", 7) },
        { "prod-1 web dev-5 prod-40 dev-45 #5 #6", Harbor("always", null, "release-*", untagged: false) },
        { "#5 #6", Harbor("always", null, untagged: false) },
        { "", Harbor("always", null) },
        // Harbor retains untagged images by default with matching tags, and with excluded ones only if the box is not ticked.
        { "dev-5 dev-45", Harbor("always", null, "dev-*", "excludes") },
        { "dev-5 dev-45 #5 #6", Harbor("always", null, "dev-*", "excludes", untagged: true) },
        { "", Harbor("latestPushedK", 1, repositories: "other") },
        { "", Harbor("latestPushedK", 1, repositories: "app", repositoryDecoration: "repoExcludes") },
    };

    [Theory]
    [MemberData(nameof(HarborPolicies))]
    public void Harbor_policies(string going, string text) => Goes(going, "harbor", text);

    [Fact]
    public void Harbor_s_surprises_do_not_happen_here()
    {
        // harbor#8717: tags that share an image; deleting some of them took the others along.
        var shared = new FactsBuilder();
        shared.Image(1, "harbor-1.8 harbor-release harbor-nightly harbor-latest other");
        Assert.Equal("", shared.Going("harbor", Harbor("latestPushedK", 2, "harbor-*")));
        Assert.Equal("harbor-release harbor-nightly", shared.Going(new RetentionRuleSet
        {
            Rules = [new RetentionRule { Name = "named", Action = RetentionAction.Delete, Selection = new RetentionSelection { Tags = [NamePattern.Regex("release|nightly")] } }],
        }));
        Assert.Empty(shared.Decide(RetentionDialects.Read("quay", """{"method":"number_of_tags","value":2}""")!.Rules!).GoneImages);

        // harbor#11273, docker/buildx#940: the untagged images of an index.
        var index = new FactsBuilder();
        var child = index.Image(90);
        index.Image(90, "multi", children: [child]);
        index.Image(80);
        Assert.Equal("#2", index.Going("harbor", Harbor("always", null, untagged: false)));
        Assert.Equal([2], index.Decide(RetentionDialects.Read("harbor", Harbor("always", null, untagged: false))!.Rules!).GoneImages);

        // A pull of an index by a node that asks for its platform uses the index.
        var pulled = new FactsBuilder();
        var platform = pulled.Image(90, pulled: 1);
        pulled.Image(90, "multi", children: [platform]);
        Assert.Equal("", pulled.Going("harbor", Harbor("nDaysSinceLastPull", 7)));
    }

    [Theory]
    [InlineData("none of", """{"algorithm":"or","rules":[{"action":"retain","template":"nothing","params":{},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"**"}],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]}}]}""")]
    [InlineData("exactly one selector", """{"algorithm":"or","rules":[{"action":"retain","template":"always","tag_selectors":[],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]}}]}""")]
    [InlineData("must be retain", """{"algorithm":"or","rules":[{"action":"delete","template":"always","tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"**"}],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]}}]}""")]
    [InlineData("must be or", """{"algorithm":"and","rules":[]}""")]
    public void What_harbor_does_not_take_is_refused(string reason, string text) => Assert.Contains(reason, Problem("harbor", text), StringComparison.Ordinal);

    [Fact]
    public void A_form_that_cannot_say_it_says_so()
    {
        var set = RetentionDialects.Read("quay", """{"method":"creation_date","value":"1w","tagPattern":"^dev"}""")!.Rules!;
        foreach (var dialect in new[] { "harbor", "ecr", "artifact-registry", "zot", "nexus", "acr-purge" })
        {
            var written = RetentionDialects.Write(dialect, set)!;
            Assert.Null(written.Text);
            Assert.NotEmpty(written.Problems);
        }
        var plain = set with { Rules = [set.Rules[0] with { Selection = new RetentionSelection() }] };
        Assert.Contains("\"criteriaLastBlobUpdated\": 7", RetentionDialects.Write("nexus", plain)!.Text, StringComparison.Ordinal);
        Assert.Null(RetentionDialects.Read("unknown", "{}"));
    }

    [Fact]
    public void What_our_own_form_leaves_out_has_its_default()
    {
        var set = RetentionDialects.Read(RetentionDialects.Own, """{"rules":[{"name":"a","selection":{"tags":[{"kind":"glob","text":"v*"}]}},{"name":"b"}]}""")!.Rules!;
        Assert.Equal(TimeSpan.FromDays(7), set.KeepsUsed);
        Assert.Equal(TagState.Tagged, set.Rules[0].Selection.State);
        Assert.Empty(set.Rules[0].Conditions);
        Assert.Equal(TagState.Tagged, set.Rules[1].Selection.State);
        Assert.Empty(RetentionDialects.Read(RetentionDialects.Own, "{}")!.Rules!.Rules);
        foreach (var wrong in (string[])["[]", "{", "null", """{"rules":[{}]}""", """{"rules":[null]}""", """{"rules":[{"name":"a","selection":{"tags":[null]}}]}""", """{"rules":[{"name":"a","selection":null}]}""", """{"rules":[],"rules":[]}""", """{"rules":[{"name":"a","selection":7}]}"""])
            Assert.True(RetentionDialects.Read(RetentionDialects.Own, wrong) is { Rules: null, Problems.Count: > 0 }, wrong);
    }
}
