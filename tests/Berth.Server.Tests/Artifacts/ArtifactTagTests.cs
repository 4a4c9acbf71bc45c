using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class ArtifactTagTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Tags_are_made_listed_and_taken_away(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        var image = await site.PushAsync(repository, "v1", TestImage.New(1));
        await site.PushAsync(repository, "v2", TestImage.New(2));
        var tags = ArtifactsOf(repository, $"/{image.Digest}/tags");

        Assert.EndsWith("/tags/stable", (await site.ExpectAsync(201, "POST", tags, await site.AddUserAsync(project, 2), """{"name":"stable"}""")).Header("Location"));
        Assert.Equal(image.Digest.Value, (await site.App.GetAsync(ArtifactsOf(repository, "/stable")))["digest"]!.GetValue<string>());
        Assert.Equal("CONFLICT", (await site.ExpectAsync(409, "POST", tags, body: """{"name":"stable"}""")).Code);
        await site.ExpectAsync(409, "POST", tags, body: """{"name":"v2"}""");

        var (listed, total) = await site.ListAsync(tags + "?sort=name");
        Assert.Equal("2", total);
        Assert.Equal(["stable", "v1"], listed.Select(t => t!["name"]!.GetValue<string>()));
        Assert.Single((await site.ListAsync(tags + "?q=name%3D~STA")).Items);
        Assert.Equal("v1", Assert.Single((await site.ListAsync(tags + "?sort=name&page=2&page_size=1")).Items)!["name"]!.GetValue<string>());
        Assert.Equal(2, (await site.ListAsync(tags + "?q=push_time%3D[2001-01-01~]&with_immutable_status=true")).Items.Count);

        await site.ExpectAsync(200, "DELETE", tags + "/stable");
        await site.ExpectAsync(404, "DELETE", tags + "/stable");
        await site.ExpectAsync(404, "DELETE", tags + "/v2");
        await site.ExpectAsync(200, "DELETE", tags + "/v1");
        // Without its last tag the artifact stays.
        Assert.Null((await site.App.GetAsync(ArtifactsOf(repository, $"/{image.Digest}")))["tags"]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Wrong_calls_are_refused(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        await site.PushAsync(repository, "v1", TestImage.New(1));
        var tags = ArtifactsOf(repository, "/v1/tags");
        foreach (var body in (string[])["{}", """{"name":""}""", """{"name":"a b"}""", """{"name":"-x"}"""]) await site.ExpectAsync(400, "POST", tags, body: body);
        await site.ExpectAsync(422, "POST", tags, body: "{");
        await site.ExpectAsync(400, "GET", tags + "?q=push_time%3Dx");
        foreach (var path in (string[])[ArtifactsOf(repository, "/none/tags"), ArtifactsOf($"{project}/none", "/v1/tags")])
        {
            await site.ExpectAsync(404, "GET", path);
            await site.ExpectAsync(404, "POST", path, body: """{"name":"x"}""");
            await site.ExpectAsync(404, "DELETE", path + "/v1");
        }
        var (guest, developer, stranger) = (await site.AddUserAsync(project, 3), await site.AddUserAsync(project, 2), await site.AddUserAsync(project, 0));
        await site.ExpectAsync(200, "GET", tags, guest);
        await site.ExpectAsync(403, "GET", tags, stranger);
        await site.ExpectAsync(401, "GET", tags, "");
        await site.ExpectAsync(403, "POST", tags, guest, """{"name":"x"}""");
        await site.ExpectAsync(401, "POST", tags, "", """{"name":"x"}""");
        await site.ExpectAsync(403, "DELETE", tags + "/v1", developer);
        await site.ExpectAsync(401, "DELETE", tags + "/v1", "");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Immutable_tags_stay_and_rules_below_the_project_hold(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        await site.PushAsync(repository, "release", TestImage.New(1));
        await site.AddImmutableRuleAsync(project, "**", "rel*");
        Assert.Equal("PRECONDITION", (await site.ExpectAsync(412, "DELETE", ArtifactsOf(repository, "/release/tags/release"))).Code);
        Assert.True((await site.ListAsync(ArtifactsOf(repository, "/release/tags?with_immutable_status=true"))).Items[0]!["immutable"]!.GetValue<bool>());

        var user = await site.AddUserAsync(project, 4);
        await site.SqlAsync("INSERT INTO access_rules (project_id, subject_kind, subject_id, repository_pattern, tag_pattern, actions, is_allowed, description, created_at) "
            + $"SELECT p.id, 1, u.id, 'app', 'prod-*', 30, false, '', 1 FROM projects p, users u WHERE p.name = '{project}' AND u.name = '{user}'", announce: true);
        await site.ExpectAsync(403, "POST", ArtifactsOf(repository, "/release/tags"), user, """{"name":"prod-1"}""");
        await site.ExpectAsync(201, "POST", ArtifactsOf(repository, "/release/tags"), user, """{"name":"test-1"}""");
        await site.ExpectAsync(201, "POST", ArtifactsOf(repository, "/release/tags"), body: """{"name":"prod-1"}""");
        await site.ExpectAsync(403, "DELETE", ArtifactsOf(repository, "/release/tags/prod-1"), user);
        await site.ExpectAsync(200, "DELETE", ArtifactsOf(repository, "/release/tags/test-1"), user);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Labels_are_put_on_and_taken_off(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var (project, other) = (await site.AddProjectAsync(), await site.AddProjectAsync());
        var repository = $"{project}/app";
        await site.PushAsync(repository, "v1", TestImage.New(1));
        var (own, foreign) = (await site.AddLabelAsync(project), await site.AddLabelAsync(other));
        var labels = ArtifactsOf(repository, "/v1/labels");

        await site.ExpectAsync(200, "POST", labels, await site.AddUserAsync(project, 2), $$"""{"id":{{own}}}""");
        Assert.Equal("CONFLICT", (await site.ExpectAsync(409, "POST", labels, body: $$"""{"id":{{own}}}""")).Code);
        Assert.Equal(own, (await site.App.GetAsync(ArtifactsOf(repository, "/v1?with_label=true")))["labels"]![0]!["id"]!.GetValue<long>());
        await site.ExpectAsync(404, "POST", labels, body: $$"""{"id":{{foreign}}}""");
        await site.ExpectAsync(404, "POST", labels, body: "{}");
        await site.ExpectAsync(422, "POST", labels, body: "7");
        await site.ExpectAsync(404, "POST", ArtifactsOf(repository, "/none/labels"), body: $$"""{"id":{{own}}}""");

        var guest = await site.AddUserAsync(project, 3);
        await site.ExpectAsync(403, "POST", labels, guest, $$"""{"id":{{own}}}""");
        await site.ExpectAsync(401, "POST", labels, "", $$"""{"id":{{own}}}""");
        await site.ExpectAsync(403, "DELETE", $"{labels}/{own}", guest);
        await site.ExpectAsync(401, "DELETE", $"{labels}/{own}", "");
        await site.ExpectAsync(422, "DELETE", $"{labels}/x");
        await site.ExpectAsync(404, "DELETE", ArtifactsOf(repository, $"/none/labels/{own}"));
        await site.ExpectAsync(200, "DELETE", $"{labels}/{own}");
        await site.ExpectAsync(404, "DELETE", $"{labels}/{own}");
    }
}
