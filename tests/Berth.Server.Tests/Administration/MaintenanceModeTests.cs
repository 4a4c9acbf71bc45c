using System.Net;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Administration;

/// <summary>Maintenance and read-only mode at run time.</summary>
public sealed class MaintenanceModeTests
{
    private const string Configurations = "/api/v2.0/configurations";

    private readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Under_maintenance_only_administrators_get_through_and_all_others_are_told_when_to_come_again(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("alice");
        await app.PushAsync("library/app", "v1", TestImage.New());
        var on = await app.CallAsync("PUT", Configurations, body: """{"maintenance_mode":true,"banner_message":"{\"message\":\"back at noon\",\"type\":\"warning\"}"}""");
        Assert.Equal(200, on.Status);

        foreach (var path in new[] { "/v2/", "/v2/library/app/manifests/v1", "/service/token?service=berth", "/nothing" })
        {
            var answer = await app.Registry.GetAsync(path, PlatformApp.As("admin"));
            Assert.Equal((503, "60"), (answer.Status, answer.Header("Retry-After")));
            Assert.Contains("\"UNAVAILABLE\",\"message\":\"back at noon\"", answer.Text, StringComparison.Ordinal);
        }
        var user = await app.CallAsync("GET", "/api/v2.0/projects", user: "alice");
        Assert.Equal((503, "60", "UNAVAILABLE"), (user.Status, user.Header("Retry-After"), user.Code));
        Assert.Contains("back at noon", user.Body, StringComparison.Ordinal);
        Assert.Equal(503, (await app.CallAsync("GET", "/api/v2.0/projects", user: "")).Status);
        Assert.Equal(503, (await app.CallAsync("GET", "/api/berth/v1/webhooks", user: "alice")).Status);

        foreach (var path in new[] { "/health/live", "/health/ready", "/metrics", "/api/v2.0/ping", "/api/v2.0/health", "/api/v2.0/systeminfo" })
            Assert.Equal(200, (await app.CallAsync("GET", path, user: "")).Status);
        Assert.Contains("berth_mode{mode=\"maintenance\"} 1\n", (await app.CallAsync("GET", "/metrics", user: "")).Body, StringComparison.Ordinal);
        Assert.Contains("back at noon", (await app.GetAsync("/api/v2.0/systeminfo", user: ""))["banner_message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/projects")).Status);

        Assert.Equal(200, (await app.CallAsync("PUT", Configurations, body: """{"maintenance_mode":false}""")).Status);
        Assert.Equal(200, (await app.Registry.GetAsync("/v2/library/app/manifests/v1", PlatformApp.As("admin"))).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/projects", user: "alice")).Status);
    }

    [Fact]
    public async Task Modes_take_effect_in_every_replica_at_the_next_request()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        var key = Convert.ToBase64String(new byte[32]);
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Postgres, o => o with { Access = o.Access with { SecretKey = key } });
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        await using (var replica = await BerthServer.BuildAsync(app.Services.GetRequiredService<BerthOptions>() with { DataFolder = folder }, null, _ct))
        {
            await replica.StartAsync(_ct);
            using var client = new HttpClient { BaseAddress = new Uri(replica.Urls.First()) };
            var (name, value) = PlatformApp.As("admin");
            client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
            // From here on it hears of changes, and believes what it has read.
            await Eventually.TrueAsync(() => replica.Services.GetRequiredService<Database>().Announcements.IsListening, "the replica listens");
            Assert.Equal(HttpStatusCode.Accepted, await StatusAsync(client, HttpMethod.Post, "/v2/library/x/blobs/uploads/"));

            await SetAsync(app, """{"read_only":true}""");
            await Eventually.TrueAsync(async () => await StatusAsync(client, HttpMethod.Post, "/v2/library/x/blobs/uploads/") == HttpStatusCode.MethodNotAllowed, "the replica is read-only");
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, HttpMethod.Get, "/v2/"));
            await SetAsync(app, """{"read_only":false,"maintenance_mode":true}""");
            await Eventually.TrueAsync(async () => await StatusAsync(client, HttpMethod.Get, "/v2/") == HttpStatusCode.ServiceUnavailable, "the replica is under maintenance");
            await SetAsync(app, """{"maintenance_mode":false}""");
            await Eventually.TrueAsync(async () => await StatusAsync(client, HttpMethod.Post, "/v2/library/x/blobs/uploads/") == HttpStatusCode.Accepted, "the replica works again");
            await replica.StopAsync(_ct);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_the_file_fixes_nobody_ends_at_run_time()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with
        {
            Registry = o.Registry with { ReadOnly = true },
            Settings = o.Settings with { Fixed = new Dictionary<string, string> { ["maintenance_mode"] = "true", ["banner_message"] = "moving house" } },
        });
        Assert.Equal(403, (await app.CallAsync("PUT", Configurations, body: """{"read_only":false}""")).Status);
        Assert.Equal(403, (await app.CallAsync("PUT", Configurations, body: """{"maintenance_mode":false}""")).Status);
        Assert.Contains("moving house", (await app.Registry.GetAsync("/v2/")).Text, StringComparison.Ordinal);
    }

    private static async Task SetAsync(PlatformApp app, string body) => Assert.Equal(200, (await app.CallAsync("PUT", Configurations, body: body)).Status);

    private async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var response = await client.SendAsync(request, _ct);
        return response.StatusCode;
    }
}
