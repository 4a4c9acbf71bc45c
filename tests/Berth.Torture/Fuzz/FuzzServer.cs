using System.Diagnostics;
using System.Text.RegularExpressions;
using Berth.Server;
using Berth.Server.Access;
using Microsoft.AspNetCore.Builder;

namespace Berth.Torture.Fuzz;

/// <summary>
/// The server in this process, open to all, between files that it must not touch. One seed makes one run: <c>BERTH_FUZZ_SEED</c> repeats it,
/// <c>BERTH_FUZZ_SECONDS</c> (5) sets how long each loop goes on.
/// </summary>
internal sealed class FuzzServer : IAsyncDisposable
{
    private static readonly Regex StoredName = new(
        "^(docker(/registry(/v2(/blobs(/sha(256|512)(/[0-9a-f]{2}(/[0-9a-f]{64,128}(/data)?)?)?)?)?)?)?|berth(/(probe|blobs|uploads(/[0-9a-f]{32})?))?)$",
        RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    private readonly string _root = Directory.CreateTempSubdirectory("berth-fuzz-").FullName;
    private WebApplication? _app;
    private string[] _outside = [];

    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable("BERTH_FUZZ_SEED"), out var seed) ? seed : Environment.TickCount;

    public static TimeSpan Duration { get; } = TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("BERTH_FUZZ_SECONDS"), out var seconds) ? seconds : 5);

    public RawHttp Http { get; private set; } = null!;

    private string Data => Path.Join(_root, "data");

    public static async Task<FuzzServer> StartAsync()
    {
        var server = new FuzzServer();
        Directory.CreateDirectory(Path.Join(server._root, "etc"));
        await File.WriteAllTextAsync(Path.Join(server._root, "etc/passwd"), "canary");
        await File.WriteAllTextAsync(Path.Join(server._root, "latest"), "canary");
        server._app = await BerthServer.BuildAsync(new BerthOptions
        {
            DataFolder = server.Data,
            Http = new() { Urls = ["http://127.0.0.1:0"] },
            Storage = new() { MinFreeBytes = 0 },
            Access = new() { Mode = AccessMode.Open },
        }, null, CancellationToken.None);
        await server._app.StartAsync();
        server.Http = new RawHttp(new Uri(server._app.Urls.First()).Port);
        server._outside = server.Outside();
        return server;
    }

    /// <summary>Does something with one random source after the other until the time is up; says with which one it failed.</summary>
    public static async Task LoopAsync(Func<Random, Task> once)
    {
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; Stopwatch.GetElapsedTime(started) < Duration; round++)
        {
            try
            {
                await once(new Random(unchecked(Seed + round)));
            }
            catch (Exception e)
            {
                throw new FuzzFailedException($"BERTH_FUZZ_SEED={unchecked(Seed + round)} repeats this", e);
            }
        }
    }

    /// <summary>The files around are what they were, and inside there is nothing under a name that the server does not give.</summary>
    public async Task MustHaveStayedInsideAsync()
    {
        Assert.Equal(_outside, Outside());
        Assert.Equal("canary", await File.ReadAllTextAsync(Path.Join(_root, "etc/passwd")));
        Assert.Equal("canary", await File.ReadAllTextAsync(Path.Join(_root, "latest")));
        var storage = Path.Join(Data, "storage");
        foreach (var path in Directory.EnumerateFileSystemEntries(storage, "*", SearchOption.AllDirectories)) Assert.Matches(StoredName, Path.GetRelativePath(storage, path));
        // And it still works.
        Assert.Equal(200, (await Http.SendAsync("GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray()))!.Status);
    }

    public async ValueTask DisposeAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    private string[] Outside() =>
        [.. Directory.EnumerateFileSystemEntries(_root, "*", SearchOption.AllDirectories).Where(p => !p.StartsWith(Data + "/storage/", StringComparison.Ordinal) && !Path.GetFileName(p).StartsWith("berth.db", StringComparison.Ordinal)).Order()];
}

/// <summary>A loop found something; the message says how to see it again.</summary>
internal sealed class FuzzFailedException(string message, Exception inner) : Exception(message, inner);
