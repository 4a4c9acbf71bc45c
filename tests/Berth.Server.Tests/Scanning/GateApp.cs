using System.Collections.Concurrent;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Scanning;

/// <summary>The system's clock, moved by a time that tests set.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    public TimeSpan Shift { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Shift;
}

/// <summary>Servers with advisories for a few made-up packages, one for each database, shared by the tests of a class; each test has projects of its own.</summary>
public sealed class GateServers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<DatabaseKind, Lazy<Task<GateApp>>> _apps = new();
    private static int s_projects;

    /// <summary>A new project with a reader (<c>reader</c>, a guest).</summary>
    internal async Task<GateProject> ProjectAsync(DatabaseKind kind, bool isPublic = false)
    {
        RegistryApp.SkipWithout(kind);
        var on = await _apps.GetOrAdd(kind, static k => new Lazy<Task<GateApp>>(() => GateApp.StartAsync(k))).Value;
        on.Time.Shift = TimeSpan.Zero;
        var name = $"p{Interlocked.Increment(ref s_projects)}";
        await on.App.AddProjectAsync(name, isPublic);
        await on.App.AddMemberAsync(name, "reader", 3);
        return new GateProject(on, name);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps.Values) await (await app.Value).App.DisposeAsync();
    }
}

/// <summary>A server and its clock.</summary>
internal sealed record GateApp(PlatformApp App, ShiftedTime Time)
{
    public static async Task<GateApp> StartAsync(DatabaseKind kind)
    {
        var time = new ShiftedTime();
        var app = await PlatformApp.StartAsync(kind, services: services => services.AddSingleton<TimeProvider>(time));
        var shelf = new AdvisoryShelf(Path.Join(app.Registry.Folder, "data", "advisories"));
        var path = shelf.NewPath(DateTimeOffset.UnixEpoch);
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            var bucket = new AdvisoryBucket("npm::test", "test");
            builder.Add(bucket, "left-pad", new Advisory("CVE-2020-1") { VulnerableVersions = ["<1.3.1"], PatchedVersions = ["1.3.1"], VendorIds = ["GHSA-1111-2222-3333"] });
            builder.Add(bucket, "right-pad", new Advisory("CVE-2020-2") { VulnerableVersions = [">=0.0.1"] });
            builder.Add("test", new VulnerabilityDetail("CVE-2020-1") { Severity = Severity.High });
            builder.Add("test", new VulnerabilityDetail("CVE-2020-2") { Severity = Severity.Medium });
            builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
        }
        shelf.Use(path);
        await app.AddUserAsync("reader");
        return new GateApp(app, time);
    }
}

/// <summary>A project of a test.</summary>
internal sealed record GateProject(GateApp On, string Name)
{
    public const string Report = "application/vnd.security.vulnerability.report; version=1.1";

    public PlatformApp App => On.App;

    public string Artifact(string reference) => $"/api/v2.0/projects/{Name}/repositories/web/artifacts/{reference}";

    public string Own(string path) => $"/api/berth/v1/projects/{Name}{path}";

    /// <summary>Changes settings of the project.</summary>
    public async Task SetAsync(params (string Key, string Value)[] settings)
    {
        var metadata = new JsonObject([.. settings.Select(s => KeyValuePair.Create<string, JsonNode?>(s.Key, s.Value))]);
        var answer = await App.CallAsync("PUT", $"/api/v2.0/projects/{Name}", body: new JsonObject { ["metadata"] = metadata }.ToJsonString());
        Assert.True(answer.Status == 200, answer.Body);
    }

    /// <summary>Pushes an image, and scans it.</summary>
    public async Task PushScannedAsync(string reference, TestImage image, string status = "Success")
    {
        await App.PushAsync($"{Name}/web", reference, image);
        await ScanAsync(reference, status);
    }

    public async Task ScanAsync(string reference, string status = "Success")
    {
        Assert.Equal(202, (await App.CallAsync("POST", Artifact(reference) + "/scan")).Status);
        await Eventually.TrueAsync(async () => (string?)(await App.GetAsync($"{Artifact(reference)}?with_scan_overview=true"))["scan_overview"]?[Report]?["scan_status"] == status, $"{reference} is scanned: {status}");
    }

    public Task<Answer> GetAsync(string reference, string user = "reader") => App.Registry.GetAsync($"/v2/{Name}/web/manifests/{reference}", Headers(user));

    public Task<Answer> HeadAsync(string reference, string user = "reader") => App.Registry.HeadAsync($"/v2/{Name}/web/manifests/{reference}", Headers(user));

    /// <summary>Status of a GET as soon as it is the one that is expected: a verdict is believed for two seconds.</summary>
    public Task BecomesAsync(string reference, int status) => Eventually.TrueAsync(async () => (await GetAsync(reference)).Status == status, $"{reference} is answered {status}");

    /// <summary>Brings a document; its id.</summary>
    public async Task<long> AddExceptionAsync(string kind, string content, string? repository = null, DateTimeOffset? expiresAt = null, string? note = null)
    {
        var answer = await App.CallAsync("POST", Own("/exceptions"), body: BodyOf(kind, content, repository, expiresAt, note));
        Assert.True(answer.Status == 201, answer.Body);
        return answer.Json["id"]!.GetValue<long>();
    }

    public static string BodyOf(string kind, string content, string? repository = null, DateTimeOffset? expiresAt = null, string? note = null, string name = "exceptions") => new JsonObject
    {
        ["kind"] = kind,
        ["name"] = name,
        ["content"] = content,
        ["repository"] = repository,
        ["expires_at"] = expiresAt?.ToString("O"),
        ["note"] = note,
    }.ToJsonString();

    /// <summary>Makes the row of a scan say something else.</summary>
    public Task SetScanAsync(TestImage image, string set) => App.Database.WriteAsync(Durability.Full, async (session, ct) =>
        await session.ExecuteAsync(new Statement($"UPDATE artifact_scans SET {set} WHERE manifest_id IN (SELECT m.id FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE m.digest = @0 AND r.name = @1)"),
            [image.Digest.Value, $"{Name}/web"], ct) > 0, CancellationToken.None);

    private static (string, string)[] Headers(string user) => user.Length == 0 ? [] : [PlatformApp.As(user)];

    /// <summary>An image with npm packages.</summary>
    public static TestImage Image(params (string Name, string Version)[] packages)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, version) in packages)
            {
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"app/node_modules/{name}/package.json")
                {
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","version":"{{version}}"}""")),
                });
            }
        }
        var layer = buffer.ToArray();
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:{{{Convert.ToHexStringLower(SHA256.HashData(layer))}}}"]}}""");
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = TestImage.Describe(MediaTypes.OciConfig, config),
            ["layers"] = new JsonArray(TestImage.Describe("application/vnd.oci.image.layer.v1.tar", layer)),
        };
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), [config, layer]);
    }

    /// <summary>An artifact about another manifest with one document as its layer.</summary>
    public static TestImage Attachment(TestImage subject, string type, string content)
    {
        var layer = Encoding.UTF8.GetBytes(content);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = type,
            ["config"] = TestImage.Describe(MediaTypes.OciEmpty, "{}"u8.ToArray()),
            ["layers"] = new JsonArray(TestImage.Describe(type, layer)),
            ["subject"] = subject.Descriptor,
        };
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), ["{}"u8.ToArray(), layer]);
    }

    /// <summary>An OpenVEX document that takes a vulnerability out of a product.</summary>
    public static string OpenVex(string vulnerability, string product, string justification = "vulnerable_code_not_in_execute_path") => $$"""
        {"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.test/vex","author":"team","timestamp":"2026-01-01T00:00:00Z","version":1,
         "statements":[{"vulnerability":{"name":"{{vulnerability}}"},"products":[{"@id":"{{product}}"}],"status":"not_affected","justification":"{{justification}}"}]}
        """;
}
