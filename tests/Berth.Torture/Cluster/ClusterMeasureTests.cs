using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Berth.Torture.Cluster;

/// <summary>
/// Push and pull through nginx before one replica and before three, with the processor time of every program: no gate, as it says more of the machine than of Berth.
/// <c>tests/tools/torture-cluster.sh --measure</c> runs it.
/// </summary>
public sealed class ClusterMeasureTests
{
    private const int Clients = 8;
    private const int LayerBytes = 1 << 20;
    private const int WarmUpNumbers = 1_000_000;
    private static readonly TimeSpan s_phase = TimeSpan.FromSeconds(12);

    [Fact(Explicit = true), Trait("run", "by hand")]
    public async Task Push_and_pull_before_one_replica_and_before_three()
    {
        var ct = TestContext.Current.CancellationToken;
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} processors, {Clients} clients, images of one layer of {LayerBytes >> 10} KiB\n");
        foreach (var replicas in new[] { 1, 3, 1, 3 }) await MeasureAsync(replicas, text, ct);
        TestContext.Current.TestOutputHelper?.WriteLine(text.ToString());
        if (Environment.GetEnvironmentVariable("BERTH_TORTURE_REPORT") is { Length: > 0 } folder) await File.WriteAllTextAsync(Path.Combine(folder, "report.txt"), text.ToString(), ct);
    }

    private static async Task MeasureAsync(int replicas, StringBuilder text, CancellationToken ct)
    {
        await using var cluster = await TestCluster.StartAsync(replicas, isDirect: true, "", ct);
        using var http = new ClusterHttp(cluster.NginxAddress);
        Assert.True(await PushAsync(http, 0, -1, new byte[LayerBytes], ct) is not null, "the first push failed");
        // What each process compiles at first is not what is compared.
        await PushAndPullAsync(http, WarmUpNumbers, $"{replicas} replicas, warm-up", ct);
        foreach (var line in await PushAndPullAsync(http, 0, $"{replicas} replicas", ct)) text.AppendLine(line);
    }

    private static async Task<string[]> PushAndPullAsync(ClusterHttp http, int first, string name, CancellationToken ct)
    {
        var images = Enumerable.Range(0, Clients).Select(_ => new List<ClusterManifest>()).ToArray();
        var content = Bytes.Of("measured", LayerBytes).Content;
        var pushes = await PhaseAsync($"{name}, push", async (client, n) =>
        {
            if (await PushAsync(http, client, first + n, content, ct) is not { } image) return false;
            images[client].Add(image);
            return true;
        });
        var pulls = await PhaseAsync($"{name}, pull", async (client, n) =>
        {
            var image = images[client][n % images[client].Count];
            return (await http.GetAsync(image.Path, ct)).Status == 200
                && (await http.GetAsync($"/v2/{image.Repository}/blobs/{image.Blobs[1].Digest}", ct)).Body.Length == LayerBytes;
        });
        return [pushes, pulls];
    }

    private static async Task<string> PhaseAsync(string name, Func<int, int, Task<bool>> work)
    {
        var (before, watch, failed) = (CpuTimes.Read(), Stopwatch.StartNew(), 0);
        var done = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var n = 0;
            for (; watch.Elapsed < s_phase; n++)
            {
                if (!await work(client, n)) Interlocked.Increment(ref failed);
            }
            return n;
        })));
        Assert.Equal(0, failed);
        var rate = done.Sum() / watch.Elapsed.TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture, $"{name}: {rate:F1} images/s; processors used: {CpuTimes.Between(before, CpuTimes.Read(), watch.Elapsed)}");
    }

    // Each layer differs in its first bytes, so that all are stored.
    private static async Task<ClusterManifest?> PushAsync(ClusterHttp http, int client, int number, byte[] content, CancellationToken ct)
    {
        var layer = content.ToArray();
        BitConverter.TryWriteBytes(layer, client);
        BitConverter.TryWriteBytes(layer.AsSpan(4), number);
        var image = ClusterContent.Image($"library/m{client}", $"{client}-{number}", [new Bytes(layer)]);
        foreach (var blob in image.Blobs)
        {
            if ((await http.SendAsync(HttpMethod.Post, $"/v2/{image.Repository}/blobs/uploads/?digest={blob.Digest}", ct, blob.Content)).Status != 201) return null;
        }
        return (await http.SendAsync(HttpMethod.Put, $"/v2/{image.Repository}/manifests/n{number}", ct, image.Content, image.MediaType)).Status == 201 ? image : null;
    }
}
