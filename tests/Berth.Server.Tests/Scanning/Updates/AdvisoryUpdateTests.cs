using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Client;
using Berth.Client.Credentials;
using Berth.Oci;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Database;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Updates;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Scanning.Updates;

public sealed class AdvisoryUpdateTests : IDisposable
{
    private const string Advisories = "/api/berth/v1/advisories";

    private readonly string folder = Directory.CreateTempSubdirectory("berth-updates-").FullName;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, MemberData(nameof(Kinds))]
    public async Task Sources_of_the_settings_are_asked_and_what_they_have_is_in_force_on_all_replicas_until_it_is_taken_back(DatabaseKind kind)
    {
        await using var source = await RegistryApp.StartAsync(DatabaseKind.Sqlite);
        var reference = $"{source.Address.Authority}/security/advisories:1";
        await PushAsync(reference, 1);
        await using var app = await PlatformApp.StartAsync(kind, o => o with
        {
            Advisories = new() { Sources = [reference] },
            Storage = o.Storage with { Root = Path.Join(folder, "storage") },
            Access = o.Access with { SecretKey = Convert.ToBase64String(new byte[32]) },
        });
        // A replica on another machine: it has the database and the store in common, and a folder of its own.
        await using var replica = kind == DatabaseKind.Postgres ? await app.AddReplicaAsync(o => o with { DataFolder = Path.Join(folder, "other") }) : null;
        PlatformApp[] all = replica is null ? [app] : [app, replica];
        foreach (var one in all) await InForceAsync(one, 1);

        await PushAsync(reference, 2);
        Assert.Equal(202, (await app.CallAsync("POST", Advisories + "/update")).Status);
        foreach (var one in all) await InForceAsync(one, 2);
        var state = await app.GetAsync(Advisories);
        Assert.Equal(("Success", false, reference), ((string?)state["last_update"]!["status"], state["is_old"]!.GetValue<bool>(), (string?)state["updates_from"]![0]));
        Assert.Equal([true, false], state["releases"]!.AsArray().Select(static r => r!["is_in_force"]!.GetValue<bool>()));

        Assert.Equal(200, (await app.CallAsync("POST", Advisories + "/rollback")).Status);
        foreach (var one in all) await InForceAsync(one, 1);
        Assert.Equal(200, (await app.CallAsync("POST", $"{Advisories}/rollback?release={state["releases"]![0]!["id"]}")).Status);
        foreach (var one in all) await InForceAsync(one, 2);
        Assert.Equal(404, (await app.CallAsync("POST", Advisories + "/rollback?release=999")).Status);
        Assert.Contains("berth_advisory_age_seconds ", (await app.Registry.GetAsync(app.Registry.Options.Metrics.Path)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_asks_for_credentials_gets_those_of_the_settings_and_nobody_sees_them()
    {
        await using var source = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await source.CreateAsync("/api/v2.0/projects", """{"project_name":"security"}""");
        var reference = $"{source.Registry.Address.Authority}/security/advisories:1";
        await PushAsync(reference, 3, new RegistryCredential { UserName = "admin", Password = PlatformApp.Password });

        const string Wrong = "not-the-password";
        await using var refused = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with { Advisories = new() { Sources = [reference], Username = "admin", Password = Wrong } });
        JsonNode? state = null;
        await Eventually.TrueAsync(async () => (string?)(state = await refused.GetAsync(Advisories))["last_update"]?["error"] is not null, "the update is refused");
        Assert.Contains("401", (string?)state!["last_update"]!["error"], StringComparison.Ordinal);
        Assert.DoesNotContain(Wrong, state.ToJsonString(), StringComparison.Ordinal);

        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with { Advisories = new() { Sources = [reference], Username = "admin", Password = PlatformApp.Password } });
        await InForceAsync(app, 3);
        Assert.DoesNotContain(PlatformApp.Password, (await app.GetAsync(Advisories)).ToJsonString(), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_bundle_is_taken_over_from_administrators_when_a_trusted_key_has_signed_it_and_the_oldest_go(DatabaseKind kind)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = Path.Join(folder, "bundle.pub");
        await File.WriteAllTextAsync(key, ecdsa.ExportSubjectPublicKeyInfoPem(), Ct);
        using var signer = BundleKey.Parse(ecdsa.ExportPkcs8PrivateKeyPem());
        await using var app = await PlatformApp.StartAsync(kind, o => o with { Advisories = new() { Keys = [key] } });
        await app.AddUserAsync("ann");
        Assert.False((await app.GetAsync(Advisories, "ann"))["is_there"]!.GetValue<bool>());
        Assert.Equal(403, (await UploadAsync(app, await BundleAsync(1, signer), "ann")).Status);
        Assert.Equal(400, (await UploadAsync(app, await BundleAsync(1, null))).Status);
        Assert.Equal(400, (await UploadAsync(app, Encoding.UTF8.GetBytes("no bundle"))).Status);
        for (var count = 1; count <= 4; count++)
        {
            var answer = await UploadAsync(app, await BundleAsync(count, signer));
            Assert.True(answer.Status == 200, answer.Text);
            await InForceAsync(app, count);
        }
        var releases = (await app.GetAsync(Advisories, "ann"))["releases"]!.AsArray();
        Assert.Equal(3, releases.Count);
        Assert.Equal("admin", (string?)releases[0]!["actor"]);
        Assert.Equal(1L, await app.Database.ReadAsync(0, static (session, _, ct) => session.ScalarAsync(s_reviewed, [], ct), Ct));
        Assert.Equal(409, (await app.CallAsync("POST", Advisories + "/update")).Status);
        Assert.Equal(403, (await app.CallAsync("POST", Advisories + "/rollback", "ann")).Status);
    }

    [Fact]
    public async Task Without_sources_nobody_is_asked_and_a_source_inside_leads_nowhere_else()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        Assert.Equal(0L, await app.Database.ReadAsync(0, static (session, _, ct) => session.ScalarAsync(s_schedules, [], ct), Ct));
        Assert.Equal(409, (await UploadAsync(app, await BundleAsync(1, null))).Status);
        // 127.0.0.1 is named, the address that it sends the client to is not.
        await using var source = await ScriptedSource.StartAsync("http://127.0.0.2:1/v2/secret");
        await using var guarded = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with { Advisories = new() { Sources = [$"{source.Host}/x/y:1"] } });
        string? error = null;
        await Eventually.TrueAsync(async () => (error = (string?)(await guarded.GetAsync(Advisories))["last_update"]?["error"]) is not null, "the update has failed");
        Assert.Contains("127.0.0.2 is refused", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schedule_and_the_sources_are_checked_before_the_start()
    {
        Assert.Throws<InvalidDataException>(() => AdvisoryUpdateJob.SourcesOf(new AdvisoryOptions { Sources = ["UPPER"] }));
        Assert.Equal(2, Assert.Single(AdvisoryUpdateJob.SourcesOf(new AdvisoryOptions { Sources = ["a.example.com/x:1, b.example.com/x:1"] })).Mirrors.Count);
    }

    private static async Task InForceAsync(PlatformApp app, int advisories)
    {
        JsonNode? state = null;
        await Eventually.TrueAsync(async () =>
        {
            state = await app.GetAsync(Advisories);
            // What an update has built is in use here before it is in force everywhere.
            return state["advisories"]!.GetValue<int>() == advisories && (state["last_update"] is null || (string?)state["last_update"]!["status"] == "Success")
                && state["releases"]!.AsArray() is [{ } current, ..] && Milliseconds(current["built_at"]) == Milliseconds(state["built_at"]);
        }, $"{advisories} advisories are in force");
    }

    private static long? Milliseconds(JsonNode? time) => time?.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds();

    private static async Task<Answer> UploadAsync(PlatformApp app, byte[] bundle, string user = "admin") => await app.Registry.PostAsync(Advisories, bundle, PlatformApp.As(user), ("Content-Type", "application/x-tar"));

    private async Task<byte[]> BundleAsync(int advisories, BundleKey? key)
    {
        var path = Path.Join(folder, $"{Path.GetRandomFileName()}.db");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            for (var i = 0; i < advisories; i++) builder.Add(new AdvisoryBucket("npm::test", "test"), "left-pad", new Advisory($"CVE-2020-{i}") { VulnerableVersions = ["<1.3.1"] });
            builder.Complete(TimeProvider.System.GetUtcNow(), Ct);
        }
        var bundle = new MemoryStream();
        await AdvisoryBundle.WriteAsync(path, key, bundle, Ct);
        return bundle.ToArray();
    }

    // Lines of advisories, as somebody pushes a file with oras.
    private static async Task PushAsync(string reference, int advisories, RegistryCredential? credential = null)
    {
        var target = ImageReference.Parse(reference);
        using var client = new RegistryClient(new RegistryClientOptions { UsesPlainHttp = true }, new GivenCredential(credential), TimeProvider.System);
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, advisories).Select(static i => $$"""{"id":"CVE-2020-{{i}}","ecosystem":"npm","package":"left-pad","vulnerable_versions":["<1.3.1"]}""" + "\n")));
        var empty = "{}"u8.ToArray();
        foreach (var blob in (byte[][])[lines, empty]) await client.Uploads.PushBlobAsync(target, Digest.Of(blob), blob.Length, () => new MemoryStream(blob), Ct);
        var layer = TestImage.Describe("application/jsonl", lines);
        layer["annotations"] = new JsonObject { ["org.opencontainers.image.title"] = "npm.jsonl" };
        var manifest = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["config"] = TestImage.Describe(MediaTypes.OciEmpty, empty), ["layers"] = new JsonArray(layer) };
        await client.Uploads.PushManifestAsync(target, MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), Ct);
    }

    private static readonly Statement s_reviewed = new("SELECT count(*) FROM blob_reviews WHERE repository_id = 0");
    private static readonly Statement s_schedules = new("SELECT count(*) FROM job_schedules WHERE kind = 'advisory_update'");
}
