using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class RepositoryApiTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_list_has_pages_a_total_an_order_and_conditions(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        foreach (var name in (string[])["alpha", "beta/one", "beta/two", "gamma"]) await site.PushAsync($"{project}/{name}", "v1", TestImage.New());
        var path = $"/api/v2.0/projects/{project}/repositories";

        var answer = await site.ExpectAsync(200, "GET", path + "?sort=name&page=2&page_size=1");
        Assert.Equal($"{project}/beta/one", answer.Json[0]!["name"]!.GetValue<string>());
        Assert.Equal("4", answer.Header("X-Total-Count"));
        Assert.Contains("rel=\"next\"", answer.Header("Link"));
        Assert.Contains("rel=\"prev\"", answer.Header("Link"));

        Assert.Equal(4, (await site.ListAsync(path)).Items.Count);
        var (fuzzy, total) = await site.ListAsync(path + "?q=name%3D~BETA&sort=-name");
        Assert.Equal([$"{project}/beta/two", $"{project}/beta/one"], fuzzy.Select(r => r!["name"]!.GetValue<string>()));
        Assert.Equal("2", total);
        Assert.Single((await site.ListAsync(path + $"?q=name%3D{project}/gamma")).Items);
        Assert.Empty((await site.ListAsync(path + "?q=name%3D~a_pha")).Items);
        Assert.Empty((await site.ListAsync(path + "?page=9")).Items);
        foreach (var sort in (string[])["creation_time", "-update_time", "pull_count", "nonsense"]) Assert.Equal(4, (await site.ListAsync(path + "?sort=" + sort)).Items.Count);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Wrong_questions_are_refused(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var path = $"/api/v2.0/projects/{project}/repositories";
        await site.ExpectAsync(400, "GET", path + "?q=name");
        await site.ExpectAsync(422, "GET", path + "?page_size=101");
        await site.ExpectAsync(400, "GET", path + "?q=creation_time%3Dsoon");
        await site.ExpectAsync(404, "GET", "/api/v2.0/projects/no-such/repositories");
        await site.ExpectAsync(401, "GET", path, "");
        await site.ExpectAsync(403, "GET", path, await site.AddUserAsync(project, 0));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Everybody_sees_the_repositories_of_the_projects_that_are_theirs_or_public(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var (mine, open, hidden) = (await site.AddProjectAsync(), await site.AddProjectAsync(isPublic: true), await site.AddProjectAsync());
        foreach (var project in (string[])[mine, open, hidden]) await site.PushAsync($"{project}/app", "v1", TestImage.New());
        var user = await site.AddUserAsync(mine, 3);

        async Task<string[]> Seen(string who) =>
            [.. (await site.ListAsync("/api/v2.0/repositories?page_size=100&q=name%3D~/app&sort=-creation_time", who)).Items.Select(r => r!["name"]!.GetValue<string>())];

        var ofUser = await Seen(user);
        Assert.Contains($"{mine}/app", ofUser);
        Assert.Contains($"{open}/app", ofUser);
        Assert.DoesNotContain($"{hidden}/app", ofUser);
        Assert.DoesNotContain($"{mine}/app", await Seen(""));
        Assert.Contains($"{open}/app", await Seen(""));
        Assert.Contains($"{hidden}/app", await Seen("admin"));
        await site.ExpectAsync(400, "GET", "/api/v2.0/repositories?q=name");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_nested_repository_is_shown_and_described(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        await site.PushAsync($"{project}/team/app", "v1", TestImage.New(1));
        await site.PushAsync($"{project}/team/app", "v2", TestImage.New(2));
        var path = RepositoryOf($"{project}/team/app");

        var shown = await site.App.GetAsync(path);
        Assert.Equal($"{project}/team/app", shown["name"]!.GetValue<string>());
        Assert.Equal(2, shown["artifact_count"]!.GetValue<int>());
        Assert.Equal(0, shown["pull_count"]!.GetValue<int>());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", shown["creation_time"]!.GetValue<string>());
        Assert.Equal(200, (await site.App.CallAsync("GET", $"/api/v2.0/projects/{project}/repositories/team%2Fapp")).Status);

        await site.ExpectAsync(200, "PUT", path, body: """{"description":"# Ours & <theirs>"}""");
        Assert.Equal("# Ours & <theirs>", (await site.App.GetAsync(path))["description"]!.GetValue<string>());
        await site.ExpectAsync(422, "PUT", path, body: "[]");
        await site.ExpectAsync(404, "PUT", RepositoryOf($"{project}/none"), body: "{}");
        await site.ExpectAsync(404, "GET", RepositoryOf($"{project}/none"));
        var guest = await site.AddUserAsync(project, 3);
        await site.ExpectAsync(200, "GET", path, guest);
        await site.ExpectAsync(403, "PUT", path, guest, "{}");
        await site.ExpectAsync(401, "GET", path, "");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_count_of_artifacts_is_that_of_the_list_after_every_push(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/counted";
        async Task IsAsync(int count)
        {
            Assert.Equal(count, (await site.App.GetAsync(RepositoryOf(repository)))["artifact_count"]!.GetValue<int>());
            var (items, total) = await site.ListAsync(RepositoryOf(repository) + "/artifacts");
            Assert.Equal((count, count.ToString(System.Globalization.CultureInfo.InvariantCulture)), (items.Count, total));
        }

        await site.PushAsync(repository, "latest", TestImage.New(1));
        await IsAsync(1);
        // The tag moves: what it pointed to stays, untagged.
        await site.PushAsync(repository, "latest", TestImage.New(2));
        await IsAsync(2);
        await site.PushAsync(repository, "latest", TestImage.New(2));
        await IsAsync(2);
        await site.PushAsync(repository, "latest", TestImage.New(1));
        await IsAsync(2);
        var child = await site.PushAsync(repository, TestImage.New(3).Digest.Value, TestImage.New(3));
        await IsAsync(3);
        // An index stands in its children's place, and beside a child with a tag.
        await site.PushAsync(repository, "multi", TestImage.Index([child]));
        await IsAsync(3);
        await site.PushAsync(repository, "multi", TestImage.Index([child, TestImage.New(1)]));
        await IsAsync(4);
        await site.PushAsync(repository, "single", TestImage.New(3));
        await IsAsync(5);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_deleted_repository_takes_everything_along(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/gone";
        var child = await site.PushAsync(repository, TestImage.New(3).Digest.Value, TestImage.New(3));
        await site.PushAsync(repository, "multi", TestImage.Index([child]));
        var image = await site.PushAsync(repository, "v1", TestImage.New(4));
        await site.PushAsync(repository, TestImage.Artifact(image.Descriptor, "application/vnd.example.sig").Digest.Value, TestImage.Artifact(image.Descriptor, "application/vnd.example.sig"));
        await site.ExpectAsync(403, "DELETE", RepositoryOf(repository), await site.AddUserAsync(project, 2));
        await site.ExpectAsync(401, "DELETE", RepositoryOf(repository), "");

        await site.ExpectAsync(200, "DELETE", RepositoryOf(repository), await site.AddUserAsync(project, 4));
        await site.ExpectAsync(404, "GET", RepositoryOf(repository));
        await site.ExpectAsync(404, "DELETE", RepositoryOf(repository));
        Assert.Equal(0, await site.NumberAsync($"SELECT used_bytes FROM projects WHERE name = '{project}'"));
        Assert.Equal(0, await site.NumberAsync($"SELECT repository_count FROM projects WHERE name = '{project}'"));
        Assert.Equal(404, (await site.App.Registry.GetAsync($"/v2/{repository}/manifests/v1", Api.PlatformApp.As("admin"))).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_immutable_or_locked_tag_keeps_the_whole_repository(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        await site.PushAsync($"{project}/kept", "v1", TestImage.New(1));
        await site.PushAsync($"{project}/kept", "release", TestImage.New(2));
        await site.AddImmutableRuleAsync(project, "kept", "release");
        var refused = await site.ExpectAsync(412, "DELETE", RepositoryOf($"{project}/kept"));
        Assert.Equal("PRECONDITION", refused.Code);
        Assert.Equal(2, (await site.App.GetAsync(RepositoryOf($"{project}/kept")))["artifact_count"]!.GetValue<int>());

        await site.PushAsync($"{project}/locked", "v1", TestImage.New(1));
        await site.SqlAsync($"UPDATE tags SET locks = 4 WHERE repository_id = (SELECT id FROM repositories WHERE name = '{project}/locked')");
        await site.ExpectAsync(412, "DELETE", RepositoryOf($"{project}/locked"));
    }
}
