using Berth.Oci;
using Berth.Server.Access;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Access;

public sealed class ResourceScopeTests
{
    [Theory]
    [InlineData("repository:library/debian:pull", "repository:library/debian:pull")]
    [InlineData("repository:a/b/c/d:pull,push,delete", "repository:a/b/c/d:pull,push,delete")]
    [InlineData("repository(plugin):x:pull", "repository:x:pull")]
    [InlineData("registry:catalog:*", "registry:catalog:*")]
    [InlineData("repository:x:pull repository:y:push", "repository:x:pull repository:y:push")]
    [InlineData("repository:x:pull  repository:x:push,pull", "repository:x:pull,push")]
    [InlineData("repository:x:", "repository:x:")]
    [InlineData("vault:secret/x:open repository:x:pull", "repository:x:pull")]
    [InlineData("vault:host.example:5000/x:open", "")]
    [InlineData("", "")]
    public void Scopes_are_read(string text, string expected)
    {
        Assert.True(ResourceScope.TryParse([text], out var wanted));
        Assert.Equal(expected, ResourceScope.Format(wanted));
    }

    [Theory]
    [InlineData("repository")]
    [InlineData("repository:x")]
    [InlineData(":x:pull")]
    [InlineData("repository::pull")]
    [InlineData("repository:X:pull")]
    [InlineData("repository:../x:pull")]
    [InlineData("repository:localhost:5000/x:pull")]
    [InlineData("repository:x:PULL")]
    [InlineData("repository:x:pull,**")]
    [InlineData("Repository:x:pull")]
    [InlineData("repository(:x:pull")]
    [InlineData("repository():x:pull")]
    [InlineData("repository:x:pull\trepository:y:pull")]
    public void Malformed_scopes_are_refused(string text) => Assert.False(ResourceScope.TryParse(["repository:ok:pull", text], out _));

    [Fact]
    public void Too_many_scopes_are_refused()
    {
        var scopes = Enumerable.Range(0, 101).Select(i => $"repository:r{i}:pull").ToArray();
        Assert.True(ResourceScope.TryParse(scopes[..100], out _));
        Assert.False(ResourceScope.TryParse(scopes, out _));
        Assert.False(ResourceScope.TryParse([new string(' ', 20_000)], out _));
    }

    [Fact]
    public void Any_grants_come_back_as_they_were_written() => Prop.ForAll(GrantLists(), grants =>
    {
        Assert.True(ResourceScope.TryParse([ResourceScope.Format(grants)], out var parsed));
        Assert.Equal(
            grants.Select(g => (g.Type, g.Name, string.Join(',', g.Actions))),
            parsed.Select(g => (g.Type, g.Name, string.Join(',', g.Actions))));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_text_is_either_refused_or_names_valid_repositories() => Prop.ForAll(Noise(), text =>
    {
        if (!ResourceScope.TryParse([text], out var wanted)) return;
        Assert.All(wanted, g => Assert.True(g.Type == "registry" || RepositoryName.IsValid(g.Name)));
        Assert.All(wanted.SelectMany(g => g.Actions), a => Assert.Matches("^([a-z]+|\\*)$", a));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Granted_is_never_more_than_wanted_and_never_more_than_allowed() => Prop.ForAll(GrantLists(), wanted =>
    {
        var granted = Grants.Intersect(wanted, (_, a) => a == RepositoryAction.Pull, mayList: false, isAdmin: false);
        Assert.All(granted, g =>
        {
            Assert.Equal("repository", g.Type);
            Assert.Equal(["pull"], g.Actions);
            Assert.True(Grants.Allow(wanted, g.Name, RepositoryAction.Pull));
        });
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_wildcard_stays_one_for_administrators_only()
    {
        TokenGrant[] wanted = [new("repository", "x", ["*"])];
        var user = Grants.Intersect(wanted, (_, a) => a != RepositoryAction.Delete, mayList: true, isAdmin: false);
        Assert.Equal(["pull", "push"], Assert.Single(user).Actions);
        var admin = Grants.Intersect(wanted, (_, _) => true, mayList: true, isAdmin: true);
        Assert.Equal(["*"], Assert.Single(admin).Actions);
    }

    private static Arbitrary<TokenGrant[]> GrantLists()
    {
        var part = Gen.Elements("a", "b1", "x-y", "x__y", "lib.c", "0");
        var name = Gen.NonEmptyListOf(part).Select(p => string.Join('/', p.Take(6)));
        var actions = Gen.SubListOf("pull", "push", "delete", "*").Select(l => l.ToArray());
        var repository = from n in name from a in actions select new TokenGrant("repository", n, a);
        var grant = Gen.Frequency((9, repository), (1, Gen.Constant(new TokenGrant("registry", "catalog", ["*"]))));
        return Gen.ListOf(grant).Select(l => l.Take(50).DistinctBy(g => (g.Type, g.Name)).ToArray()).ToArbitrary();
    }

    private static Arbitrary<string> Noise() =>
        Gen.ListOf(Gen.Elements("repository", "registry", ":", ":", ",", " ", "a", "/", "pull", "*", "(", ")", "X", ".", "-", "\u00e9", "\0"))
            .Select(l => string.Concat(l)).ToArbitrary();
}
