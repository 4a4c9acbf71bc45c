using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Secrets;
using Berth.Server.Registry;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Replicas;

/// <summary>Several servers on one PostgreSQL and one folder, without a sticky session anywhere.</summary>
public sealed class ReplicaTests
{
    [Fact]
    public async Task A_permission_that_one_replica_changes_counts_on_the_others_at_once()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var a = await PlatformApp.StartAsync(DatabaseKind.Postgres);
        await using var b = await a.AddReplicaAsync();
        await using var c = await a.AddReplicaAsync();
        await a.AddProjectAsync("alpha");
        await a.AddUserAsync("ann");
        var header = PlatformApp.As("ann");
        await a.PushAsync("alpha/app", "v1", TestImage.New(seed: 910));
        foreach (var replica in (PlatformApp[])[a, b, c]) (await replica.Registry.GetAsync("/v2/alpha/app/manifests/v1", header)).MustBe(403);

        await b.AddMemberAsync("alpha", "ann", role: 3);
        foreach (var replica in (PlatformApp[])[a, b, c]) await SoonAsync(replica, 200);
        var member = (await c.GetAsync("/api/v2.0/projects/alpha/members?entityname=ann"))[0]!["id"]!.GetValue<long>();
        Assert.Equal(200, (await c.CallAsync("DELETE", $"/api/v2.0/projects/alpha/members/{member}")).Status);
        foreach (var replica in (PlatformApp[])[a, b, c]) await SoonAsync(replica, 403);

        // A setting, a password, and the key of the tokens.
        await a.SetAsync("""{"read_only":true}""");
        await Eventually.TrueAsync(async () => (await b.Registry.PostAsync("/v2/alpha/app/blobs/uploads/", null, PlatformApp.As("admin"))).Status == 405, "read-only everywhere");
        await b.SetAsync("""{"read_only":false}""");
        var token = (await a.CallAsync("GET", "/service/token?scope=repository:alpha/app:pull")).Json["token"]!.GetValue<string>();
        (await c.Registry.GetAsync("/v2/alpha/app/manifests/v1", ("Authorization", "Bearer " + token))).MustBe(200);
        Assert.Equal(200, (await b.CallAsync("PUT", "/api/v2.0/users/1/password", body: $$"""{"old_password":"{{PlatformApp.Password}}","new_password":"Other12345"}""")).Status);
        await Eventually.TrueAsync(async () => (await c.Registry.GetAsync("/v2/alpha/app/manifests/v1", ("Authorization", "Bearer " + token))).Status == 401, "the token has ended with the password");

        async Task SoonAsync(PlatformApp replica, int status) =>
            await Eventually.TrueAsync(async () => (await replica.Registry.GetAsync("/v2/alpha/app/manifests/v1", header)).Status == status, $"{status} on every replica");
    }

    [Fact]
    public async Task Chunks_of_an_upload_go_to_any_replica()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var a = await RegistryApp.StartAsync(DatabaseKind.Postgres);
        await using var b = await a.AddReplicaAsync();
        await using var c = await a.AddReplicaAsync();
        RegistryApp[] replicas = [a, b, c];
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var n = 0; n < 6; n++)
        {
            var content = RegistryTests.Bytes(1_500_000 + n, n);
            var digest = Digest.Of(content);
            var path = PathOf(await Any().StartUploadAsync("library/app"));
            var offset = 0;
            while (offset < content.Length)
            {
                var size = Math.Min(random.Next(1, 400_000), content.Length - offset);
                var answer = (await Any().PatchAsync(path, content[offset..(offset + size)], ("Content-Range", $"{offset}-{offset + size - 1}"))).MustBe(202);
                offset += size;
                Assert.Equal($"0-{offset - 1}", answer.Header("Range"));
                Assert.Equal($"0-{offset - 1}", (await Any().GetAsync(path)).MustBe(204).Header("Range"));
            }
            (await Any().PutAsync($"{path}?digest={digest}", [])).MustBe(201);
            foreach (var replica in replicas) Assert.Equal(content, (await replica.GetAsync($"/v2/library/app/blobs/{digest}")).MustBe(200).Body);
        }

        RegistryApp Any() => replicas[random.Next(3)];
    }

    [Fact]
    public async Task An_upload_whose_replica_has_stopped_goes_on_elsewhere()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var a = await RegistryApp.StartAsync(DatabaseKind.Postgres);
        await using var b = await a.AddReplicaAsync();
        var content = RegistryTests.Bytes(900_000, 7);
        var path = PathOf(await b.StartUploadAsync("library/app"));
        (await b.PatchAsync(path, content[..600_000])).MustBe(202);
        await b.StopServerAsync();
        (await a.PatchAsync(path, content[600_000..])).MustBe(202);
        (await a.PutAsync($"{path}?digest={Digest.Of(content)}", [])).MustBe(201);
        Assert.Equal(content, (await a.GetAsync($"/v2/library/app/blobs/{Digest.Of(content)}")).Body);
    }

    [Fact]
    public async Task The_limit_of_pulls_holds_for_the_sum_of_three_replicas()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var a = await RegistryApp.StartAsync(DatabaseKind.Postgres, new RegistryOptions { PullsPerMinute = 30 });
        await using var b = await a.AddReplicaAsync();
        await using var c = await a.AddReplicaAsync();
        RegistryApp[] replicas = [a, b, c];
        await a.PushImageAsync("library/app", "v1", TestImage.New(seed: 911));
        var clock = TimeProvider.System.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 90).Select(i => replicas[i % 3].GetAsync("/v2/library/app/manifests/v1")));
        var back = (int)(TimeProvider.System.GetElapsedTime(clock) / TimeSpan.FromSeconds(2)) + 1;
        // A share is as large as what waits when it is taken, and who is refused meanwhile stays refused: never more than the limit, and not much less.
        Assert.InRange(answers.Count(r => r.Status == 200), 30 / 2, 30 + back);
        var refused = answers.First(r => r.Status != 200).MustBe(429, "TOOMANYREQUESTS");
        Assert.Equal("30 pulls a minute in this registry", refused.Details[0]);
    }

    [Fact]
    public async Task A_replica_with_another_secret_key_does_not_start()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var a = await PlatformApp.StartAsync(DatabaseKind.Postgres);
        await using (await a.AddReplicaAsync())
        {
            var error = await Assert.ThrowsAsync<WrongSecretKeyException>(() => a.AddReplicaAsync(o => o with { Access = o.Access with { SecretKey = Convert.ToBase64String(new byte[32]) } }));
            Assert.Contains("access.secretKey", error.Message, StringComparison.Ordinal);
        }
    }

    // Clients follow the Location, which names no host of ours: through a balancer the next request meets anybody.
    private static string PathOf(string location) => location.StartsWith("http", StringComparison.Ordinal) ? new Uri(location).PathAndQuery : location;
}
