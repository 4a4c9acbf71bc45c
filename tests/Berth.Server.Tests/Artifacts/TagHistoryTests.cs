using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class TagHistoryTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Every_move_is_listed_and_can_be_taken_back(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/team/app";
        var (first, second) = (await site.PushAsync(repository, "live", TestImage.New(1)), await site.PushAsync(repository, "live", TestImage.New(2)));
        await site.PushAsync(repository, "other", TestImage.New(3));

        var history = await site.App.GetAsync(Ours(repository, "/tags/live/history?page_size=1"));
        var move = Assert.Single(history["items"]!.AsArray())!;
        Assert.Equal((second.Digest.Value, first.Digest.Value, "admin", "live"),
            (move["digest"]!.GetValue<string>(), move["previous_digest"]!.GetValue<string>(), move["actor"]!.GetValue<string>(), move["tag"]!.GetValue<string>()));
        Assert.Contains("127.0.0.1", move["address"]!.GetValue<string>());
        var older = await site.App.GetAsync(Ours(repository, $"/tags/live/history?page_size=1&before={history["next"]}"));
        Assert.Null(older["next"]);
        Assert.Null(older["items"]![0]!["previous_digest"]);
        Assert.Equal(3, (await site.App.GetAsync(Ours(repository, "/history")))["items"]!.AsArray().Count);

        var developer = await site.AddUserAsync(project, 2);
        var rolled = await site.ExpectAsync(200, "POST", Ours(repository, "/tags/live/rollback"), developer, $$"""{"digest":"{{first.Digest}}"}""");
        Assert.Equal(first.Digest.Value, rolled.Json["digest"]!.GetValue<string>());
        Assert.Equal(first.Digest.Value, (await site.App.GetAsync(ArtifactsOf(repository, "/live")))["digest"]!.GetValue<string>());
        Assert.Equal(developer, (await site.App.GetAsync(Ours(repository, "/tags/live/history")))["items"]![0]!["actor"]!.GetValue<string>());
        await site.ExpectAsync(200, "POST", Ours(repository, "/tags/live/rollback"), body: $$"""{"history_id":{{move["id"]}}}""");
        Assert.Equal(second.Digest.Value, (await site.App.GetAsync(ArtifactsOf(repository, "/live")))["digest"]!.GetValue<string>());

        // A tag that was deleted comes back.
        await site.ExpectAsync(200, "DELETE", ArtifactsOf(repository, "/live/tags/live"));
        Assert.Null((await site.App.GetAsync(Ours(repository, "/tags/live/history")))["items"]![0]!["digest"]);
        await site.ExpectAsync(200, "POST", Ours(repository, "/tags/live/rollback"), body: $$"""{"digest":"{{second.Digest}}"}""");
        await site.ExpectAsync(200, "GET", ArtifactsOf(repository, "/live"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_rollback_keeps_to_the_rules_of_a_push(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        var first = await site.PushAsync(repository, "v1", TestImage.New(1));
        await site.PushAsync(repository, "v1", TestImage.New(2));
        var path = Ours(repository, "/tags/v1/rollback");
        foreach (var body in (string[])["{}", """{"digest":"x"}""", $$"""{"digest":"{{first.Digest}}","history_id":1}"""])
            Assert.Equal("application/problem+json", (await site.ExpectAsync(400, "POST", path, body: body)).Header("Content-Type"));
        await site.ExpectAsync(404, "POST", path, body: $$"""{"digest":"{{TestImage.New(7).Digest}}"}""");
        await site.ExpectAsync(404, "POST", path, body: """{"history_id":999999999}""");
        await site.ExpectAsync(404, "POST", Ours($"{project}/none", "/tags/v1/rollback"), body: $$"""{"digest":"{{first.Digest}}"}""");
        await site.ExpectAsync(403, "POST", path, await site.AddUserAsync(project, 3), $$"""{"digest":"{{first.Digest}}"}""");
        await site.ExpectAsync(401, "POST", path, "", $$"""{"digest":"{{first.Digest}}"}""");

        await site.AddImmutableRuleAsync(project, "app", "v1");
        await site.ExpectAsync(412, "POST", path, body: $$"""{"digest":"{{first.Digest}}"}""");

        await site.PushAsync(repository, "moving", TestImage.New(4));
        await site.PushAsync(repository, "moving", TestImage.New(5));
        await site.ExpectAsync(200, "DELETE", ArtifactsOf(repository, $"/{TestImage.New(4).Digest}"));
        await site.ExpectAsync(404, "POST", Ours(repository, "/tags/moving/rollback"), body: $$"""{"digest":"{{TestImage.New(4).Digest}}"}""");

        await site.ExpectAsync(404, "GET", Ours($"{project}/none", "/history"));
        await site.ExpectAsync(400, "GET", Ours(repository, "/history?before=x"));
        await site.ExpectAsync(401, "GET", Ours(repository, "/history"), "");
        await site.ExpectAsync(403, "GET", Ours(repository, "/tags/v1/history"), await site.AddUserAsync(project, 0));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Usage_tells_what_a_deletion_would_free(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var layer = RegistryTests.Bytes(5000, 77);
        const string Type = "application/vnd.oci.image.layer.v1.tar+gzip";
        var one = ImageWith(new() { ["n"] = 1 }, layers: [(Type, layer, null), (Type, RegistryTests.Bytes(300, 78), null)]);
        var two = ImageWith(new() { ["n"] = 2 }, layers: (Type, layer, null));
        await site.PushAsync($"{project}/app", "one", one);
        await site.PushAsync($"{project}/app", "two", two);

        var usage = await site.App.GetAsync(Ours($"{project}/app", "/artifacts/one/usage"));
        Assert.Equal(5000, usage["shared_bytes"]!.GetValue<long>());
        Assert.Equal(one.Manifest.Length + one.Blobs[0].Length + 300, usage["unique_bytes"]!.GetValue<long>());
        var whole = await site.App.GetAsync(Ours($"{project}/app", "/usage"));
        Assert.Equal((0L, 2L, 4L), (whole["shared_bytes"]!.GetValue<long>(), whole["manifest_count"]!.GetValue<long>(), whole["blob_count"]!.GetValue<long>()));
        Assert.Equal(await site.NumberAsync($"SELECT used_bytes FROM projects WHERE name = '{project}'"), whole["total_bytes"]!.GetValue<long>());

        // Children that only this index lists go with it.
        await site.PushAsync($"{project}/multi", TestImage.New(5).Digest.Value, TestImage.New(5));
        await site.PushAsync($"{project}/multi", "m", TestImage.Index([TestImage.New(5)]));
        var before = await site.NumberAsync($"SELECT used_bytes FROM projects WHERE name = '{project}'");
        var index = await site.App.GetAsync(Ours($"{project}/multi", "/artifacts/m/usage"));
        Assert.Equal(0, index["shared_bytes"]!.GetValue<long>());
        await site.ExpectAsync(200, "DELETE", ArtifactsOf($"{project}/multi", "/m"));
        Assert.Equal(before - index["unique_bytes"]!.GetValue<long>(), await site.NumberAsync($"SELECT used_bytes FROM projects WHERE name = '{project}'"));

        foreach (var path in (string[])["/artifacts/one/usage", "/usage"])
        {
            await site.ExpectAsync(401, "GET", Ours($"{project}/app", path), "");
            await site.ExpectAsync(403, "GET", Ours($"{project}/app", path), await site.AddUserAsync(project, 0));
            await site.ExpectAsync(404, "GET", Ours($"{project}/none", path));
        }
        await site.ExpectAsync(404, "GET", Ours($"{project}/app", "/artifacts/three/usage"));
    }
}
