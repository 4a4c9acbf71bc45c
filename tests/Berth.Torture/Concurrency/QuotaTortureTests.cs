using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.Oci;
using Berth.Server;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Torture.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Berth.Torture.Concurrency;

/// <summary>
/// 32 pushers around the quota of one project: images that all push and images that only one has, pushed again, moved and deleted. The quota is never
/// exceeded, nobody is stuck, nothing fails for a reason that is the server's, and in the end the count equals the manifests' sum to the byte.
/// BERTH_TORTURE_SECONDS shortens or lengthens the half minute.
/// </summary>
public sealed class QuotaTortureTests
{
    private const int Pushers = 32;
    private const int Repositories = 8;
    private const int SharedImages = 24;
    private const long Quota = 250_000;
    private const string Password = "Harbor12345";
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("BERTH_TORTURE_SECONDS"), out var seconds) ? seconds : 30);

    private readonly ConcurrentDictionary<string, int> _outcomes = new();
    private readonly ConcurrentQueue<string> _wrong = new();

    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public async Task Pushers_around_the_limit_never_exceed_it_and_the_count_stays_true(DatabaseKind kind)
    {
        var server = Environment.GetEnvironmentVariable("BERTH_TEST_POSTGRES");
        Assert.SkipWhen(kind == DatabaseKind.Postgres && string.IsNullOrEmpty(server), "BERTH_TEST_POSTGRES is not set");
        var ct = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder("quota");
        await using var schema = kind == DatabaseKind.Postgres ? await Schema.CreateAsync(server!, ct) : null;
        await using var app = await StartAsync(folder, schema, ct);
        using var http = Client(app);
        await SucceedAsync(http.PostAsync("/api/v2.0/projects", Json($$"""{"project_name":"tight","storage_limit":{{Quota}}}"""), ct));
        var id = JsonNode.Parse(await http.GetStringAsync("/api/v2.0/projects/tight", ct))!["project_id"]!.GetValue<long>();

        using var time = new CancellationTokenSource(Duration);
        var watching = WatchAsync(http, id, time.Token);
        await Parallel.ForEachAsync(Enumerable.Range(0, Pushers), new ParallelOptions { MaxDegreeOfParallelism = Pushers, CancellationToken = ct }, async (worker, token) =>
        {
            var random = new Random(worker);
            var known = new List<(string Repository, SmallImage Image)>();
            while (!time.IsCancellationRequested) await StepAsync(http, random, worker, known, token);
        });
        var largest = await watching;

        Assert.Empty(_wrong);
        Assert.InRange(largest, Quota / 2, Quota);
        Assert.True(_outcomes.GetValueOrDefault("pushed") > 50 && _outcomes.GetValueOrDefault("refused") > 10 && _outcomes.GetValueOrDefault("deleted") > 10, Outcomes());
        var used = await UsedAsync(http, id, ct);
        var count = JsonNode.Parse(await (await http.PostAsync("/api/berth/v1/quotas/recount?project=tight", null, ct)).Content.ReadAsStringAsync(ct))![0]!;
        Assert.Equal((used, used, 0L), (count["used_before"]!.GetValue<long>(), count["used_now"]!.GetValue<long>(), count["difference"]!.GetValue<long>()));
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: {Outcomes()}; largest {largest} of {Quota} bytes, in the end {used}");

        // Everything goes, and with it every byte.
        for (var repository = 0; repository < Repositories; repository++) await DeleteAllAsync(http, $"tight/r{repository}", ct);
        Assert.Equal(0, await UsedAsync(http, id, ct));
        Assert.Equal(HttpStatusCode.Created, await PushAsync(http, "tight/r0", "after", SmallImage.Random(), ct));
    }

    private async Task StepAsync(HttpClient http, Random random, int worker, List<(string Repository, SmallImage Image)> known, CancellationToken ct)
    {
        var repository = $"tight/r{random.Next(Repositories)}";
        var choice = random.Next(100);
        if (choice < 30 && known.Count > 0)
        {
            var index = random.Next(known.Count);
            using var deleted = await http.DeleteAsync($"/v2/{known[index].Repository}/manifests/{known[index].Image.ManifestDigest}", ct);
            Note(deleted.StatusCode switch { HttpStatusCode.Accepted => "deleted", HttpStatusCode.NotFound => "gone", _ => null }, "DELETE", deleted.StatusCode);
            known.RemoveAt(index);
            return;
        }
        var image = choice < 60 ? SmallImage.Random($"{worker}") : choice < 90 || known.Count == 0 ? SmallImage.Number(random.Next(SharedImages)) : known[random.Next(known.Count)].Image;
        var tag = choice % 2 == 0 ? $"t{random.Next(6)}" : $"w{worker}-{random.Next(20)}";
        var status = await PushAsync(http, repository, tag, image, ct);
        Note(status switch { HttpStatusCode.Created => "pushed", HttpStatusCode.Forbidden => "refused", _ => null }, "push", status);
        if (status == HttpStatusCode.Created) known.Add((repository, image));
    }

    private void Note(string? outcome, string what, HttpStatusCode status)
    {
        if (outcome is null) _wrong.Enqueue($"{what}: {(int)status}");
        else _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);
    }

    private string Outcomes() => string.Join(", ", _outcomes.OrderBy(o => o.Key).Select(o => $"{o.Value} {o.Key}"));

    private static async Task<HttpStatusCode> PushAsync(HttpClient http, string repository, string tag, SmallImage image, CancellationToken ct)
    {
        foreach (var blob in new[] { image.Config, image.Layer })
        {
            using var answer = await http.PostAsync($"/v2/{repository}/blobs/uploads/?digest={Digest.Of(blob)}", Body(blob, "application/octet-stream"), ct);
            if (answer.StatusCode != HttpStatusCode.Created) return answer.StatusCode;
        }
        using var manifest = await http.PutAsync($"/v2/{repository}/manifests/{tag}", Body(image.Manifest, MediaTypes.OciManifest), ct);
        return manifest.StatusCode;
    }

    // The largest count that anybody can see.
    private static async Task<long> WatchAsync(HttpClient http, long id, CancellationToken ct)
    {
        var largest = 0L;
        while (!ct.IsCancellationRequested)
        {
            largest = Math.Max(largest, await UsedAsync(http, id, CancellationToken.None));
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
        return largest;
    }

    private static async Task<long> UsedAsync(HttpClient http, long id, CancellationToken ct) =>
        JsonNode.Parse(await http.GetStringAsync($"/api/v2.0/quotas/{id}", ct))!["used"]!["storage"]!.GetValue<long>();

    private static async Task DeleteAllAsync(HttpClient http, string repository, CancellationToken ct)
    {
        using var list = await http.GetAsync($"/v2/{repository}/tags/list", ct);
        if (list.StatusCode == HttpStatusCode.NotFound) return;
        var digests = new HashSet<string>();
        foreach (var tag in (await list.Content.ReadFromJsonAsync<JsonObject>(ct))!["tags"]!.AsArray())
        {
            using var manifest = await http.GetAsync($"/v2/{repository}/manifests/{tag}", ct);
            digests.Add(manifest.Headers.GetValues("Docker-Content-Digest").First());
        }
        foreach (var digest in digests) Assert.Equal(HttpStatusCode.Accepted, (await http.DeleteAsync($"/v2/{repository}/manifests/{digest}", ct)).StatusCode);
        // Manifests that have lost their tags to others.
        using var rest = await http.GetAsync($"/api/v2.0/projects/tight/repositories/{repository["tight/".Length..]}/artifacts?page_size=100", ct);
        while (rest.IsSuccessStatusCode)
        {
            var artifacts = JsonNode.Parse(await http.GetStringAsync($"/api/v2.0/projects/tight/repositories/{repository["tight/".Length..]}/artifacts?page_size=100", ct))!.AsArray();
            if (artifacts.Count == 0) return;
            foreach (var artifact in artifacts)
                Assert.Equal(HttpStatusCode.Accepted, (await http.DeleteAsync($"/v2/{repository}/manifests/{artifact!["digest"]}", ct)).StatusCode);
        }
    }

    private static async Task SucceedAsync(Task<HttpResponseMessage> sending)
    {
        using var answer = await sending;
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<WebApplication> StartAsync(TemporaryFolder folder, Schema? schema, CancellationToken ct)
    {
        var app = await BerthServer.BuildAsync(new BerthOptions
        {
            DataFolder = folder.FullPath,
            Http = new() { Urls = ["http://127.0.0.1:0"] },
            Storage = new() { MinFreeBytes = 0 },
            Access = new() { Mode = AccessMode.Local },
            Database = schema is null ? new() : new() { Kind = DatabaseKind.Postgres, ConnectionString = schema.ConnectionString },
        }, configure: null, ct);
        await app.StartAsync(ct);
        await app.Services.GetRequiredService<FirstAdmin>().EnsureAsync(Password, ct);
        return app;
    }

    private static HttpClient Client(WebApplication app)
    {
        var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Pushers * 2, UseCookies = false, UseProxy = false }) { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromSeconds(60) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Password}")));
        return http;
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static ByteArrayContent Body(byte[] bytes, string type)
    {
        var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new MediaTypeHeaderValue(type);
        return body;
    }

    // A schema of the server that the test has to itself.
    private sealed class Schema(string server, string name) : IAsyncDisposable
    {
        public string ConnectionString { get; } = new NpgsqlConnectionStringBuilder(server) { SearchPath = name, MaxPoolSize = 48, Timeout = 60 }.ConnectionString;

        public static async Task<Schema> CreateAsync(string server, CancellationToken ct)
        {
            var schema = new Schema(server, $"quota_{Environment.ProcessId}");
            await schema.RunAsync($"CREATE SCHEMA quota_{Environment.ProcessId}", ct);
            return schema;
        }

        public async ValueTask DisposeAsync()
        {
            await using (var pool = new NpgsqlConnection(ConnectionString)) NpgsqlConnection.ClearPool(pool);
            await RunAsync($"DROP SCHEMA {name} CASCADE", CancellationToken.None);
        }

        private async Task RunAsync(string sql, CancellationToken ct)
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
