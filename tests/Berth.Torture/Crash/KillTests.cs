using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Berth.Blobs.FileSystem;
using Berth.EndToEnd.Harness;
using Berth.Torture.Harness;
using Microsoft.Data.Sqlite;

namespace Berth.Torture.Crash;

/// <summary>
/// The server is killed (SIGKILL) at random moments while eight clients push, again and again on the same data. BERTH_TORTURE_KILLS changes
/// the number of times.
/// </summary>
public sealed class KillTests
{
    private const int Clients = 8;
    private static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("BERTH_TORTURE_KILLS"), out var kills) ? kills : 100;

    [Fact]
    public async Task What_was_acknowledged_survives_every_kill_and_nothing_half_written_shows()
    {
        var ct = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder("kill");
        await using var registry = await RegistryUnderTest.StartBerth(folder, EndToEnd.Harness.Access.Open, ct);
        Pusher? all = null;
        for (var round = 0; round < Kills; round++)
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://{registry.Address}"), Timeout = TimeSpan.FromSeconds(30) };
            var pusher = new Pusher(http);
            all ??= pusher;
            await PushUntilKilledAsync(registry, pusher, round, ct);
            await registry.Start(TimeSpan.FromSeconds(60), ct);
            Assert.Empty(await pusher.CheckAsync(pusher.Acknowledged, ct));
            Assert.Empty(pusher.ServerErrors);
            foreach (var (path, digest) in pusher.Acknowledged) all.Acknowledged[path] = digest;
        }

        using var last = new HttpClient { BaseAddress = new Uri($"http://{registry.Address}") };
        Assert.True(all!.Acknowledged.Count > Kills, "hardly anything was acknowledged: the test proves nothing");
        Assert.Empty(await new Pusher(last).CheckAsync(all.Acknowledged, ct));
        await EverythingListedIsWholeAsync(last, ct);
        await registry.Stop();
        await LeftoversAreCollectedAsync(folder, registry, ct);
    }

    private static async Task PushUntilKilledAsync(RunningRegistry registry, Pusher pusher, int round, CancellationToken ct)
    {
        using var killed = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var clients = Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            for (var n = 0; !killed.IsCancellationRequested; n++)
            {
                try
                {
                    await pusher.PushAsync($"crash/r{client}", $"round{round}-{n}", SmallImage.Random(), chunked: client % 2 == 0, killed.Token);
                }
                catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException or IOException)
                {
                    // What the kill looks like from here.
                    return;
                }
            }
        }, ct)).ToArray();
        await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(5, 400)), TimeProvider.System, ct);
        await registry.Kill();
        await killed.CancelAsync();
        await Task.WhenAll(clients);
    }

    // Also what was not acknowledged, but got as far as being listed.
    private static async Task EverythingListedIsWholeAsync(HttpClient http, CancellationToken ct)
    {
        var content = new Dictionary<string, Oci.Digest>();
        for (var client = 0; client < Clients; client++)
        {
            var list = await http.GetFromJsonAsync<JsonElement>($"/v2/crash/r{client}/tags/list", ct);
            foreach (var tag in list.GetProperty("tags").EnumerateArray())
            {
                var manifest = await http.GetFromJsonAsync<JsonElement>($"/v2/crash/r{client}/manifests/{tag.GetString()}", ct);
                foreach (var blob in manifest.GetProperty("layers").EnumerateArray().Append(manifest.GetProperty("config")))
                {
                    var digest = Oci.Digest.Parse(blob.GetProperty("digest").GetString()!);
                    content[$"/v2/crash/r{client}/blobs/{digest}"] = digest;
                }
            }
        }
        Assert.NotEmpty(content);
        Assert.Empty(await new Pusher(http).CheckAsync(content, ct));
    }

    // With a short expiry the janitor clears at once; then every file is a recorded blob, and every recorded blob a file.
    private static async Task LeftoversAreCollectedAsync(TemporaryFolder folder, RunningRegistry registry, CancellationToken ct)
    {
        await File.AppendAllTextAsync(folder.File("registry", "berth.yaml"), "registry: { uploadExpiry: 1s, uploadJanitorInterval: 1s }\n", ct);
        await registry.Start(TimeSpan.FromSeconds(60), ct);
        var uploads = new ContentPaths(Path.Join(registry.DataFolder, "storage")).Uploads;
        for (var waited = 0; waited < 300 && (Directory.EnumerateFiles(uploads, "*", SearchOption.AllDirectories).Any() || Count(registry, "SELECT count(*) FROM uploads") > 0); waited++)
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        await registry.Stop();
        Assert.Empty(Directory.EnumerateFiles(uploads, "*", SearchOption.AllDirectories));
        Assert.Equal(0, Count(registry, "SELECT count(*) FROM uploads"));
        var files = Directory.EnumerateFiles(new ContentPaths(Path.Join(registry.DataFolder, "storage")).Blobs, "data", SearchOption.AllDirectories).Count();
        Assert.Equal(Count(registry, "SELECT count(*) FROM blobs"), files);
    }

    private static long Count(RunningRegistry registry, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Join(registry.DataFolder, "berth.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
