using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class ArtifactCopyTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_copy_has_children_tags_and_accessories_and_can_be_pulled(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var (from, to) = (await site.AddProjectAsync(), await site.AddProjectAsync(isPublic: true));
        var source = $"{from}/team/app";
        var child = await site.PushAsync(source, TestImage.New(21).Digest.Value, TestImage.New(21));
        var index = await site.PushAsync(source, "v1", TestImage.Index([child]));
        await site.PushAsync(source, "stable", index);
        var signature = TestImage.Artifact(child.Descriptor, "application/vnd.dev.cosign.artifact.sig.v1+json");
        await site.PushAsync(source, signature.Digest.Value, signature);
        var old = index.Digest.Value.Replace(':', '-') + ".sig";
        await site.PushAsync(source, old, TestImage.New(22));

        var answer = await site.ExpectAsync(201, "POST", ArtifactsOf($"{to}/deep/copy", $"?from={source}:v1"));
        Assert.EndsWith("/artifacts/v1", answer.Header("Location"));

        var shown = await site.App.GetAsync(ArtifactsOf($"{to}/deep/copy", "/stable"));
        Assert.Equal(["stable", "v1"], shown["tags"]!.AsArray().Select(t => t!["name"]!.GetValue<string>()).Order());
        Assert.Single(shown["accessories"]!.AsArray());
        Assert.Single((await site.ListAsync(ArtifactsOf($"{to}/deep/copy", $"/{child.Digest}/accessories"))).Items);
        Assert.Equal("1", (await site.ListAsync(ArtifactsOf($"{to}/deep/copy"))).Total);
        var header = PlatformApp.As("admin");
        foreach (var path in (string[])[$"manifests/{child.Digest}", $"manifests/{signature.Digest}", $"manifests/{old}", $"blobs/{Oci.Digest.Of(child.Blobs[2])}"])
            Assert.Equal(200, (await site.App.Registry.GetAsync($"/v2/{to}/deep/copy/{path}", header)).Status);
        Assert.Equal(await site.NumberAsync($"SELECT used_bytes FROM projects WHERE name = '{from}'"), await site.NumberAsync($"SELECT used_bytes FROM projects WHERE name = '{to}'"));

        // Again: nothing to do, and by digest, with and without a tag beside it.
        await site.ExpectAsync(201, "POST", ArtifactsOf($"{to}/deep/copy", $"?from={source}@{index.Digest}"));
        await site.ExpectAsync(201, "POST", ArtifactsOf($"{to}/other", $"?from={source}:v1@{index.Digest}"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_cannot_be_copied_is_refused_and_leaves_nothing(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var (from, to) = (await site.AddProjectAsync(), await site.AddProjectAsync());
        var image = await site.PushAsync($"{from}/app", "v1", TestImage.New(31));
        var signature = TestImage.Artifact(image.Descriptor, "application/vnd.dev.cosign.artifact.sig.v1+json");
        await site.PushAsync($"{from}/app", signature.Digest.Value, signature);
        foreach (var wrong in (string[])["", "app", $"{from}/app", $"{from}/app:", $"{from}/app@sha256:12", "UPPER/app:v1"])
            await site.ExpectAsync(400, "POST", ArtifactsOf($"{to}/app", "?from=" + Uri.EscapeDataString(wrong)));
        await site.ExpectAsync(400, "POST", ArtifactsOf($"{to}/UPPER", $"?from={from}/app:v1"));
        await site.ExpectAsync(404, "POST", ArtifactsOf($"{to}/app", $"?from={from}/app:v2"));
        await site.ExpectAsync(404, "POST", ArtifactsOf($"{to}/app", $"?from={from}/none:v1"));
        await site.ExpectAsync(404, "POST", ArtifactsOf($"{to}/app", "?from=no-such/app:v1"));
        Assert.Equal("DENIED", (await site.ExpectAsync(403, "POST", ArtifactsOf($"{to}/app", $"?from={from}/app@{signature.Digest}"))).Code);

        var path = ArtifactsOf($"{to}/app", $"?from={from}/app:v1");
        await site.ExpectAsync(401, "POST", path, "");
        await site.ExpectAsync(403, "POST", path, await site.AddUserAsync(to, 3));
        // May write there, may not read here.
        await site.ExpectAsync(403, "POST", path, await site.AddUserAsync(to, 2));
        await site.ExpectAsync(404, "GET", RepositoryOf($"{to}/app"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Quota_and_immutable_tags_hold_for_copies(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var (from, small) = (await site.AddProjectAsync(), await site.AddProjectAsync(quota: 1000));
        await site.PushAsync($"{from}/app", "v1", TestImage.New(41));
        Assert.Equal("DENIED", (await site.ExpectAsync(403, "POST", ArtifactsOf($"{small}/app", $"?from={from}/app:v1"))).Code);
        Assert.Equal(0, await site.NumberAsync($"SELECT used_bytes FROM projects WHERE name = '{small}'"));
        await site.ExpectAsync(404, "GET", RepositoryOf($"{small}/app"));

        var kept = await site.AddProjectAsync();
        await site.PushAsync($"{kept}/app", "v1", TestImage.New(42));
        await site.AddImmutableRuleAsync(kept, "app", "v*");
        await site.ExpectAsync(412, "POST", ArtifactsOf($"{kept}/app", $"?from={from}/app:v1"));
        Assert.Equal("1", (await site.ListAsync(ArtifactsOf($"{kept}/app"))).Total);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_developer_of_both_projects_copies(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var (from, to) = (await site.AddProjectAsync(), await site.AddProjectAsync());
        await site.PushAsync($"{from}/app", "v1", TestImage.New(51));
        var user = await site.AddUserAsync(to, 2);
        await site.SqlAsync($"INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) SELECT p.id, 1, u.id, 3, 1 FROM projects p, users u WHERE p.name = '{from}' AND u.name = '{user}'", announce: true);
        await site.ExpectAsync(201, "POST", ArtifactsOf($"{to}/app", $"?from={from}/app:v1"), user);
        var (moves, _) = (await site.App.GetAsync(Ours($"{to}/app", "/history")), 0);
        Assert.Equal(user, moves["items"]![0]!["actor"]!.GetValue<string>());
    }
}
