using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class ArtifactApiTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    private static JsonObject Config => new()
    {
        ["created"] = "2024-05-01T10:00:00Z",
        ["architecture"] = "arm64",
        ["os"] = "linux",
        ["secret"] = "not shown",
        ["config"] = new JsonObject { ["Env"] = new JsonArray("A=1"), ["Labels"] = new JsonObject { ["maintainer"] = "ann" }, ["Odd"] = 1 },
        ["history"] = new JsonArray(new JsonObject { ["created_by"] = "COPY . ." }),
    };

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_image_is_shown_with_everything_that_is_known_of_it(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/team/app";
        var image = ImageWith(Config, annotations: new JsonObject { ["org.example"] = "x" }, layers: ("application/vnd.oci.image.layer.v1.tar+gzip", RegistryTests.Bytes(700), null));
        await site.PushAsync(repository, "v1", image);
        await site.PushAsync(repository, "stable", image);
        await site.AddImmutableRuleAsync(project, "**", "stable");

        foreach (var reference in (string[])["v1", image.Digest.Value])
        {
            var shown = await site.App.GetAsync(ArtifactsOf(repository, $"/{reference}?with_immutable_status=true&with_label=true&with_scan_overview=true"));
            Assert.Equal(image.Digest.Value, shown["digest"]!.GetValue<string>());
            Assert.Equal("IMAGE", shown["type"]!.GetValue<string>());
            Assert.Equal("application/vnd.oci.image.config.v1+json", shown["media_type"]!.GetValue<string>());
            Assert.Equal("application/vnd.oci.image.manifest.v1+json", shown["manifest_media_type"]!.GetValue<string>());
            Assert.Equal(image.Manifest.Length + image.Blobs.Sum(b => b.Length), shown["size"]!.GetValue<long>());
            Assert.Equal(repository, shown["repository_name"]!.GetValue<string>());
            Assert.Equal("x", shown["annotations"]!["org.example"]!.GetValue<string>());
            Assert.Equal("0001-01-01T00:00:00.000Z", shown["pull_time"]!.GetValue<string>());
            var tags = shown["tags"]!.AsArray();
            Assert.Equal(["stable", "v1"], tags.Select(t => t!["name"]!.GetValue<string>()).Order());
            Assert.Equal([true, false], tags.OrderBy(t => t!["name"]!.GetValue<string>(), StringComparer.Ordinal).Select(t => t!["immutable"]!.GetValue<bool>()));
            Assert.Equal(2, tags.Select(t => t!["id"]!.GetValue<long>()).Distinct().Count());
            var extra = shown["extra_attrs"]!;
            Assert.Equal(("arm64", "linux", "ann"), (extra["architecture"]!.GetValue<string>(), extra["os"]!.GetValue<string>(), extra["author"]!.GetValue<string>()));
            Assert.Equal("A=1", extra["config"]!["Env"]![0]!.GetValue<string>());
            Assert.Null(extra["config"]!["Odd"]);
            Assert.Null(extra["secret"]);
            Assert.Equal($"/api/v2.0/projects/{project}/repositories/team%252Fapp/artifacts/{image.Digest}/additions/build_history",
                shown["addition_links"]!["build_history"]!["href"]!.GetValue<string>());
            Assert.Equal("svg", (await site.App.GetAsync("/api/v2.0/icons/" + shown["icon"]!.GetValue<string>()))["content-type"]!.GetValue<string>()[6..9]);
        }
        Assert.Null((await site.App.GetAsync(ArtifactsOf(repository, "/v1?with_tag=false")))["tags"]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_is_not_there_or_not_allowed_is_refused(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        await site.PushAsync($"{project}/app", "v1", TestImage.New());
        Assert.Equal($"artifact {project}/app:v2 not found", (await site.ExpectAsync(404, "GET", ArtifactsOf($"{project}/app", "/v2"))).Message);
        var digest = TestImage.New(99).Digest;
        Assert.Equal($"artifact {project}/app@{digest} not found", (await site.ExpectAsync(404, "GET", ArtifactsOf($"{project}/app", $"/{digest}"))).Message);
        await site.ExpectAsync(404, "GET", ArtifactsOf($"{project}/none", "/v1"));
        await site.ExpectAsync(401, "GET", ArtifactsOf($"{project}/app", "/v1"), "");
        await site.ExpectAsync(403, "GET", ArtifactsOf($"{project}/app", "/v1"), await site.AddUserAsync(project, 0));
        await site.ExpectAsync(400, "GET", "/api/v2.0/icons/nothing");
        await site.ExpectAsync(404, "GET", $"/api/v2.0/icons/{digest}");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_configuration_that_is_none_shows_nothing(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        byte[][] configs = ["[]"u8.ToArray(), "{"u8.ToArray(), [0x7b, 0x22, 0x6f, 0x73, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d], "{\"os\":\"\\ud800\"}"u8.ToArray(), "{\"os\":\"a\\u0000b\",\"config\":7,\"history\":3}"u8.ToArray()];
        for (var i = 0; i < configs.Length; i++)
        {
            var manifest = new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = Oci.MediaTypes.OciManifest,
                ["config"] = TestImage.Describe(Oci.MediaTypes.OciConfig, configs[i]),
                ["layers"] = new JsonArray(),
            };
            await site.PushAsync($"{project}/odd", $"v{i}", new TestImage(Oci.MediaTypes.OciManifest, System.Text.Encoding.UTF8.GetBytes(manifest.ToJsonString()), [configs[i]]));
            await site.ExpectAsync(200, "GET", ArtifactsOf($"{project}/odd", $"/v{i}"));
            await site.ExpectAsync(200, "GET", ArtifactsOf($"{project}/odd", $"/v{i}/additions/build_history"));
        }
        Assert.Equal(configs.Length, (await site.ListAsync(ArtifactsOf($"{project}/odd"))).Items.Count);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Deleting_by_tag_or_digest_takes_tags_children_and_accessories_along(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        var (shared, tagged, alone) = (TestImage.New(1), TestImage.New(2), TestImage.New(3));
        foreach (var child in (TestImage[])[shared, tagged, alone]) await site.PushAsync(repository, child.Digest.Value, child);
        await site.PushAsync(repository, "child", tagged);
        var index = await site.PushAsync(repository, "multi", TestImage.Index([shared, tagged, alone]));
        await site.PushAsync(repository, "multi2", index);
        await site.PushAsync(repository, "other", TestImage.Index([shared]));
        var signature = TestImage.Artifact(index.Descriptor, "application/vnd.dev.cosign.artifact.sig.v1+json");
        await site.PushAsync(repository, signature.Digest.Value, signature);
        var ofSignature = TestImage.Artifact(signature.Descriptor, "application/vnd.example");
        await site.PushAsync(repository, ofSignature.Digest.Value, ofSignature);
        await site.PushAsync(repository, index.Digest.Value.Replace(':', '-') + ".sig", TestImage.New(9));

        Assert.Equal("VIOLATE_FOREIGN_KEY_CONSTRAINT", (await site.ExpectAsync(412, "DELETE", ArtifactsOf(repository, "/child"))).Code);
        await site.ExpectAsync(200, "DELETE", ArtifactsOf(repository, "/multi"));

        foreach (var gone in (string[])["multi", "multi2", alone.Digest.Value, index.Digest.Value, signature.Digest.Value, ofSignature.Digest.Value, TestImage.New(9).Digest.Value])
            await site.ExpectAsync(404, "GET", ArtifactsOf(repository, "/" + gone));
        foreach (var kept in (string[])["child", "other", shared.Digest.Value]) await site.ExpectAsync(200, "GET", ArtifactsOf(repository, "/" + kept));
        Assert.Equal("2", (await site.ListAsync(ArtifactsOf(repository))).Total);
        await site.ExpectAsync(200, "DELETE", ArtifactsOf(repository, $"/{tagged.Digest}"));
        await site.ExpectAsync(404, "DELETE", ArtifactsOf(repository, "/child"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Immutable_and_locked_tags_keep_their_artifact(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var image = await site.PushAsync($"{project}/app", "release", TestImage.New(1));
        await site.PushAsync($"{project}/app", "other", image);
        await site.AddImmutableRuleAsync(project, "app", "release");
        Assert.Equal("PRECONDITION", (await site.ExpectAsync(412, "DELETE", ArtifactsOf($"{project}/app", "/other"))).Code);
        await site.ExpectAsync(412, "DELETE", ArtifactsOf($"{project}/app", $"/{image.Digest}"));
        await site.ExpectAsync(200, "GET", ArtifactsOf($"{project}/app", "/other"));
        // A signature can still be taken off.
        var signature = TestImage.Artifact(image.Descriptor, "application/vnd.dev.cosign.artifact.sig.v1+json");
        await site.PushAsync($"{project}/app", signature.Digest.Value, signature);
        await site.ExpectAsync(200, "DELETE", ArtifactsOf($"{project}/app", $"/{signature.Digest}"));

        await site.ExpectAsync(401, "DELETE", ArtifactsOf($"{project}/app", "/other"), "");
        await site.ExpectAsync(403, "DELETE", ArtifactsOf($"{project}/app", "/other"), await site.AddUserAsync(project, 2));
        await site.ExpectAsync(404, "DELETE", ArtifactsOf($"{project}/none", "/other"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Each_deletion_is_an_event(DatabaseKind kind)
    {
        var written = new List<RegistryEvent>();
        await using var app = await PlatformApp.StartAsync(kind, services: s => s.AddSingleton<IRegistryEventWriter>(new Recorder(written)));
        var site = new ArtifactSite(app);
        var project = await site.AddProjectAsync();
        var image = await site.PushAsync($"{project}/app", "v1", TestImage.New(1));
        var signature = TestImage.Artifact(image.Descriptor, "application/vnd.dev.cosign.artifact.sig.v1+json");
        await site.PushAsync($"{project}/app", signature.Digest.Value, signature);
        written.Clear();

        await site.ExpectAsync(200, "DELETE", ArtifactsOf($"{project}/app", "/v1"));

        Assert.All(written, e => Assert.Equal((RegistryEventAction.Delete, "admin"), (e.Action, e.Actor)));
        Assert.Equal([signature.Digest.Value, null, image.Digest.Value], written.Select(e => e.Digest));
    }

    private sealed class Recorder(List<RegistryEvent> written) : IRegistryEventWriter
    {
        public bool Wants(RegistryEventAction action) => action != RegistryEventAction.Pull;

        public ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
        {
            written.Add(registryEvent);
            return ValueTask.CompletedTask;
        }
    }
}
