using System.Collections.Concurrent;
using Berth.Oci;
using Berth.Server.Integrity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Integrity;

/// <summary>A server with two stores in folders, whose files a test can damage.</summary>
internal sealed class IntegrityFixture : IAsyncDisposable
{
    public const string Second = "second";

    private readonly string _second;

    private IntegrityFixture(string second) => _second = second;

    public required RegistryApp App { get; init; }

    /// <summary>Events that were raised, as <c>operation resource</c>.</summary>
    public ConcurrentQueue<string> Events { get; } = new();

    public Database Database => App.Services.GetRequiredService<Database>();

    public static async Task<IntegrityFixture> StartAsync(DatabaseKind kind, Func<BerthOptions, BerthOptions>? more = null)
    {
        IntegrityFixture? fixture = null;
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        var recorder = new Recorder(text => fixture?.Events.Enqueue(text));
        var app = await RegistryApp.StartAsync(kind, more: o =>
        {
            o = o with { Scrub = new() { Enabled = false, BytesPerSecond = 0 }, Gc = new() { Enabled = false }, Storage = o.Storage with { Stores = [new() { Name = Second, Root = folder }] } };
            return more is null ? o : more(o);
        }, services: s => s.AddSingleton<IDomainEventWriter>(recorder));
        return fixture = new IntegrityFixture(folder) { App = app };
    }

    /// <summary>File of a blob in the default store.</summary>
    public string FileOf(Digest digest) => PathIn(BerthStorage.RootOf(App.Options), digest);

    /// <summary>Its file in the second store.</summary>
    public string SecondFileOf(Digest digest) => PathIn(_second, digest);

    /// <summary>Changes one byte of a file.</summary>
    public static void Damage(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    /// <summary>Writes a file with the folders that it lies in.</summary>
    public static void Write(string file, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
    }

    /// <summary>Runs a pass of the scrub.</summary>
    public Task<ScrubState> ScrubAsync(TimeSpan? limit = null, Action<ScrubState>? report = null) =>
        App.Services.GetRequiredService<Scrub>().RunAsync(limit ?? TimeSpan.FromMinutes(1), static _ => { }, report ?? (static _ => { }), CancellationToken.None);

    /// <summary>Runs <c>berth fsck</c> beside the server.</summary>
    public async Task<FsckReport> FsckAsync(FsckOptions? options = null)
    {
        await using var storage = await BerthStorage.OpenAsync(App.Options, TimeProvider.System, CancellationToken.None);
        return await storage.CheckAsync(options ?? new FsckOptions(), static _ => { }, CancellationToken.None);
    }

    /// <summary>Folder of the second store.</summary>
    public string SecondRoot => _second;

    /// <summary>One number of the database.</summary>
    public async Task<long> NumberAsync(string sql) =>
        await Database.ReadAsync(sql, static (session, text, ct) => session.ScalarAsync(new Statement(text), [], ct), CancellationToken.None) ?? -1;

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        Directory.Delete(_second, recursive: true);
    }

    private static string PathIn(string root, Digest digest) => Path.Join(root, "docker/registry/v2/blobs/sha256", digest.Hex[..2].ToString(), digest.Hex.ToString(), "data");

    private sealed class Recorder(Action<string> heard) : IDomainEventWriter
    {
        public ValueTask WriteAsync(DbSession session, DomainEvent domainEvent, CancellationToken ct)
        {
            heard($"{domainEvent.Operation} {domainEvent.Resource}");
            return ValueTask.CompletedTask;
        }
    }
}
