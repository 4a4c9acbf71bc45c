using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Oci.Tests;

/// <summary>Repository names and tags against the regular expressions of the specification.</summary>
public sealed class NameTests
{
    private static readonly Regex Repository = new(@"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5));
    private static readonly Regex Tag = new(@"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5));

    [Fact]
    public void A_repository_name_is_what_the_specification_says()
    {
        // Mostly the characters that matter, so that valid and nearly valid names are frequent.
        var characters = Gen.Elements("a", "0", "z9", "-", "--", "_", "__", "___", ".", "..", "/", "A", "é", " ", "\n", "\0", "%2e", "٣");
        Prop.ForAll(characters.ListOf().Select(string.Concat).ToArbitrary(), text =>
        {
            var expected = text.Length <= RepositoryName.MaxLength && Repository.IsMatch(text);
            Assert.Equal(expected, RepositoryName.IsValid(text));
            Assert.Equal(expected, RepositoryName.TryParse(text, out var name));
            if (expected) Assert.Equal(text, name.Value);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void A_name_put_together_by_the_rules_is_one()
    {
        var words = Gen.Elements("a", "0", "debian", "v2", "x9x");
        var separators = Gen.Elements("/", ".", "_", "__", "-", "---");
        var tails = words.SelectMany(_ => separators, (word, separator) => separator + word).ListOf().Select(string.Concat);
        Prop.ForAll(words.SelectMany(_ => tails, (head, tail) => head + tail).Where(n => n.Length <= RepositoryName.MaxLength).ToArbitrary(), name =>
        {
            Assert.Matches(Repository, name);
            Assert.Equal(name, RepositoryName.Parse(name).ToString());
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a/")]
    [InlineData("/a")]
    [InlineData("a..b")]
    [InlineData("a/../b")]
    [InlineData("a._b")]
    [InlineData("a\n")]
    public void A_bad_repository_name_is_refused(string? text)
    {
        Assert.False(RepositoryName.TryParse(text, out _));
        if (text is not null) Assert.Throws<FormatException>(() => RepositoryName.Parse(text));
        Assert.Throws<InvalidOperationException>(() => default(RepositoryName).Value);
    }

    [Fact]
    public void A_tag_is_what_the_specification_says()
    {
        var characters = Gen.Elements("a", "Z", "0", "_", "-", ".", "/", ":", " ", "é", "\n", "\0", new string('x', 60));
        Prop.ForAll(characters.ListOf().Select(string.Concat).ToArbitrary(), text =>
        {
            var expected = Tag.IsMatch(text);
            Assert.Equal(expected, TagName.IsValid(text));
            Assert.Equal(expected, TagName.TryParse(text, out var tag));
            if (expected) Assert.Equal(text, tag.Value);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Theory]
    [InlineData(254, true)]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void Names_have_a_limit(int length, bool isValid)
    {
        Assert.Equal(isValid, RepositoryName.IsValid(new string('a', length)));
        Assert.True(TagName.IsValid(new string('a', 128)));
        Assert.False(TagName.IsValid(new string('a', 129)));
    }

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("application/vnd.oci.image.manifest.v1+json", true)]
    [InlineData("a/b", true)]
    [InlineData("a/", false)]
    [InlineData("/b", false)]
    [InlineData("a", false)]
    [InlineData("", false)]
    [InlineData("a/b/c", false)]
    [InlineData("a/b c", false)]
    [InlineData("a/é", false)]
    [InlineData("a/b\0", false)]
    [InlineData("a/b; charset=utf-8", false)]
    public void A_media_type_follows_RFC_6838(string text, bool isValid) => Assert.Equal(isValid, MediaTypes.IsValid(text));

    [Theory]
    [InlineData("application/json", "application/json")]
    [InlineData(" Application/JSON ; charset=utf-8", "application/json")]
    [InlineData("", "")]
    [InlineData(";", "")]
    public void Parameters_of_a_media_type_are_cut_off(string text, string expected) => Assert.Equal(expected, MediaTypes.WithoutParameters(text));
}
