using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class ArtifactListTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Conditions_choose_artifacts(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        var one = await site.PushAsync(repository, "v1.0", TestImage.New(1));
        await site.PushAsync(repository, "v1.1", TestImage.New(2));
        await site.PushAsync(repository, "latest", TestImage.New(2));
        var untagged = await site.PushAsync(repository, TestImage.New(3).Digest.Value, TestImage.New(3));
        await site.PushAsync(repository, "chart", ImageWith(new JsonObject { ["name"] = "c" }, "application/vnd.cncf.helm.config.v1+json"));
        async Task<(int Count, string Total)> Found(string q)
        {
            var (items, total) = await site.ListAsync(ArtifactsOf(repository, "?q=" + Uri.EscapeDataString(q)));
            return (items.Count, total);
        }

        Assert.Equal((4, "4"), await Found(""));
        Assert.Equal((3, "3"), await Found("tags=*"));
        Assert.Equal((1, "1"), await Found("tags=nil"));
        Assert.Equal((1, "1"), await Found("tags=v1.0"));
        Assert.Equal((2, "2"), await Found("tags=~v1."));
        Assert.Equal((0, "0"), await Found("tags=~V1."));
        Assert.Equal((1, "1"), await Found($"digest={untagged.Digest}"));
        Assert.Equal((1, "1"), await Found("type=CHART"));
        Assert.Equal((4, "4"), await Found("type={CHART IMAGE}"));
        Assert.Equal((1, "1"), await Found("media_type=application/vnd.cncf.helm.config.v1+json"));
        Assert.Equal((3, "3"), await Found("artifact_type=~IMAGE.config"));
        Assert.Equal((4, "4"), await Found("push_time=[2001-01-01~]"));
        Assert.Equal((0, "0"), await Found("push_time=[~2001-01-01 10:00:00]"));
        Assert.Equal((4, "4"), await Found("pull_time=[~2001-01-01]"));
        Assert.Equal((4, "4"), await Found("unknown=x"));
        Assert.Equal((4, "4"), await Found("base=*"));
        Assert.Equal((1, "1"), await Found($"type=IMAGE,tags=v1.0,digest={one.Digest}"));
        // Remembered totals must not outlive a change.
        await site.PushAsync(repository, "v1.2", TestImage.New(4));
        Assert.Equal((4, "4"), await Found("tags=*"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Labels_choose_artifacts_that_have_all_of_them(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        await site.PushAsync(repository, "a", TestImage.New(1));
        await site.PushAsync(repository, "b", TestImage.New(2));
        var (first, second) = (await site.AddLabelAsync(project), await site.AddLabelAsync(null));
        await site.ExpectAsync(200, "POST", ArtifactsOf(repository, "/a/labels"), body: $$"""{"id":{{first}}}""");
        await site.ExpectAsync(200, "POST", ArtifactsOf(repository, "/a/labels"), body: $$"""{"id":{{second}}}""");
        await site.ExpectAsync(200, "POST", ArtifactsOf(repository, "/b/labels"), body: $$"""{"id":{{second}}}""");

        Assert.Equal(2, (await site.ListAsync(ArtifactsOf(repository, $"?q=labels%3D({second})"))).Items.Count);
        var (items, _) = await site.ListAsync(ArtifactsOf(repository, $"?with_label=true&q=labels%3D({first}%20{second})"));
        Assert.Equal([first, second], Assert.Single(items)!["labels"]!.AsArray().Select(l => l!["id"]!.GetValue<long>()).Order());
        Assert.Equal(["g", "p"], items[0]!["labels"]!.AsArray().Select(l => l!["scope"]!.GetValue<string>()).Order());
        Assert.Null((await site.ListAsync(ArtifactsOf(repository))).Items[0]!["labels"]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Every_order_is_kept_over_pages(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        for (var i = 0; i < 5; i++) await site.PushAsync(repository, $"v{i}", TestImage.New(10 + i));
        foreach (var key in (string[])["push_time", "pull_time", "size", "id", "type", "digest", "media_type", "manifest_media_type", "artifact_type", "PushTime"])
        {
            var up = await DigestsAsync(key);
            Assert.Equal(5, up.Distinct().Count());
            Assert.Equal(up.AsEnumerable().Reverse(), await DigestsAsync("-" + key));
        }
        Assert.Equal(await DigestsAsync("-push_time"), await DigestsAsync(""));

        async Task<List<string>> DigestsAsync(string sort)
        {
            var digests = new List<string>();
            for (var page = 1; page <= 3; page++)
            {
                var (items, total) = await site.ListAsync(ArtifactsOf(repository, $"?sort={sort}&page={page}&page_size=2"));
                Assert.Equal("5", total);
                digests.AddRange(items.Select(i => i!["digest"]!.GetValue<string>()));
            }
            return digests;
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Children_of_an_index_and_accessories_are_folded_away(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        var children = new[] { TestImage.New(1), TestImage.New(2) };
        foreach (var child in children) await site.PushAsync(repository, child.Digest.Value, child);
        var index = await site.PushAsync(repository, "multi", TestImage.Index(children));
        var signature = TestImage.Artifact(index.Descriptor, "application/vnd.dev.cosign.artifact.sig.v1+json");
        await site.PushAsync(repository, signature.Digest.Value, signature);
        await site.PushAsync(repository, index.Digest.Value.Replace(':', '-') + ".att", TestImage.New(9));

        var (items, total) = await site.ListAsync(ArtifactsOf(repository));
        Assert.Equal("1", total);
        var artifact = Assert.Single(items)!;
        Assert.Equal(index.Digest.Value, artifact["digest"]!.GetValue<string>());
        Assert.Equal(MediaTypes.OciIndex, artifact["manifest_media_type"]!.GetValue<string>());
        Assert.Equal(children.Select(c => c.Digest.Value), artifact["references"]!.AsArray().Select(r => r!["child_digest"]!.GetValue<string>()));
        Assert.Equal("amd64", artifact["references"]![0]!["platform"]!["architecture"]!.GetValue<string>());
        Assert.NotEqual(0, artifact["references"]![0]!["child_id"]!.GetValue<long>());
        var accessories = artifact["accessories"]!.AsArray();
        Assert.Equal(["attestation.in-toto", "signature.cosign"], accessories.Select(a => a!["type"]!.GetValue<string>()).Order());
        Assert.All(accessories, a => Assert.Equal(index.Digest.Value, a!["subject_artifact_digest"]!.GetValue<string>()));
        Assert.Equal("3", (await site.ListAsync(ArtifactsOf(repository, "?q=base%3D*&with_accessory=false"))).Total);

        var (listed, count) = await site.ListAsync(ArtifactsOf(repository, "/multi/accessories?page_size=1"));
        Assert.Equal(("2", 1), (count, listed.Count));
        Assert.Single((await site.ListAsync(ArtifactsOf(repository, "/multi/accessories?q=type%3Dsignature.cosign"))).Items);
        await site.ExpectAsync(404, "GET", ArtifactsOf(repository, "/none/accessories"));
        await site.ExpectAsync(403, "GET", ArtifactsOf(repository, "/multi/accessories"), await site.AddUserAsync(project, 0));
        await site.ExpectAsync(400, "GET", ArtifactsOf(repository, "/multi/accessories?q=x"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Wrong_questions_are_refused(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        await site.PushAsync(repository, "v1", TestImage.New(1));
        foreach (var q in (string[])["tags=[a~b]", "tags={a b}", "labels=1", "labels=(x)", "base=1", "push_time=x", "size=x", "nonsense"])
            await site.ExpectAsync(400, "GET", ArtifactsOf(repository, "?q=" + Uri.EscapeDataString(q)));
        await site.ExpectAsync(422, "GET", ArtifactsOf(repository, "?page=0"));
        await site.ExpectAsync(404, "GET", ArtifactsOf($"{project}/none"));
        await site.ExpectAsync(401, "GET", ArtifactsOf(repository), "");
        await site.ExpectAsync(403, "GET", ArtifactsOf(repository), await site.AddUserAsync(project, 0));
        await site.ExpectAsync(200, "GET", ArtifactsOf(repository), await site.AddUserAsync(project, 5));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_project_lists_the_artifacts_of_all_its_repositories(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync(isPublic: true);
        await site.PushAsync($"{project}/a", "v1", TestImage.New(1));
        await site.PushAsync($"{project}/a", "v2", TestImage.New(2));
        await site.PushAsync($"{project}/b", "v1", TestImage.New(3));
        var path = $"/api/v2.0/projects/{project}/artifacts";

        var (items, total) = await site.ListAsync(path + "?page_size=2");
        Assert.Equal(("3", $"{project}/b"), (total, items[0]!["repository_name"]!.GetValue<string>()));
        Assert.Equal("2", (await site.ListAsync(path + "?q=tags%3Dv1")).Total);
        Assert.Equal("2", (await site.ListAsync(path + $"?q=repository_name%3D{project}/a")).Total);

        var type = Uri.EscapeDataString(MediaTypes.OciConfig);
        var (latest, repositories) = await site.ListAsync(path + $"?latest_in_repository=true&q=media_type%3D{type}");
        Assert.Equal("2", repositories);
        Assert.Equal([TestImage.New(3).Digest.Value, TestImage.New(2).Digest.Value], latest.Select(a => a!["digest"]!.GetValue<string>()));
        Assert.Equal("2", (await site.ListAsync(path + $"?latest_in_repository=true&q=artifact_type%3D{type}")).Total);
        await site.ExpectAsync(400, "GET", path + "?latest_in_repository=true");
        await site.ExpectAsync(400, "GET", path + "?q=tags%3D[a~b]");
        await site.ExpectAsync(401, "GET", path, "");
        await site.ExpectAsync(404, "GET", "/api/v2.0/projects/none/artifacts");
        var hidden = await site.AddProjectAsync();
        await site.ExpectAsync(403, "GET", $"/api/v2.0/projects/{hidden}/artifacts", await site.AddUserAsync(project, 1));
    }
}
