using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Replicas;

/// <summary>What goes on while PostgreSQL is away, and what happens when it comes back.</summary>
public sealed class OutageTests(OwnPostgres postgres) : IClassFixture<OwnPostgres>
{
    [Fact]
    public async Task Pulls_go_on_from_memory_and_writes_are_put_off_while_the_database_is_away()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Postgres, server: postgres.ConnectionString);
        await app.AddProjectAsync("alpha");
        await app.AddUserAsync("ann");
        await app.AddMemberAsync("alpha", "ann", role: 2);
        var image = TestImage.New(seed: 900);
        var header = PlatformApp.As("ann");
        await app.PushAsync("alpha/app", "v1", image, "ann");
        var before = await PullAsync(app, header, image);
        Assert.Equal(200, before);

        await postgres.StopAsync();

        // The whole way of a client: a token for the password, then manifest by tag and by digest, then blobs.
        Assert.Equal(200, await PullAsync(app, header, image));
        (await app.Registry.GetAsync($"/v2/alpha/app/manifests/{image.Digest}", header)).MustBe(200);
        var refused = (await app.Registry.PostAsync("/v2/alpha/app/blobs/uploads/", null, header)).MustBe(503, "UNAVAILABLE");
        Assert.Equal("5", refused.Header("Retry-After"));
        (await app.Registry.PutManifestAsync("alpha/app", "v2", image.Manifest, image.MediaType, header)).MustBe(503, "UNAVAILABLE");
        (await app.Registry.GetAsync("/v2/alpha/app/manifests/other", header)).MustBe(503, "UNAVAILABLE");
        var api = await app.CallAsync("GET", "/api/v2.0/projects");
        Assert.Equal((503, "5"), (api.Status, api.Header("Retry-After")));
        // Nobody can say whether a password is wrong.
        (await app.Registry.GetAsync("/v2/alpha/app/manifests/v1", PlatformApp.As("ann", "wrong"))).MustBe(503, "UNAVAILABLE");
        Assert.Equal(503, (await app.CallAsync("GET", "/service/token?service=berth", user: "nobody")).Status);
        var ready = await app.CallAsync("GET", "/health/ready", user: "");
        Assert.Equal((200, "degraded"), (ready.Status, ready.Json["status"]!.GetValue<string>()));
        Assert.Equal(503, (await app.CallAsync("GET", "/health/ready?for=writes", user: "")).Status);

        await postgres.StartAsync();

        await Eventually.TrueAsync(async () => (await app.Registry.PutManifestAsync("alpha/app", "v2", image.Manifest, image.MediaType, header)).Status == 201, "a push is taken again");
        // What changes from here on counts at once again.
        Assert.Equal(200, (await app.CallAsync("PUT", $"/api/v2.0/users/{(await app.GetAsync("/api/v2.0/users?q=username%3Dann"))[0]!["user_id"]}/password", body: """{"new_password":"Other12345"}""")).Status);
        (await app.Registry.GetAsync("/v2/alpha/app/manifests/v1", header)).MustBe(401, "UNAUTHORIZED");
        Assert.Equal(200, (await app.CallAsync("GET", "/health/ready?for=writes", user: "")).Status);
        await RunJobAsync(app);
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1")]
    [InlineData("Host=127.0.0.1:1,127.0.0.1:2;Target Session Attributes=primary")]
    public async Task A_database_that_cannot_be_reached_is_away_however_it_is_named(string hosts)
    {
        await using var database = PostgresDatabase.Open(hosts + ";Username=x;Password=x;Database=x;Timeout=5", 2, TimeSpan.FromMinutes(1));
        database.Announcements.Subscribe("any", _ => { });
        for (var i = 0; i < 3; i++)
        {
            var error = await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => database.WriteAsync(Durability.Full, (_, _) => Task.FromResult(0), CancellationToken.None));
            Assert.True(DatabaseFailure.IsPassing(error), error.ToString());
        }
        Assert.True(database.Outage.IsAway);
        await Assert.ThrowsAsync<DatabaseAwayException>(() => database.ReadAsync(0, static (_, _, _) => new ValueTask<int>(0), CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task After_the_time_of_the_setting_nothing_is_believed_any_more()
    {
        await using var app = await RegistryApp.StartAsync(
            DatabaseKind.Postgres, more: o => o with { Database = o.Database with { OutageReads = TimeSpan.FromSeconds(2) } }, server: postgres.ConnectionString);
        var image = TestImage.New(seed: 901);
        await app.PushImageAsync("library/app", "v1", image);
        await app.PullAsync("library/app", "v1");
        await postgres.CrashAsync();
        await Eventually.TrueAsync(async () => (await app.GetAsync($"/v2/library/app/manifests/{image.Digest}")).Status == 503, "refused");
        await postgres.StartAsync();
        await Eventually.TrueAsync(async () => (await app.GetAsync($"/v2/library/app/manifests/{image.Digest}")).Status == 200, "served again");
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_when_the_database_is_restarted_under_load_of_two_replicas()
    {
        await using var first = await RegistryApp.StartAsync(DatabaseKind.Postgres, server: postgres.ConnectionString);
        await using var second = await first.AddReplicaAsync();
        RegistryApp[] replicas = [first, second];
        var acknowledged = new ConcurrentDictionary<string, Digest>();
        var statuses = new ConcurrentDictionary<int, int>();
        using var stop = new CancellationTokenSource();
        var pushers = Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var image = TestImage.New(seed: (n * 100_000) + i);
                var replica = replicas[(n + i) % 2];
                if (await TryPushAsync(replica, $"t{n}-{i}", image, statuses)) acknowledged[$"t{n}-{i}"] = image.Digest;
            }
        })).ToArray();
        for (var round = 0; round < 2; round++)
        {
            var count = acknowledged.Count;
            await Eventually.TrueAsync(() => acknowledged.Count > count + 20, "pushes are taken");
            if (round == 0) await postgres.StopAsync();
            else await postgres.CrashAsync();
            await Eventually.TrueAsync(() => statuses.GetValueOrDefault(503) > round, "writes are refused");
            await postgres.StartAsync();
        }
        var last = acknowledged.Count;
        await Eventually.TrueAsync(() => acknowledged.Count > last + 20, "pushes are taken again");
        await stop.CancelAsync();
        await Task.WhenAll(pushers);

        Assert.Subset(new HashSet<int> { 201, 503 }, statuses.Keys.ToHashSet());
        foreach (var (tag, digest) in acknowledged)
        {
            var manifest = (await replicas[acknowledged.Count % 2].GetAsync($"/v2/library/app/manifests/{tag}")).MustBe(200);
            Assert.Equal(digest.Value, manifest.Header("Docker-Content-Digest"));
        }
        await first.PullAsync("library/app", acknowledged.Keys.Last());
    }

    private static async Task<bool> TryPushAsync(RegistryApp replica, string tag, TestImage image, ConcurrentDictionary<int, int> statuses)
    {
        foreach (var blob in image.Blobs)
        {
            var answer = await replica.PostAsync($"/v2/library/app/blobs/uploads/?digest={Digest.Of(blob)}", blob);
            statuses.AddOrUpdate(answer.Status, 1, (_, n) => n + 1);
            if (answer.Status != 201) return false;
        }
        var manifest = await replica.PutManifestAsync("library/app", tag, image.Manifest, image.MediaType);
        statuses.AddOrUpdate(manifest.Status, 1, (_, n) => n + 1);
        return manifest.Status == 201;
    }

    private static async Task<int> PullAsync(PlatformApp app, (string, string) header, TestImage image)
    {
        var token = await app.CallAsync("GET", "/service/token?service=berth&scope=repository:alpha/app:pull", user: "", headers: header);
        if (token.Status != 200) return token.Status;
        var bearer = ("Authorization", "Bearer " + token.Json["token"]!.GetValue<string>());
        var manifest = await app.Registry.GetAsync("/v2/alpha/app/manifests/v1", bearer);
        if (manifest.Status != 200) return manifest.Status;
        Assert.Equal(image.Digest.Value, manifest.Header("Docker-Content-Digest"));
        foreach (var blob in image.Blobs) Assert.Equal(blob, (await app.Registry.GetAsync($"/v2/alpha/app/blobs/{Digest.Of(blob)}", bearer)).MustBe(200).Body);
        return 200;
    }

    // The workers of jobs have found their way back too.
    private static async Task RunJobAsync(PlatformApp app)
    {
        var started = await app.CallAsync("POST", "/api/v2.0/system/purgeaudit/schedule",
            body: """{"parameters":{"audit_retention_hour":100,"include_event_types":"pull_artifact","dry_run":false},"schedule":{"type":"Manual"}}""");
        Assert.True(started.Status == 201, started.Body);
        await Eventually.TrueAsync(async () => ((await app.GetAsync("/api/v2.0/system/purgeaudit")) as JsonArray)![0]!["job_status"]!.GetValue<string>() == "Success", "the job has run");
    }
}
