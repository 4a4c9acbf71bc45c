using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Lifecycle;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Berth.Server.Trash;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Lifecycle;

/// <summary>Tags that end by themselves.</summary>
public sealed class ExpiryTests
{
    private const string Tags = "/api/berth/v1/projects/p/repositories/app/tags";
    private static readonly (string, string) s_admin = PlatformApp.As("admin");

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [InlineData("30s", 30)]
    [InlineData("5m", 300)]
    [InlineData("1h", 3600)]
    [InlineData("2d", 2 * 86400)]
    [InlineData("3w", 3 * 604800)]
    [InlineData("0d", null)]
    [InlineData("-1d", null)]
    [InlineData("1.5h", null)]
    [InlineData("1y", null)]
    [InlineData("d", null)]
    [InlineData("", null)]
    [InlineData("99999999999w", null)]
    public void A_duration_is_read_as_Quay_reads_it(string text, int? seconds)
    {
        Assert.Equal(seconds is not null, TagExpiry.TryParse(text, out var span));
        Assert.Equal(seconds ?? 0, span.TotalSeconds);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_expired_tag_is_gone_at_once_and_goes_through_the_trash(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (image, shared) = (TestImage.New(1), TestImage.New(2));
        await app.PushAsync("p/app", "tmp", image);
        await app.PushAsync("p/app", "v1", shared);
        await app.PushAsync("p/app", "rc", shared);
        var used = await UsedAsync(app);
        foreach (var tag in new[] { "tmp", "rc" }) await ExpireAsync(app, tag, "1s");
        await GoneAsync(app, "tmp");
        await GoneAsync(app, "rc");
        Assert.Equal("""{"name":"p/app","tags":["v1"]}""", (await app.Registry.GetAsync("/v2/p/app/tags/list", s_admin)).Text);
        Assert.Equal(404, (await app.Registry.HeadAsync("/v2/p/app/manifests/tmp", s_admin)).Status);
        // By digest it is still there: only the tag has ended.
        Assert.Equal(200, (await app.Registry.GetAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).Status);

        await RunAsync(app);
        Assert.Equal(404, (await app.Registry.GetAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).Status);
        Assert.Equal(200, (await app.Registry.GetAsync("/v2/p/app/manifests/v1", s_admin)).Status);
        Assert.True(await UsedAsync(app) < used);
        var trash = (await app.GetAsync("/api/berth/v1/projects/p/trash"))["items"]!.AsArray();
        Assert.Equal(["rc", "tmp"], trash.Select(i => i!["tag"]!.GetValue<string>()).Order());
        Assert.All(trash, i => Assert.Equal("expiry", i!["actor"]!.GetValue<string>()));

        // Back again it has no end.
        var entry = trash.Single(i => i!["tag"]!.GetValue<string>() == "tmp")!["id"]!.GetValue<long>();
        Assert.Equal(200, (await app.CallAsync("POST", $"/api/berth/v1/projects/p/trash/{entry}/restore")).Status);
        Assert.Equal(image.Manifest, (await app.Registry.GetAsync("/v2/p/app/manifests/tmp", s_admin)).MustBe(200).Body);
        Assert.Null((await app.GetAsync($"{Tags}/tmp/expiry"))["expires_at"]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_annotation_sets_the_end_at_the_push_and_every_push_sets_it_anew(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var before = TimeProvider.System.GetUtcNow();
        await app.PushAsync("p/app", "pr-1", Annotated(1, TagExpiry.Annotation, "2d"));
        await app.PushAsync("p/app", "pr-2", Annotated(2, TagExpiry.QuayLabel, "1h"));
        await app.PushAsync("p/app", "pr-3", Annotated(3, TagExpiry.Annotation, (before + TimeSpan.FromDays(1)).ToString("o")));
        Assert.InRange(await EndAsync(app, "pr-1") - before, TimeSpan.FromDays(1.99), TimeSpan.FromDays(2.01));
        Assert.InRange(await EndAsync(app, "pr-2") - before, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(65));
        Assert.InRange(await EndAsync(app, "pr-3") - before, TimeSpan.FromDays(0.99), TimeSpan.FromDays(1.01));
        var shown = (await app.GetAsync("/api/v2.0/projects/p/repositories/app/artifacts/pr-1"))["tags"]![0]!;
        Assert.Equal(await EndAsync(app, "pr-1"), DateTimeOffset.Parse(shown["expires_at"]!.GetValue<string>()));

        var odd = Annotated(4, TagExpiry.Annotation, "soon");
        foreach (var blob in odd.Blobs) await app.Registry.PostAsync($"/v2/p/app/blobs/uploads/?digest={Digest.Of(blob)}", blob, s_admin);
        var answer = await app.Registry.PutManifestAsync("p/app", "pr-4", odd.Manifest, odd.MediaType, s_admin);
        Assert.Equal(201, answer.Status);
        Assert.Contains("berth.expires-after", answer.Header("Warning"), StringComparison.Ordinal);
        Assert.Null((await app.GetAsync($"{Tags}/pr-4/expiry"))["expires_at"]);

        // The tag moves to an image that says nothing: it stays. The same image again under another end: that end.
        await app.PushAsync("p/app", "pr-1", TestImage.New(9));
        Assert.Null((await app.GetAsync($"{Tags}/pr-1/expiry"))["expires_at"]);
        await ExpireAsync(app, "pr-2", "5d");
        await app.PushAsync("p/app", "pr-2", Annotated(2, TagExpiry.QuayLabel, "1h"));
        Assert.InRange(await EndAsync(app, "pr-2") - before, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(65));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_label_of_an_image_sets_the_end_where_the_project_asks_for_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("p/app", "before", Labelled(1));
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/berth/v1/projects/p/expiry", body: """{"from_labels":true}""")).Status);
        Assert.True((await app.GetAsync("/api/berth/v1/projects/p/expiry"))["from_labels"]!.GetValue<bool>());
        var before = TimeProvider.System.GetUtcNow();
        await app.PushAsync("p/app", "after", Labelled(2));
        await Eventually.TrueAsync(async () => (await app.GetAsync($"{Tags}/after/expiry"))["expires_at"] is not null, "the label was read");
        Assert.InRange(await EndAsync(app, "after") - before, TimeSpan.FromDays(20.9), TimeSpan.FromDays(21.1));
        Assert.Null((await app.GetAsync($"{Tags}/before/expiry"))["expires_at"]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_may_not_be_deleted_does_not_expire(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("p/app", "locked", TestImage.New(1));
        await app.PushAsync("p/app", "late", TestImage.New(2));
        await app.PushAsync("p/app", "kept", TestImage.New(3));
        Assert.Equal(200, (await app.CallAsync("PUT", $"{Tags}/locked/locks", body: """{"delete":true}""")).Status);
        Assert.Equal(412, (await app.CallAsync("PUT", $"{Tags}/locked/expiry", body: """{"expires_after":"1d"}""")).Status);
        foreach (var body in new[] { "{}", """{"expires_after":"1x"}""", """{"expires_at":"2001-01-01T00:00:00Z"}""", """{"expires_after":"1d","expires_at":"2999-01-01T00:00:00Z"}""" })
            Assert.Equal(400, (await app.CallAsync("PUT", $"{Tags}/late/expiry", body: body)).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", $"{Tags}/none/expiry", body: """{"expires_after":"1d"}""")).Status);
        await app.AddUserAsync("dev");
        await app.AddMemberAsync("p", "dev", 2);
        Assert.Equal(403, (await app.CallAsync("PUT", $"{Tags}/late/expiry", "dev", """{"expires_after":"1d"}""")).Status);

        // A lock that comes after the end was set wins, and the tag is there again.
        await ExpireAsync(app, "late", "3s");
        Assert.Equal(200, (await app.CallAsync("PUT", $"{Tags}/late/locks", body: """{"delete":true}""")).Status);
        await GoneAsync(app, "late");
        await RunAsync(app);
        Assert.Equal(200, (await app.Registry.GetAsync("/v2/p/app/manifests/late", s_admin)).Status);
        Assert.Null((await app.GetAsync($"{Tags}/late/expiry"))["expires_at"]);

        await ExpireAsync(app, "kept", "1d");
        Assert.Equal(204, (await app.CallAsync("DELETE", $"{Tags}/kept/expiry")).Status);
        Assert.Null((await app.GetAsync($"{Tags}/kept/expiry"))["expires_at"]);
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind)
    {
        var app = await PlatformApp.StartAsync(kind, o => o with { Trash = new TrashOptions() });
        await app.AddProjectAsync("p");
        return app;
    }

    private static TestImage Annotated(int seed, string name, string value) => TestImage.New(seed, more: new JsonObject { ["annotations"] = new JsonObject { [name] = value } });

    private static TestImage Labelled(int seed)
    {
        var json = new JsonObject { ["architecture"] = "amd64", ["os"] = "linux", ["seed"] = seed, ["config"] = new JsonObject { ["Labels"] = new JsonObject { [TagExpiry.QuayLabel] = "3w" } } };
        var config = Encoding.UTF8.GetBytes(json.ToJsonString());
        var image = TestImage.New(seed, more: new JsonObject { ["config"] = new JsonObject { ["mediaType"] = MediaTypes.OciConfig, ["digest"] = Digest.Of(config).Value, ["size"] = config.Length } });
        return image with { Blobs = [config, .. image.Blobs.Skip(1)] };
    }

    private static async Task ExpireAsync(PlatformApp app, string tag, string after)
    {
        var answer = await app.CallAsync("PUT", $"{Tags}/{tag}/expiry", body: $$"""{"expires_after":"{{after}}"}""");
        Assert.True(answer.Status == 200, answer.Body);
    }

    private static async Task<DateTimeOffset> EndAsync(PlatformApp app, string tag) => DateTimeOffset.Parse((await app.GetAsync($"{Tags}/{tag}/expiry"))["expires_at"]!.GetValue<string>());

    private static Task GoneAsync(PlatformApp app, string tag) =>
        Eventually.TrueAsync(async () => (await app.Registry.GetAsync($"/v2/p/app/manifests/{tag}", s_admin)).Status == 404, $"{tag} has expired");

    private static async Task RunAsync(PlatformApp app)
    {
        var watch = app.Services.GetRequiredService<ExpiryWatch>();
        await watch.LookAsync(CancellationToken.None);
        await Eventually.TrueAsync(async () => !await watch.IsDueAsync(CancellationToken.None), "nothing is expired any more");
    }

    private static async Task<long> UsedAsync(PlatformApp app) => (await app.GetAsync("/api/v2.0/projects/p/summary"))["quota"]!["used"]!["storage"]!.GetValue<long>();
}
