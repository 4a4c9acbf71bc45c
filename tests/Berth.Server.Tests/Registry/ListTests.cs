using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>Tag lists and the catalog, page by page (OCI distribution spec, "Listing Tags"; Docker Registry's "Listing Repositories").</summary>
public abstract class ListTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    // Order of bytes: digits, capitals, underscore, small letters.
    private static readonly string[] Tags = ["0", "1.0", "1.0-rc", "10", "2", "Z", "_x", "a", "a-b", "a.b", "b"];

    /// <summary>The path of the next page that a Link header names, or null.</summary>
    internal static string? NextOf(Answer answer)
    {
        if (answer.Header("Link") is not { } link) return null;
        Assert.StartsWith("<", link, StringComparison.Ordinal);
        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
        return link[1..link.IndexOf('>')];
    }

    [Fact]
    public async Task Tags_come_in_the_order_of_bytes()
    {
        var repository = await PushTagsAsync();
        var answer = (await App.GetAsync($"/v2/{repository}/tags/list")).MustBe(200);
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
        Assert.Equal(repository, answer.Json.GetProperty("name").GetString());
        Assert.Equal(Tags, answer.Texts("tags"));
        Assert.Null(answer.Header("Link"));
        Assert.Empty((await App.HeadAsync($"/v2/{repository}/tags/list")).MustBe(200).Body);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(100)]
    public async Task Tags_are_walked_by_Link(int n)
    {
        var repository = await PushTagsAsync();
        var found = new List<string>();
        var pages = 0;
        for (var path = $"/v2/{repository}/tags/list?n={n}"; path is not null; pages++)
        {
            var answer = (await App.GetAsync(path)).MustBe(200);
            Assert.True(answer.Texts("tags").Length <= n);
            found.AddRange(answer.Texts("tags"));
            path = NextOf(answer);
        }
        Assert.Equal(Tags, found);
        Assert.Equal((Tags.Length + n - 1) / n, pages);
    }

    [Theory]
    [InlineData("?last=a", "a-b,a.b,b")]
    [InlineData("?last=a&n=1", "a-b")]
    [InlineData("?last=aa", "b")]
    [InlineData("?last=b", "")]
    [InlineData("?last=%00", "0,1.0,1.0-rc,10,2,Z,_x,a,a-b,a.b,b")]
    [InlineData("?last=a%00b", "a-b,a.b,b")]
    [InlineData("?last=%C3%A9", "")]
    [InlineData("?n=0", "")]
    [InlineData("?n=0&last=a", "")]
    [InlineData("?last='%22%5C", "0,1.0,1.0-rc,10,2,Z,_x,a,a-b,a.b,b")]
    public async Task A_page_starts_after_last(string query, string expected)
    {
        var repository = await PushTagsAsync();
        var answer = (await App.GetAsync($"/v2/{repository}/tags/list{query}")).MustBe(200);
        Assert.Equal(expected.Length == 0 ? [] : expected.Split(','), answer.Texts("tags"));
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("x")]
    [InlineData("1.5")]
    [InlineData("99999999999999999999")]
    [InlineData("0x10")]
    [InlineData("1&n=2")]
    public async Task A_bad_n_is_refused(string n)
    {
        var repository = await PushTagsAsync();
        (await App.GetAsync($"/v2/{repository}/tags/list?n={n}")).MustBe(400, "PAGINATION_NUMBER_INVALID");
        (await App.GetAsync($"/v2/_catalog?n={n}")).MustBe(400, "PAGINATION_NUMBER_INVALID");
        (await App.GetAsync($"/v2/{repository}/referrers/{Digest.Of([1])}?n={n}")).MustBe(400, "PAGINATION_NUMBER_INVALID");
    }

    [Fact]
    public async Task Tags_of_a_repository_that_is_not_there_are_an_error()
    {
        var repository = NewRepository();
        var answer = (await App.GetAsync($"/v2/{repository}/tags/list")).MustBe(404, "NAME_UNKNOWN");
        Assert.Equal([repository], answer.Details);
        (await App.GetAsync($"/v2/{repository}/tags/list?n=5")).MustBe(404, "NAME_UNKNOWN");
    }

    [Fact]
    public async Task A_repository_without_tags_has_an_empty_list()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, image.Digest.Value, image);
        Assert.Equal($$"""{"name":"{{repository}}","tags":[]}""", (await App.GetAsync($"/v2/{repository}/tags/list")).MustBe(200).Text);
        Assert.Equal($$"""{"name":"{{repository}}","tags":[]}""", (await App.GetAsync($"/v2/{repository}/tags/list?n=5")).MustBe(200).Text);
    }

    [Fact]
    public async Task Pages_of_tags_have_a_limit_when_one_is_set()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { TagsMaxEntries = 2 });
        foreach (var tag in new[] { "a", "b", "c" }) await app.PushImageAsync("r", tag, TestImage.New());
        var answer = (await app.GetAsync("/v2/r/tags/list")).MustBe(200);
        Assert.Equal(["a", "b"], answer.Texts("tags"));
        Assert.Equal(["c"], (await app.GetAsync(NextOf(answer)!)).Texts("tags"));
        Assert.Equal(["a", "b"], (await app.GetAsync("/v2/r/tags/list?n=1000")).Texts("tags"));
    }

    [Fact]
    public async Task The_catalog_lists_repositories_with_content_in_the_order_of_bytes()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { CatalogDefaultEntries = 3, CatalogMaxEntries = 4 });
        string[] names = ["a", "a-b", "a/b", "a/c", "a0", "b"];
        Assert.Equal("""{"repositories":[]}""", (await app.GetAsync("/v2/_catalog")).MustBe(200).Text);
        foreach (var name in names.Reverse()) await app.PushImageAsync(name, "v1", TestImage.New());
        // A blob alone makes no repository that anybody could pull from.
        await app.PushBlobAsync("empty", NewBytes(10));

        var first = (await app.GetAsync("/v2/_catalog")).MustBe(200);
        Assert.Equal(names[..3], first.Texts("repositories"));
        Assert.Equal(names[3..], (await app.GetAsync(NextOf(first)!)).Texts("repositories"));
        Assert.Equal(names[..4], (await app.GetAsync("/v2/_catalog?n=100")).Texts("repositories"));
        Assert.Equal(names[4..], (await app.GetAsync("/v2/_catalog?n=100&last=a/c")).Texts("repositories"));
        Assert.Empty((await app.GetAsync("/v2/_catalog?n=0")).Texts("repositories"));
        Assert.Empty((await app.GetAsync("/v2/_catalog?last=b")).Texts("repositories"));
        Assert.Equal(names[..3], (await app.GetAsync("/v2/_catalog?last=%00")).Texts("repositories"));
        foreach (var n in new[] { 1, 2, 3, 4 })
        {
            var found = new List<string>();
            for (var path = $"/v2/_catalog?n={n}"; path is not null;)
            {
                var answer = (await app.GetAsync(path)).MustBe(200);
                found.AddRange(answer.Texts("repositories"));
                path = NextOf(answer);
            }
            Assert.Equal(names, found);
        }
    }

    [Fact]
    public async Task The_catalog_shows_what_the_caller_may_pull_and_fills_its_pages()
    {
        await using var app = await RegistryApp.StartAsync(Kind, services: NamedCallers.Allow((name, repository, _) => name == "root" || repository.EndsWith(name, StringComparison.Ordinal)));
        foreach (var i in Enumerable.Range(0, 12)) await PushAsRootAsync(app, $"r{i:00}/{(i % 3 == 0 ? "alice" : "bob")}");
        var first = (await app.GetAsync("/v2/_catalog?n=3", NamedCallers.As("alice"))).MustBe(200);
        Assert.Equal(["r00/alice", "r03/alice", "r06/alice"], first.Texts("repositories"));
        var second = (await app.GetAsync(NextOf(first)!, NamedCallers.As("alice"))).MustBe(200);
        Assert.Equal(["r09/alice"], second.Texts("repositories"));
        Assert.Null(NextOf(second));
        Assert.Equal(12, (await app.GetAsync("/v2/_catalog", NamedCallers.As("root"))).Texts("repositories").Length);
    }

    private static async Task PushAsRootAsync(RegistryApp app, string repository)
    {
        var root = NamedCallers.As("root");
        var artifact = TestImage.Artifact(null, "application/x.test");
        (await app.PostAsync($"/v2/{repository}/blobs/uploads/?digest={Digest.Of(artifact.Blobs[0])}", artifact.Blobs[0], root)).MustBe(201);
        (await app.PutManifestAsync(repository, "v1", artifact.Manifest, artifact.MediaType, root)).MustBe(201);
    }

    private async Task<string> PushTagsAsync()
    {
        var (repository, image) = (NewRepository(), TestImage.Artifact(null, "application/x.test"));
        await App.PushBlobAsync(repository, image.Blobs[0]);
        var query = string.Join("&", Tags.Reverse().Select(t => $"tag={t}"));
        (await App.PutManifestAsync(repository, $"{image.Digest}?{query}", image.Manifest)).MustBe(201);
        return repository;
    }
}

public sealed class ListTestsOnSqlite(SqliteRegistry registry) : ListTests(registry), IClassFixture<SqliteRegistry>;

public sealed class ListTestsOnPostgres(PostgresRegistry registry) : ListTests(registry), IClassFixture<PostgresRegistry>;
