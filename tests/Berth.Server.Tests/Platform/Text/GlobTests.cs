using System.Diagnostics;
using Berth.Server.Platform.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Platform.Text;

public sealed class GlobTests
{
    [Theory]
    [InlineData("**", "a/b/c", true)]
    [InlineData("**", "", true)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a/b", false)]
    [InlineData("a*c", "abbc", true)]
    [InlineData("a*c", "ab/c", false)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**", "a", true)]
    [InlineData("a/**", "ab", false)]
    [InlineData("**/c", "c", true)]
    [InlineData("**/c", "a/b/c", true)]
    [InlineData("**/c", "a/bc", false)]
    [InlineData("a/**/c", "a/c", true)]
    [InlineData("a/**/c", "a/x/y/c", true)]
    [InlineData("a/**/c", "ac", false)]
    [InlineData("v?.?", "v1.2", true)]
    [InlineData("v?.?", "v1/2", false)]
    [InlineData("{release,v*}", "release", true)]
    [InlineData("{release,v*}", "v12", true)]
    [InlineData("{release,v*}", "main", false)]
    [InlineData("{a,b}-{1,2}", "b-2", true)]
    [InlineData("[a-c]1", "b1", true)]
    [InlineData("[!a-c]1", "b1", false)]
    [InlineData("[]]", "]", true)]
    [InlineData(@"\*", "*", true)]
    [InlineData(@"\*", "a", false)]
    [InlineData("latest", "latest", true)]
    [InlineData("latest", "Latest", false)]
    [InlineData("sha-????", "sha-12ab", true)]
    public void A_pattern_matches_as_doublestar_does(string pattern, string name, bool matches) =>
        Assert.Equal(matches, Glob.Parse(pattern).IsMatch(name));

    [Theory]
    [InlineData("")]
    [InlineData("{a")]
    [InlineData("a}")]
    [InlineData("{a,{b,c}}")]
    [InlineData("[a")]
    [InlineData(@"a\")]
    [InlineData("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}")]
    public void A_malformed_pattern_is_refused_with_the_reason(string pattern)
    {
        Assert.False(Glob.TryParse(pattern, out _, out var problem));
        Assert.NotEqual("", problem);
        Assert.False(Glob.TryParse(new string('a', 256), out _, out _));
    }

    [Fact]
    public void A_text_without_special_characters_matches_itself_and_nothing_else()
    {
        var names = Gen.Elements("abcz019-_./".ToCharArray()).NonEmptyListOf().Select(c => string.Concat(c)).Where(n => n.Length <= Glob.MaxLength);
        Prop.ForAll(names.Two().ToArbitrary(), pair =>
        {
            var glob = Glob.Parse(pair.Item1);
            return glob.IsMatch(pair.Item1) && glob.IsLiteral && glob.IsMatch(pair.Item2) == (pair.Item1 == pair.Item2);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Stars_in_place_of_parts_still_match()
    {
        var segments = Gen.Elements("a", "bc", "x-1", "v2.0").NonEmptyListOf().Where(s => s.Count <= 8);
        Prop.ForAll(segments.ToArbitrary(), Gen.Choose(0, 7).ToArbitrary(), (parts, index) =>
        {
            var name = string.Join('/', parts);
            var at = index % parts.Count;
            var starred = string.Join('/', parts.Select((p, i) => i == at ? "*" : p));
            var doubled = string.Join('/', parts.Take(at).Append("**"));
            return Glob.Parse(starred).IsMatch(name) && Glob.Parse(doubled).IsMatch(name) && Glob.Parse("**/" + string.Join('/', parts.Skip(at))).IsMatch(name);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Many_stars_take_no_longer_than_the_lengths_multiplied()
    {
        var pattern = Glob.Parse(string.Concat(Enumerable.Repeat("*a", 127)));
        var watch = Stopwatch.StartNew();
        Assert.False(pattern.IsMatch(new string('a', 1000) + "b"));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"it took {watch.Elapsed}");
    }
}
