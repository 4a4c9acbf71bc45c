using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class PullCountTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Gets_are_counted_and_their_time_is_shown_heads_are_not(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        var image = await site.PushAsync(repository, "v1", TestImage.New(1));
        await site.PushAsync(repository, "v2", image);
        var header = PlatformApp.As("admin");
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await site.App.Registry.GetAsync($"/v2/{repository}/manifests/v1", header)).Status);
        Assert.Equal(200, (await site.App.Registry.GetAsync($"/v2/{repository}/manifests/{image.Digest}", header)).Status);
        Assert.Equal(200, (await site.App.Registry.HeadAsync($"/v2/{repository}/manifests/v2", header)).Status);
        Assert.Equal(404, (await site.App.Registry.GetAsync($"/v2/{repository}/manifests/v3", header)).Status);
        await site.App.Services.GetRequiredService<PullCounts>().FlushAsync(CancellationToken.None);

        Assert.Equal(4, (await site.App.GetAsync(RepositoryOf(repository)))["pull_count"]!.GetValue<int>());
        Assert.Equal(4, await site.NumberAsync($"SELECT pull_count FROM manifests WHERE repository_id = (SELECT id FROM repositories WHERE name = '{repository}')"));
        var shown = await site.App.GetAsync(ArtifactsOf(repository, "/v1"));
        Assert.NotEqual("0001", shown["pull_time"]!.GetValue<string>()[..4]);
        var times = shown["tags"]!.AsArray().ToDictionary(t => t!["name"]!.GetValue<string>(), t => t!["pull_time"]!.GetValue<string>()[..4]);
        Assert.NotEqual("0001", times["v1"]);
        Assert.Equal("0001", times["v2"]);
        Assert.Equal("1", (await site.ListAsync(ArtifactsOf(repository, "?q=pull_time%3D[2001-01-01~]"))).Total);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Nothing_is_counted_twice_or_lost_when_many_pull_while_it_is_written(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var repository = $"{project}/app";
        var image = await site.PushAsync(repository, "v1", TestImage.New(1));
        var counts = site.App.Services.GetRequiredService<PullCounts>();
        var pullers = Enumerable.Range(0, 4).Select(n => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++) counts.Count(repository, n % 2 == 0 ? "v1" : "", image.Digest, byScanner: false);
        })).ToArray();
        while (!Task.WhenAll(pullers).IsCompleted) await counts.FlushAsync(CancellationToken.None);
        await counts.FlushAsync(CancellationToken.None);
        Assert.Equal(20_000, await site.NumberAsync($"SELECT pull_count FROM repositories WHERE name = '{repository}'"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_was_counted_is_written_when_the_server_stops(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var site = new ArtifactSite(app);
        var project = await site.AddProjectAsync();
        var image = await site.PushAsync($"{project}/app", "v1", TestImage.New(1));
        app.Services.GetRequiredService<PullCounts>().Count($"{project}/app", "v1", image.Digest, byScanner: false);
        await app.Registry.RestartAsync();
        Assert.Equal(1, await new ArtifactSite(app).NumberAsync($"SELECT pull_count FROM repositories WHERE name = '{project}/app'"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Counts_and_times_can_be_switched_off(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var site = new ArtifactSite(app);
        var project = await site.AddProjectAsync();
        var image = await site.PushAsync($"{project}/app", "v1", TestImage.New(1));
        var counts = app.Services.GetRequiredService<PullCounts>();
        await app.SetAsync("""{"pull_count_update_disable":true}""");
        counts.Count($"{project}/app", "v1", image.Digest, byScanner: false);
        await counts.FlushAsync(CancellationToken.None);
        Assert.Equal(0, await site.NumberAsync("SELECT pull_count FROM repositories"));
        Assert.NotEqual(0, await site.NumberAsync("SELECT pulled_at FROM manifests"));
        var time = await site.NumberAsync("SELECT pulled_at FROM manifests");
        await app.SetAsync("""{"pull_count_update_disable":false,"pull_time_update_disable":true}""");
        counts.Count($"{project}/app", "v1", image.Digest, byScanner: false);
        await counts.FlushAsync(CancellationToken.None);
        Assert.Equal(1, await site.NumberAsync("SELECT pull_count FROM repositories"));
        Assert.Equal(time, await site.NumberAsync("SELECT pulled_at FROM manifests"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Pulls_by_scanners_leave_no_time_where_the_setting_says_so(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var site = new ArtifactSite(app);
        var project = await site.AddProjectAsync();
        var image = await site.PushAsync($"{project}/app", "v1", TestImage.New(1));
        var counts = app.Services.GetRequiredService<PullCounts>();
        await app.SetAsync("""{"scanner_skip_update_pulltime":true}""");
        counts.Count($"{project}/app", "v1", image.Digest, byScanner: true);
        await counts.FlushAsync(CancellationToken.None);
        Assert.Equal(0, await site.NumberAsync("SELECT pulled_at FROM manifests"));
        Assert.Equal(0, await site.NumberAsync("SELECT COUNT(pulled_at) FROM tags"));
        Assert.Equal(1, await site.NumberAsync("SELECT pull_count FROM repositories"));
        counts.Count($"{project}/app", "v1", image.Digest, byScanner: true);
        counts.Count($"{project}/app", "v1", image.Digest, byScanner: false);
        await counts.FlushAsync(CancellationToken.None);
        Assert.NotEqual(0, await site.NumberAsync("SELECT pulled_at FROM manifests"));
        Assert.Equal(1, await site.NumberAsync("SELECT COUNT(pulled_at) FROM tags"));
        Assert.Equal(3, await site.NumberAsync("SELECT pull_count FROM repositories"));
    }
}
