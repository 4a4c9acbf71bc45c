using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Lifecycle;

/// <summary>Stages, and promotion from one repository to another.</summary>
public sealed class PromotionTests
{
    private const string Promote = "/api/berth/v1/projects/prod/repositories/shop/promotions";
    private static readonly (string, string) s_admin = PlatformApp.As("admin");

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Several_tags_are_promoted_at_once_with_what_belongs_to_them_or_not_at_all(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (image, child) = (TestImage.New(1), TestImage.New(2));
        var index = TestImage.Index([child]);
        var (sbom, signature, old) = (TestImage.Artifact(image.Descriptor, "application/spdx+json"), TestImage.Artifact(child.Descriptor, "application/vnd.dev.cosign.artifact.sig.v1+json"), TestImage.Artifact(null, null, 5));
        await app.PushAsync("dev/app", "rc1", image);
        await app.PushAsync("dev/app", "build-7", image);
        await app.PushAsync("dev/app", child.Digest.Value, child);
        await app.PushAsync("dev/app", "multi", index);
        await app.PushAsync("dev/app", sbom.Digest.Value, sbom);
        await app.PushAsync("dev/app", signature.Digest.Value, signature);
        await app.PushAsync("dev/app", image.Digest.Value.Replace(':', '-') + ".sig", old);

        var answer = await app.CallAsync("POST", Promote, body: """{"from":"dev/app","tags":[{"from":"rc1","to":"v1.0.0"},{"from":"rc1","to":"v1"},{"from":"multi"}],"stage":"release"}""");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(6, answer.Json["manifests"]!.GetValue<int>());
        Assert.Equal([image.Digest.Value, image.Digest.Value, index.Digest.Value], answer.Json["tags"]!.AsArray().Select(t => t!["digest"]!.GetValue<string>()));
        foreach (var (tag, bytes) in new[] { ("v1.0.0", image.Manifest), ("v1", image.Manifest), ("multi", index.Manifest), (child.Digest.Value, child.Manifest), (image.Digest.Value.Replace(':', '-') + ".sig", old.Manifest) })
            Assert.Equal(bytes, (await app.Registry.GetAsync($"/v2/prod/shop/manifests/{tag}", s_admin)).MustBe(200).Body);
        foreach (var blob in image.Blobs) Assert.Equal(200, (await app.Registry.HeadAsync($"/v2/prod/shop/blobs/{Oci.Digest.Of(blob)}", s_admin)).Status);
        foreach (var (subject, referrer) in new[] { (image, sbom), (child, signature) })
            Assert.Contains(referrer.Digest.Value, (await app.Registry.GetAsync($"/v2/prod/shop/referrers/{subject.Digest}", s_admin)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("build-7", (await app.Registry.GetAsync("/v2/prod/shop/tags/list", s_admin)).Text, StringComparison.Ordinal);
        foreach (var tag in new[] { "v1", "multi" }) Assert.Equal("release", await StageAsync(app, "prod", "shop", tag));
        Assert.Null(await StageAsync(app, "dev", "app", "rc1"));

        // Once more it is the same; one tag that is taken refuses both.
        Assert.Equal(200, (await app.CallAsync("POST", Promote, body: """{"from":"dev/app","tags":[{"from":"rc1","to":"v1"}]}""")).Status);
        await app.PushAsync("dev/app", "rc2", TestImage.New(3));
        const string Both = """{"from":"dev/app","tags":[{"from":"rc2","to":"v2"},{"from":"rc2","to":"v1"}]""";
        var taken = await app.CallAsync("POST", Promote, body: Both + "}");
        Assert.Equal(409, taken.Status);
        Assert.Contains("the tag v1 of prod/shop", taken.Message, StringComparison.Ordinal);
        Assert.Equal(404, (await app.Registry.GetAsync("/v2/prod/shop/manifests/v2", s_admin)).Status);
        Assert.Equal(200, (await app.CallAsync("POST", Promote, body: Both + ",\"overwrite\":true}")).Status);
        Assert.Equal(TestImage.New(3).Manifest, (await app.Registry.GetAsync("/v2/prod/shop/manifests/v1", s_admin)).MustBe(200).Body);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Rights_on_both_sides_immutability_and_quota_hold(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("dev/app", "rc1", TestImage.New(1));
        await app.PushAsync("dev/app", "rc2", TestImage.New(2));
        const string Body = """{"from":"dev/app","tags":[{"from":"rc1","to":"v1"}]}""";
        await app.AddUserAsync("reader");
        await app.AddMemberAsync("dev", "reader", 3);
        await app.AddUserAsync("writer");
        await app.AddMemberAsync("prod", "writer", 2);
        foreach (var user in new[] { "reader", "writer" }) Assert.Equal(403, (await app.CallAsync("POST", Promote, user, Body)).Status);
        await app.AddMemberAsync("dev", "writer", 3);
        Assert.Equal(200, (await app.CallAsync("POST", Promote, "writer", Body)).Status);
        // To keep something for good takes more than to push.
        Assert.Equal(403, (await app.CallAsync("POST", Promote, "writer", """{"from":"dev/app","tags":[{"from":"rc1","to":"v1"}],"stage":"archived"}""")).Status);

        await app.CreateAsync("/api/v2.0/projects/prod/immutabletagrules", """{"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"v*"}],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]}}""");
        var kept = await app.CallAsync("POST", Promote, body: """{"from":"dev/app","tags":[{"from":"rc2","to":"v1"}],"overwrite":true}""");
        Assert.Equal(412, kept.Status);
        var quota = (await app.GetAsync("/api/v2.0/quotas?page_size=100")).AsArray().Single(q => q!["ref"]!["name"]!.GetValue<string>() == "prod")!["id"]!.GetValue<long>();
        Assert.Equal(200, (await app.CallAsync("PUT", $"/api/v2.0/quotas/{quota}", body: """{"hard":{"storage":100000}}""")).Status);
        Assert.Equal(403, (await app.CallAsync("POST", Promote, body: """{"from":"dev/app","tags":[{"from":"rc2","to":"x"}]}""")).Status);
        Assert.Equal(404, (await app.Registry.GetAsync("/v2/prod/shop/manifests/x", s_admin)).Status);
        foreach (var (body, status) in new[]
        {
            ("""{"from":"dev/app","tags":[{"from":"none"}]}""", 404), ("""{"from":"dev/none","tags":[{"from":"rc1"}]}""", 404), ("""{"from":"dev/app","tags":[]}""", 400), ("""{"from":"dev/app","tags":[{"from":"-"}]}""", 400),
            ("""{"from":"dev/app","tags":[{"from":"rc1"}],"stage":"beta"}""", 400), ("""{"from":"dev/app","tags":[{"from":"rc1"},{"from":"rc2","to":"rc1"}]}""", 400),
        }) Assert.Equal(status, (await app.CallAsync("POST", Promote, body: body)).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_artifact_has_one_stage_and_the_last_one_archives_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("dev/app", "v1", TestImage.New(1));
        foreach (var stage in new[] { "development", "test" })
        {
            Assert.Equal(200, (await SetAsync(app, $"\"{stage}\"")).Status);
            Assert.Equal(stage, await StageAsync(app, "dev", "app", "v1"));
        }
        var labels = (await app.GetAsync("/api/v2.0/projects/dev/repositories/app/artifacts/v1?with_label=true"))["labels"]!.AsArray();
        Assert.Equal(["stage:test"], labels.Select(l => l!["name"]!.GetValue<string>()));
        Assert.Equal(400, (await SetAsync(app, "\"beta\"")).Status);

        Assert.Equal(200, (await SetAsync(app, "\"archived\"")).Status);
        Assert.Equal(403, (await app.Registry.DeleteAsync("/v2/dev/app/manifests/v1", s_admin)).Status);
        Assert.Equal(403, (await SetAsync(app, "\"release\"")).Status);
        Assert.Equal(204, (await app.CallAsync("DELETE", "/api/berth/v1/projects/dev/repositories/app/artifacts/v1/archive")).Status);
        Assert.Null(await StageAsync(app, "dev", "app", "v1"));
        Assert.Equal(200, (await SetAsync(app, "\"release\"")).Status);
        Assert.Equal(200, (await SetAsync(app, "null")).Status);
        Assert.Null(await StageAsync(app, "dev", "app", "v1"));
        Assert.Equal(202, (await app.Registry.DeleteAsync("/v2/dev/app/manifests/v1", s_admin)).Status);
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind)
    {
        var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("dev");
        await app.AddProjectAsync("prod");
        return app;
    }

    private static Task<ApiAnswer> SetAsync(PlatformApp app, string stage) => app.CallAsync("PUT", "/api/berth/v1/projects/dev/repositories/app/artifacts/v1/stage", body: $$"""{"stage":{{stage}}}""");

    private static async Task<string?> StageAsync(PlatformApp app, string project, string repository, string tag) =>
        (await app.GetAsync($"/api/berth/v1/projects/{project}/repositories/{repository}/artifacts/{tag}/stage"))["stage"]?.GetValue<string>();
}
