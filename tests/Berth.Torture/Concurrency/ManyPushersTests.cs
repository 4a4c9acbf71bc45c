using System.Net;
using System.Text.Json;
using Berth.EndToEnd.Harness;
using Berth.Torture.Harness;

namespace Berth.Torture.Concurrency;

/// <summary>
/// 64 pushers of distinct images, of the same images and to the same tags at once. Nothing acknowledged may be lost, nothing may fail for a
/// reason that is the server's. BERTH_PUSHERS_SECONDS shortens or lengthens the two minutes.
/// </summary>
public sealed class ManyPushersTests
{
    private const int Pushers = 64;
    private static readonly TimeSpan Duration =
        TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("BERTH_PUSHERS_SECONDS"), out var seconds) ? seconds : 120);

    [Fact]
    public async Task Many_pushers_lose_nothing_and_get_no_server_error()
    {
        var ct = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder("pushers");
        await using var registry = await RegistryUnderTest.StartBerth(folder, EndToEnd.Harness.Access.Open, ct);
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Pushers * 2 }) { BaseAddress = new Uri($"http://{registry.Address}") };
        var pusher = new Pusher(http);
        var counted = 0;
        var pushed = 0;

        using var time = new CancellationTokenSource(Duration);
        await Parallel.ForEachAsync(Enumerable.Range(0, Pushers), new ParallelOptions { MaxDegreeOfParallelism = Pushers, CancellationToken = ct }, async (worker, token) =>
        {
            for (var round = 0; !time.IsCancellationRequested; round++)
            {
                var succeeded = (round % 4) switch
                {
                    0 => await pusher.PushAsync($"own/{worker}", $"t{round}", SmallImage.Random(), chunked: round % 8 == 0, token),
                    1 => await pusher.PushAsync("shared/same", $"image{round % 8}", SmallImage.Number(round % 8), chunked: worker % 2 == 0, token),
                    2 => await pusher.PushAsync("shared/tag", "latest", SmallImage.Random(), chunked: false, token),
                    _ => await CountUpAsync(http, pusher, token) && Interlocked.Increment(ref counted) > 0,
                };
                if (succeeded) Interlocked.Increment(ref pushed);
                else Assert.Equal(3, round % 4);
            }
        });

        Assert.Empty(pusher.ServerErrors);
        Assert.Empty(await pusher.CheckAsync(pusher.Acknowledged, ct));
        Assert.True(counted > 10, $"only {counted} compare-and-swap pushes succeeded");
        Assert.Equal(counted, await CountAsync(http, ct));
        TestContext.Current.TestOutputHelper?.WriteLine($"{pushed} images, {counted} compare-and-swaps, {pusher.Acknowledged.Count} things acknowledged in {Duration.TotalSeconds:F0} s");
    }

    // Raises the number that the tag's manifest carries by one, if nobody else does so meanwhile.
    private static async Task<bool> CountUpAsync(HttpClient http, Pusher pusher, CancellationToken ct)
    {
        using var current = await http.GetAsync("/v2/shared/counter/manifests/count", ct);
        var count = current.StatusCode == HttpStatusCode.NotFound ? 0 : NumberIn(await current.Content.ReadAsStringAsync(ct));
        var image = SmallImage.Random($"{count + 1}");
        if (!await pusher.PushAsync("shared/counter", image.ManifestDigest.Value, image, chunked: false, ct)) return false;
        var status = await pusher.PushManifestAsync("shared/counter", "count", image, current.Headers.ETag?.Tag ?? "", ct);
        Assert.True(status is HttpStatusCode.Created or HttpStatusCode.PreconditionFailed, $"compare-and-swap answered {status}");
        return status == HttpStatusCode.Created;
    }

    private static async Task<int> CountAsync(HttpClient http, CancellationToken ct) => NumberIn(await http.GetStringAsync("/v2/shared/counter/manifests/count", ct));

    private static int NumberIn(string manifest)
    {
        using var json = JsonDocument.Parse(manifest);
        return int.Parse(json.RootElement.GetProperty("annotations").GetProperty("note").GetString()!);
    }
}
