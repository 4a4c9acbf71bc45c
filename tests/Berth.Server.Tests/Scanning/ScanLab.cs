using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Advisories;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Scanning;

/// <summary>A server whose advisories a test writes. Judging again by itself is off, so that tests say when: <see cref="RejudgeAsync"/>.</summary>
internal sealed class ScanLab : IAsyncDisposable
{
    public const string Report = "application/vnd.security.vulnerability.report; version=1.1";

    /// <summary>When the first database was built.</summary>
    public static readonly DateTimeOffset FirstDay = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private int _arrivals;

    private ScanLab(PlatformApp app) => App = app;

    public PlatformApp App { get; }

    public Rejudging Rejudging => App.Services.GetRequiredService<Rejudging>();

    private AdvisoryShelf Shelf => new(Path.Join(App.Registry.Folder, "data", "advisories"));

    public static async Task<ScanLab> StartAsync(DatabaseKind kind, Func<BerthOptions, BerthOptions>? more = null)
    {
        var lab = new ScanLab(await PlatformApp.StartAsync(kind, more));
        await lab.App.Database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await lab.App.Services.GetRequiredService<JobQueue>().PauseAsync(session, RejudgeJob.JobKind, ct);
            return true;
        }, CancellationToken.None);
        await lab.App.AddProjectAsync("p");
        return lab;
    }

    /// <summary>Lets jobs judge again.</summary>
    public Task ResumeAsync() => App.Database.WriteAsync(Durability.Full, async (session, ct) =>
    {
        await App.Services.GetRequiredService<JobQueue>().ResumeAsync(session, RejudgeJob.JobKind, ct);
        return true;
    }, CancellationToken.None);

    /// <summary>Makes a database and uses it.</summary>
    /// <param name="day">Days after the first one.</param>
    /// <param name="advisories">Package of npm, id, first version without the flaw (null: none), severity.</param>
    public void Use(int day, params (string Package, string Id, string? Fixed, Severity Severity)[] advisories)
    {
        // They stand in the order in which they came, whenever they were built.
        var (shelf, path) = (Shelf, Shelf.NewPath(FirstDay.AddDays(1000 + _arrivals++)));
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            foreach (var (package, id, repaired, severity) in advisories)
            {
                builder.Add(new AdvisoryBucket("npm::test", "test"), package, new Advisory(id) { VulnerableVersions = [repaired is null ? ">=0.0.0" : "<" + repaired], PatchedVersions = repaired is null ? [] : [repaired] });
                builder.Add("test", new VulnerabilityDetail(id)
                {
                    Title = $"flaw of {package}",
                    Description = $"{id} lets anybody in, \"quoted\", and more",
                    Severity = severity,
                    Cwes = ["CWE-79", "CWE-80"],
                    References = [$"https://example.com/{id}"],
                    Cvss = new Dictionary<string, CvssScores> { ["nvd"] = new() { V3Score = severity == Severity.Critical ? 9.8 : 5.5, V3Vector = "CVSS:3.1/AV:N" } },
                });
            }
            builder.Complete(FirstDay.AddDays(day), CancellationToken.None);
        }
        shelf.Use(path);
    }

    /// <summary>Goes back to the database before.</summary>
    public void Rollback() => Assert.NotNull(Shelf.Rollback());

    /// <summary>Pushes an image of npm packages and scans it.</summary>
    public async Task<TestImage> PushAsync(string repository, string tag, params (string Name, string Version)[] packages)
    {
        var image = Image(packages);
        await App.PushAsync(repository, tag, image);
        await ScanAsync(repository, tag);
        return image;
    }

    public async Task ScanAsync(string repository, string tag)
    {
        var path = PathOf(repository, tag);
        Assert.Equal(202, (await App.CallAsync("POST", path + "/scan")).Status);
        await Eventually.TrueAsync(async () => (string?)(await App.GetAsync(path + "?with_scan_overview=true"))["scan_overview"]?[Report]?["scan_status"] is "Success" or "Error", $"{repository}:{tag} is scanned");
    }

    /// <summary>Judges again; what was said meanwhile.</summary>
    public async Task<LabLog> RejudgeAsync(Action? judged = null, CancellationToken ct = default)
    {
        var log = new LabLog();
        log.WasDone = await Rejudging.RunAsync(log, judged, ct);
        return log;
    }

    /// <summary>Ids of the findings in an image's report.</summary>
    public async Task<IReadOnlyList<string>> ReportAsync(string repository, string tag) =>
        [.. ((await App.GetAsync(PathOf(repository, tag) + "/additions/vulnerabilities"))[Report]?["vulnerabilities"] as JsonArray ?? []).Select(one => (string)one!["id"]!).Order()];

    /// <summary>Items of the API of findings.</summary>
    public async Task<IReadOnlyList<JsonNode>> FindingsAsync(string query = "", string user = "admin") =>
        [.. (await App.GetAsync("/api/berth/v1/security/findings" + query, user))["items"]!.AsArray().Select(one => one!)];

    public async Task<JsonNode> RoundAsync() => (await App.GetAsync("/api/berth/v1/security/advisories"))["rounds"]![0]!;

    /// <summary>Runs a statement that a test needs to bring about what else takes a crash.</summary>
    public Task<int> ExecuteAsync(string sql, params object?[] values) =>
        App.Database.WriteAsync(Durability.Full, (session, ct) => session.ExecuteAsync(new Statement(sql), values, ct).AsTask(), CancellationToken.None);

    public Task<long?> NumberAsync(string sql, params object?[] values) =>
        App.Database.ReadAsync((sql, values), static (session, q, ct) => session.ScalarAsync(new Statement(q.sql), q.values, ct), CancellationToken.None).AsTask();

    public static string PathOf(string repository, string tag)
    {
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        return $"/api/v2.0/projects/{repository[..slash]}/repositories/{repository[(slash + 1)..]}/artifacts/{tag}";
    }

    /// <summary>An image with a layer for each npm package.</summary>
    public static TestImage Image(params (string Name, string Version)[] packages)
    {
        var layers = packages.Select(static package => Layer(package.Name, package.Version)).ToList();
        var diffIds = string.Join(',', layers.Select(static layer => $"\"sha256:{Convert.ToHexStringLower(SHA256.HashData(layer))}\""));
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{diffIds}}}]}}""");
        var described = string.Join(',', layers.Select(static layer => Describe("application/vnd.oci.image.layer.v1.tar", layer)));
        var manifest = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Describe(MediaTypes.OciConfig, config)}},"layers":[{{described}}]}""";
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest), [config, .. layers]);
    }

    public ValueTask DisposeAsync() => App.DisposeAsync();

    private static byte[] Layer(string name, string version)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"app/node_modules/{name}/package.json")
            {
                ModificationTime = DateTimeOffset.UnixEpoch,
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","version":"{{version}}"}""")),
            });
        }
        return buffer.ToArray();
    }

    private static string Describe(string type, byte[] bytes) => $$"""{"mediaType":"{{type}}","digest":"{{Digest.Of(bytes)}}","size":{{bytes.Length}}}""";
}

/// <summary>What was said while reports were judged again.</summary>
internal sealed class LabLog : IRejudgeLog
{
    public List<string> Lines { get; } = [];

    public int Judged { get; private set; }

    public bool WasDone { get; set; }

    public void Log(string text) => Lines.Add(text);

    public void Report(int done, int of) => Judged++;
}
