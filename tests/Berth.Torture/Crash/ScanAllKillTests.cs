using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Npgsql;

namespace Berth.Torture.Crash;

/// <summary>
/// Servers are killed (SIGKILL) while all images are scanned. Each image ends with its report, those that had one keep it, no layer is read twice, and nothing is begun again but what ran at the kill.
/// </summary>
public sealed class ScanAllKillTests
{
    private const string Report = "application/vnd.security.vulnerability.report; version=1.1";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    [Fact]
    public async Task A_server_that_is_killed_while_all_images_are_scanned_goes_on_where_it_was()
    {
        var ct = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder("scan-kill");
        ManyImages.WriteAdvisories(folder.Folder("registry-data"));
        await using var registry = await RegistryUnderTest.StartBerth(folder, EndToEnd.Harness.Access.SignedIn, ct);
        registry.Http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        await new ManyImages(folder.Folder("images")).PushAsync(registry.Http, ct);
        var rows = ScanRows.OfSqlite(Path.Join(registry.DataFolder, "berth.db"));

        await AskAsync(registry, ct);
        var (kept, read) = (new HashSet<string>(), new HashSet<string>());
        // Once before an image was scanned, or the first ones were; then further on.
        int[] kills = [0, 10, 40, 70];
        foreach (var completed in kills)
        {
            await UntilAsync(registry, metrics => metrics["completed"]!.GetValue<int>() >= completed, ct);
            await registry.Kill();
            kept.UnionWith(await rows.FinishedAsync(ct));
            read.UnionWith(await rows.LayersAsync(ct));
            Assert.InRange(kept.Count, completed, ManyImages.Count - 1);
            await registry.Start(RegistryUnderTest.StartLimit, ct);
        }
        await UntilAsync(registry, static metrics => !metrics["ongoing"]!.GetValue<bool>(), ct);

        await EverythingIsScannedOnceAsync(registry, rows, kept, read, kills.Length, ct);
        var before = await FindingsAsync(registry, ct);
        Assert.Equal(Enumerable.Range(0, ManyImages.Count).Select(static image => string.Join('\n', ManyImages.FindingsOf(image))), before);

        // The same undisturbed: the same findings, and not one layer more.
        var layers = await rows.LayersAsync(ct);
        await AskAsync(registry, ct);
        await UntilAsync(registry, static metrics => !metrics["ongoing"]!.GetValue<bool>(), ct);
        Assert.Equal(before, await FindingsAsync(registry, ct));
        Assert.Equal(layers.Order(), (await rows.LayersAsync(ct)).Order());
        Assert.Equal(2 * ManyImages.Count, await rows.AskedAsync(ct));
    }

    [Fact]
    public async Task Replicas_share_a_scan_of_all_images_and_take_over_what_killed_ones_left()
    {
        var server = Environment.GetEnvironmentVariable("BERTH_TEST_POSTGRES");
        Assert.SkipWhen(string.IsNullOrEmpty(server), "BERTH_TEST_POSTGRES is not set");
        var ct = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder("scan-kill-replicas");
        var database = await SchemaAsync(server!, ct);
        var rows = ScanRows.OfPostgres(database);
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        await using var first = await ReplicaAsync(folder, "first", database, key, ct);
        await using var second = await ReplicaAsync(folder, "second", database, key, ct);
        await new ManyImages(folder.Folder("images")).PushAsync(first.Http, ct);

        await AskAsync(first, ct);
        var (kept, read) = (new HashSet<string>(), new HashSet<string>());
        foreach (var (registry, other, completed) in ((RunningRegistry, RunningRegistry, int)[])[(first, second, 15), (second, first, 35)])
        {
            await UntilAsync(other, metrics => metrics["completed"]!.GetValue<int>() >= completed, ct);
            await registry.Kill();
            kept.UnionWith(await rows.FinishedAsync(ct));
            read.UnionWith(await rows.LayersAsync(ct));
            Assert.InRange(kept.Count, completed, ManyImages.Count - 1);
            await registry.Start(RegistryUnderTest.StartLimit, ct);
        }
        // What ran at a kill is taken by another when its lease ends.
        await UntilAsync(first, static metrics => !metrics["ongoing"]!.GetValue<bool>(), ct);

        await EverythingIsScannedOnceAsync(second, rows, kept, read, kills: 2, ct);
        Assert.Equal(Enumerable.Range(0, ManyImages.Count).Select(static image => string.Join('\n', ManyImages.FindingsOf(image))), await FindingsAsync(second, ct));
        Assert.InRange((await rows.OwnersAsync(ct)).Count, 2, 4);
    }

    private static async Task EverythingIsScannedOnceAsync(RunningRegistry registry, ScanRows rows, HashSet<string> kept, HashSet<string> read, int kills, CancellationToken ct)
    {
        var metrics = await MetricsAsync(registry, ct);
        Assert.Equal((ManyImages.Count, ManyImages.Count, ManyImages.Count), (metrics["total"]!.GetValue<int>(), metrics["completed"]!.GetValue<int>(), metrics["metrics"]!["Success"]!.GetValue<int>()));
        var (finished, layers) = (await rows.FinishedAsync(ct), await rows.LayersAsync(ct));
        Assert.Equal(ManyImages.Count, finished.Count);
        Assert.Empty(kept.Except(finished));
        Assert.Equal(ManyImages.Layers, layers.Count);
        Assert.Empty(read.Except(layers));
        // One scan runs at a time in a server.
        Assert.Equal(ManyImages.Count, await rows.AskedAsync(ct));
        Assert.InRange(await rows.BegunAsync(ct), ManyImages.Count, ManyImages.Count + kills);
        Assert.Equal((ManyImages.AllFindings, ManyImages.AllPackages), (await rows.FindingsAsync(ct), await rows.PackagesAsync(ct)));
        TestContext.Current.TestOutputHelper?.WriteLine($"{await rows.BegunAsync(ct)} scans begun for {ManyImages.Count} images in {kills} kills; {kept.Count} images and {read.Count} layers were done at kills");
    }

    private static async Task AskAsync(RunningRegistry registry, CancellationToken ct)
    {
        using var answer = await registry.Http.Client.PostAsJsonAsync("/api/v2.0/system/scanAll/schedule", new { schedule = new { type = "Manual" } }, ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(ct));
    }

    private static async Task UntilAsync(RunningRegistry registry, Func<JsonNode, bool> isReached, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        JsonNode? metrics = null;
        try
        {
            while (!isReached(metrics = await MetricsAsync(registry, limit.Token))) await Task.Delay(Look, TimeProvider.System, limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            Assert.Fail($"the scan of all images is stuck: {metrics?.ToJsonString()}\n{registry.LogTail()}");
        }
    }

    private static async Task<JsonNode> MetricsAsync(RunningRegistry registry, CancellationToken ct) => JsonNode.Parse(await registry.Http.Text("/api/v2.0/scans/all/metrics", ct))!;

    // The findings of each image, as the API tells them.
    private static async Task<IReadOnlyList<string>> FindingsAsync(RunningRegistry registry, CancellationToken ct)
    {
        var found = new List<string>();
        for (var image = 0; image < ManyImages.Count; image++)
        {
            var report = JsonNode.Parse(await registry.Http.Text($"/api/v2.0/projects/library/repositories/{ManyImages.Repository}/artifacts/{ManyImages.TagOf(image)}/additions/vulnerabilities", ct))!;
            found.Add(string.Join('\n', report[Report]!["vulnerabilities"]!.AsArray().Select(static one => $"{one!["id"]} {one["package"]} {one["version"]}").Order(StringComparer.Ordinal)));
        }
        return found;
    }

    private static async Task<RunningRegistry> ReplicaAsync(TemporaryFolder folder, string name, string database, string key, CancellationToken ct)
    {
        var (data, port, settings) = (folder.Folder(name, "data"), RegistryUnderTest.FreePort(), folder.File(name, "berth.yaml"));
        ManyImages.WriteAdvisories(data);
        await File.WriteAllTextAsync(settings, $$"""
            dataFolder: {{data}}
            access: { mode: local, secretKey: "{{key}}" }
            http: { urls: [ "http://127.0.0.1:{{port}}" ] }
            database: { kind: postgres, connectionString: "{{database}}" }
            storage: { root: {{folder.Folder("storage")}} }
            """, ct);
        var registry = await RegistryUnderTest.Launch(new RegistryCommand([RegistryUnderTest.BerthBinary(), "serve", "--config", settings], data, port, folder.File(name, "log")), ct);
        registry.Http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        return registry;
    }

    private static async Task<string> SchemaAsync(string server, CancellationToken ct)
    {
        var schema = $"scan_kill_{Environment.ProcessId}";
        await using var source = NpgsqlDataSource.Create(server);
        await using var command = source.CreateCommand($"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        await command.ExecuteNonQueryAsync(ct);
        return new NpgsqlConnectionStringBuilder(server) { SearchPath = schema }.ConnectionString;
    }
}
