using System.Text.Json;
using System.Text.RegularExpressions;
using Berth.Server.Identity.Federation;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Identity.Federation;

public sealed class ClaimRulesTests
{
    [Theory]
    [InlineData("repo:octo/app:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/main", true)]
    [InlineData("repo:octo/app:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/Main", false)]
    [InlineData("repo:octo/*:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/main", true)]
    [InlineData("repo:octo/*", "repo:octo/app:ref:refs/heads/main", false)]
    [InlineData("repo:octo/**", "repo:octo/app:ref:refs/heads/main", true)]
    [InlineData("refs/heads/*", "refs/heads/release/1", false)]
    [InlineData("refs/heads/**", "refs/heads/release/1", true)]
    [InlineData("octo/*", "octo-evil/app", false)]
    [InlineData("v?", "v1", true)]
    [InlineData("v?", "v12", false)]
    [InlineData("a.c", "abc", false)]
    [InlineData("**", "", true)]
    [InlineData("a", "", false)]
    [InlineData("*a*", "bab", true)]
    public void A_pattern_matches_the_whole_text(string pattern, string text, bool matches) => Assert.Equal(matches, ClaimRules.Matches(pattern, text));

    [Fact]
    public void Patterns_mean_what_the_regular_expression_of_their_parts_means()
    {
        var words = Gen.Elements("a", "b", "/", "*", "**", "?", ".").ArrayOf().Select(string.Concat).ToArbitrary();
        var texts = Gen.Elements("a", "b", "/", ".").ArrayOf().Select(string.Concat).ToArbitrary();
        Check.QuickThrowOnFailure(Prop.ForAll(words, texts, (pattern, text) =>
        {
            var regex = string.Concat(Regex.Matches(pattern, @"\*\*+|.").Select(m => m.Value switch { "*" => "[^/]*", "?" => "[^/]", ['*', ..] => ".*", var c => Regex.Escape(c) }));
            return ClaimRules.Matches(pattern, text) == Regex.IsMatch(text, $@"\A(?:{regex})\z");
        }));
    }

    [Fact]
    public void A_text_without_wildcards_matches_itself_only() => Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<NonNull<string>>(), (a, b) =>
    {
        var literal = a.Get.Replace("*", "", StringComparison.Ordinal).Replace("?", "", StringComparison.Ordinal);
        return ClaimRules.Matches(literal, literal) && ClaimRules.Matches(literal, b.Get) == (literal == b.Get);
    }));

    [Fact]
    public void A_pattern_of_many_wildcards_takes_no_long_time()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.False(ClaimRules.Matches(string.Concat(Enumerable.Repeat("*a", 500)) + "b", new string('a', 5000)));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
    }

    [Fact]
    public void All_claims_must_match_and_one_value_of_a_list_is_enough()
    {
        var rules = Rules(("repository", ["octo/app"]), ("ref", ["refs/heads/main", "refs/tags/*"]), ("groups", ["deploy"]), ("kubernetes.io.namespace", ["prod"]));
        const string Good = """{"repository":"octo/app","ref":"refs/tags/v1","groups":["x","deploy"],"kubernetes.io":{"namespace":"prod"}}""";
        Assert.Null(rules.FirstMismatch(Json(Good)));
        Assert.Null(ClaimRules.Parse(rules.ToJson()).FirstMismatch(Json(Good)));
        Assert.Equal("ref", rules.FirstMismatch(Json(Good.Replace("refs/tags/v1", "refs/heads/x", StringComparison.Ordinal))));
        Assert.Equal("repository", rules.FirstMismatch(Json(Good.Replace("\"repository\"", "\"repositor\"", StringComparison.Ordinal))));
        Assert.Equal("groups", rules.FirstMismatch(Json(Good.Replace("\"deploy\"", "{\"deploy\":1}", StringComparison.Ordinal))));
        Assert.Equal("kubernetes.io.namespace", rules.FirstMismatch(Json(Good.Replace("prod", "dev", StringComparison.Ordinal))));
    }

    [Fact]
    public void Rules_that_let_everybody_of_an_issuer_in_are_refused()
    {
        Assert.NotEmpty(Problems());
        Assert.NotEmpty(Problems(("iss", ["https://x"]), ("aud", ["berth"])));
        Assert.NotEmpty(Problems(("repository", ["**"])));
        Assert.NotEmpty(Problems(("repository", ["*/*"])));
        Assert.NotEmpty(Problems(("repository", ["octo/app", "**"])));
        Assert.NotEmpty(Problems(("repository", [])));
        Assert.NotEmpty(Problems(("", ["x"])));
        Assert.Empty(Problems(("repository_owner", ["octo"]), ("ref", ["**"])));
        Assert.Throws<InvalidDataException>(() => ClaimRules.Parse("{}"));
        Assert.Throws<InvalidDataException>(() => ClaimRules.Parse("{"));
    }

    private static IReadOnlyList<string> Problems(params (string, string[])[] rules) => ClaimRules.Create(Dictionary(rules)).Problems;

    private static ClaimRules Rules(params (string, string[])[] rules) => ClaimRules.Create(Dictionary(rules)).Rules!;

    private static Dictionary<string, IReadOnlyList<string>> Dictionary((string Claim, string[] Patterns)[] rules) => rules.ToDictionary(r => r.Claim, r => (IReadOnlyList<string>)r.Patterns);

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
