using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Client;
using Berth.Client.Credentials;
using Berth.Oci;
using Berth.Server;
using Berth.Server.Access;
using Berth.Server.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Tests;

/// <summary>The commands that ask registries, against a running Berth.</summary>
public sealed class RegistryScanTests : IAsyncLifetime
{
    private const string Password = "Harbor12345";

    private readonly string folder = Directory.CreateTempSubdirectory("berth-registry-scan-").FullName;
    private WebApplication? server;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Host => new Uri(server!.Urls.First()).Authority;

    private string Db => Path.Join(folder, "db");

    public async ValueTask InitializeAsync()
    {
        server = await BerthServer.BuildAsync(new BerthOptions
        {
            DataFolder = Path.Join(folder, "data"),
            Http = new() { Urls = ["http://127.0.0.1:0"] },
            Storage = new() { MinFreeBytes = 0 },
            Access = new() { Mode = AccessMode.Local },
        }, null, Ct);
        await server.StartAsync(Ct);
        await server.Services.GetRequiredService<FirstAdmin>().EnsureAsync(Password, Ct);
        var source = Directory.CreateDirectory(Path.Join(folder, "source")).FullName;
        await File.WriteAllTextAsync(
            Path.Join(source, "npm.jsonl"), """{"id":"CVE-2020-1","ecosystem":"npm","package":"left-pad","vulnerable_versions":["<1.3.1"],"patched_versions":["1.3.1"],"severity":"high"}""" + "\n", Ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task An_image_of_a_registry_is_scanned_by_tag_digest_and_platform_and_its_layers_are_read_once()
    {
        await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        var digest = await PushAsync();
        var (code, output, error) = await Run(["scan", $"{Host}/library/web:1", "--format", "json", "--exit-code", "5", .. Flags]);
        Assert.Equal(5, code);
        Assert.Contains("1 layers, 0 of them known", error, StringComparison.Ordinal);
        var report = JsonNode.Parse(output)!;
        Assert.Equal(($"{Host}/library/web:1", "container_image"), ((string?)report["ArtifactName"], (string?)report["ArtifactType"]));
        Assert.Equal($"{Host}/library/web@{digest}", (string?)report["Metadata"]!["RepoDigests"]![0]);
        var found = report["Results"]!.AsArray().SelectMany(static r => r!["Vulnerabilities"]?.AsArray() ?? []).Single()!;
        Assert.Equal(("CVE-2020-1", "1.3.0"), ((string?)found["VulnerabilityID"], (string?)found["InstalledVersion"]));

        Assert.Contains("1 of them known", (await Run(["scan", $"{Host}/library/web@{digest}", "--platform", "linux/amd64", .. Flags])).Error, StringComparison.Ordinal);
        Assert.Equal("HIGH left-pad", (await Run(["scan", $"{Host}/library/web:1", "--format", "template", "--template", "{{ range . }}{{ range .Vulnerabilities }}{{ .Severity }} {{ .PkgName }}{{ end }}{{ end }}", .. Flags])).Output);
        Assert.Equal(0, (await Run(["scan", $"{Host}/library/web:1", "--exit-code", "5", "--skip-dirs", "/node_modules", .. Flags])).Code);
        Assert.Equal(0, (await Run(["scan", $"{Host}/library/web:1", "--exit-code", "5", "--ignore-status", "fixed", .. Flags])).Code);
        Assert.Equal(7, (await Run(["scan", $"{Host}/library/web:1", "--exit-on-eol", "7", "--skip-dirs", "node_modules", .. Flags])).Code);
    }

    [Fact]
    public async Task The_bill_of_materials_of_an_image_of_a_registry_is_written_without_advisories()
    {
        var digest = await PushAsync();
        var (code, output, error) = await Run(["sbom", $"{Host}/library/web:1", "--platform", "linux/amd64", .. Login]);
        Assert.Equal((0, ""), (code, error));
        var bom = JsonNode.Parse(output)!;
        Assert.Contains("pkg:npm/left-pad@1.3.0", bom["components"]!.AsArray().Select(static one => (string?)one!["purl"]));
        Assert.Contains(digest.Value, output, StringComparison.Ordinal);
        var spdx = await Run(["sbom", $"{Host}/library/web@{digest}", "--format", "spdx-json", .. Login]);
        Assert.Contains(JsonNode.Parse(spdx.Output)!["packages"]!.AsArray(), static one => (string?)one!["name"] == "left-pad");
        Assert.Equal(1, (await Run(["sbom", $"{Host}/library/none:1", .. Login])).Code);
        Assert.Equal(2, (await Run(["sbom", $"{Host}/library/web:1", "--input", "x", .. Login])).Code);
        Assert.Equal(2, (await Run(["sbom", "Web:1", .. Login])).Code);
    }

    [Theory]
    [InlineData("scan {host}/library/none:1 {flags}", 1, "404")]
    [InlineData("scan {host}/private/web:1 --db {db} --username admin --password s3cr3tword", 1, "401")]
    [InlineData("scan {host}/library/web:1 --platform linux {flags}", 2, "--platform")]
    [InlineData("scan Web:1 {flags}", 2, "no name of a repository")]
    [InlineData("scan {host}/library/web:1 --input x {flags}", 2, "give either")]
    [InlineData("scan {host}/library/web:1 --image-src docker {flags}", 2, "--image-src")]
    [InlineData("scan {host}/library/web:1 --db {db} --username admin", 2, "together")]
    [InlineData("scan {host}/library/web:1 --format template {flags}", 2, "--template")]
    [InlineData("scan {host}/library/web:1 --format template --template {{ {flags}", 2, "line 1")]
    [InlineData("scan {host}/library/web:1 --timeout soon {flags}", 2, "--timeout")]
    [InlineData("scan {host}/library/web:1 --db nowhere", 1, "berth db update")]
    public async Task What_is_wrong_is_told(string line, int code, string expected)
    {
        await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        string[] args = [.. line.Split(' ').SelectMany(word => word == "{flags}" ? Flags : [word.Replace("{host}", Host, StringComparison.Ordinal).Replace("{db}", Db, StringComparison.Ordinal)])];
        var result = await Run(args);
        Assert.Equal(code, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3tword", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signed_bundle_goes_through_the_registry_and_is_fetched_only_when_it_is_another()
    {
        await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (secret, open) = (Path.Join(folder, "key.pem"), Path.Join(folder, "pub.pem"));
        await File.WriteAllTextAsync(secret, key.ExportPkcs8PrivateKeyPem(), Ct);
        await File.WriteAllTextAsync(open, key.ExportSubjectPublicKeyInfoPem(), Ct);
        var pushed = await Run(["db", "export", "--push", $"{Host}/library/advisories:latest", "--sign-key", secret, "--db", Db, .. Login]);
        Assert.Equal((0, ""), (pushed.Code, pushed.Error));

        var other = Path.Join(folder, "other");
        string[] update = ["db", "update", "--source", $"{Host}/library/none:1,{Host}/library/advisories:latest", "--db", other, .. Login];
        Assert.Contains("no key", (await Run(update)).Error, StringComparison.Ordinal);
        Assert.Equal(1, (await Run([.. update, "--key", secret.Replace("key.pem", "none.pem", StringComparison.Ordinal)])).Code);
        var first = await Run([.. update, "--key", open]);
        Assert.True(first.Code == 0, first.Error);
        Assert.Contains("1 advisories", first.Output, StringComparison.Ordinal);
        Assert.Contains("404", first.Error, StringComparison.Ordinal);
        var again = await Run([.. update, "--key", open]);
        Assert.Contains("are what the database was made of", again.Error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(other, "*.advisories.db"));
        Assert.Equal(0, (await Run([.. update, "--key", open, "--force", "--quiet"])).Code);
        Assert.Equal(2, Directory.GetFiles(other, "*.advisories.db").Length);
        Assert.Equal(0, (await Run("db", "rollback", "--db", other)).Code);
        var before = await File.ReadAllTextAsync(Path.Join(other, "current"), Ct);
        Assert.Contains("was replaced", (await Run([.. update, "--key", open])).Error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(Path.Join(other, "current"), Ct));

        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(open, stranger.ExportSubjectPublicKeyInfoPem(), Ct);
        Assert.Contains("trusted key", (await Run([.. update, "--key", open, "--force"])).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_an_artifact_are_built_into_a_database_and_what_an_update_fetched_is_not_fetched_again()
    {
        using var client = NewClient();
        var file = await File.ReadAllBytesAsync(Path.Join(folder, "source", "npm.jsonl"), Ct);
        await PushBlobsAsync(client, "library/files", "{}"u8.ToArray(), file);
        var manifest = Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"application/vnd.example","config":{{{Described(MediaTypes.OciEmpty, "{}"u8.ToArray())}}},"layers":[{{{Described("application/jsonl", file)[..^1]}}},"annotations":{"org.opencontainers.image.title":"../npm.jsonl"}}]}""");
        await client.Uploads.PushManifestAsync(ImageReference.Parse($"{Host}/library/files:1"), MediaTypes.OciManifest, manifest, Ct);
        Directory.CreateDirectory(Path.Join(Db, "download"));
        // Of an update that was cut off: half of the file.
        await File.WriteAllBytesAsync(Path.Join(Db, "download", $"{Digest.Of(file).Hex}.part"), file[..40], Ct);
        var result = await Run(["db", "update", "--source", $"{Host}/library/files:1", "--db", Db, "--json", .. Login]);
        Assert.True(result.Code == 0, result.Error);
        Assert.Equal(1, JsonNode.Parse(result.Output)!["advisories"]!.GetValue<int>());
        Assert.False(Directory.Exists(Path.Join(Db, "download")));
        Assert.Equal(2, (await Run("db", "update", "--source", "UPPER", "--db", Db)).Code);
    }

    [Fact]
    public async Task The_images_of_documents_are_scanned_each_once()
    {
        await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        await PushAsync();
        var file = Path.Join(folder, "pods.yaml");
        await File.WriteAllTextAsync(file, $$"""
            kind: Deployment
            metadata: {name: web, namespace: shop}
            spec: {template: {spec: {containers: [{name: a, image: "{{Host}}/library/web:1"}, {name: b, image: "{{Host}}/library/web:1"}] } } }
            """, Ct);
        var (code, output, error) = await Run(["scan", "k8s", file, "--exit-code", "5", .. Flags]);
        Assert.True(code == 5, error);
        Assert.Matches(@"shop +Deployment/web +1 +0 +1 +0", output);
        Assert.Contains("1 of 1", error, StringComparison.Ordinal);
        await File.AppendAllTextAsync(file, $"\n---\nkind: Pod\nmetadata: {{name: gone}}\nspec: {{containers: [{{image: \"{Host}/library/gone:1\"}}]}}\n", Ct);
        var part = await Run(["scan", "k8s", file, "--format", "json", "--report", "all", .. Flags]);
        Assert.Equal(1, part.Code);
        var json = JsonNode.Parse(part.Output)!;
        Assert.Equal($"{Host}/library/gone:1", (string?)json["Errors"]![0]!["Image"]);
        Assert.Contains("CVE-2020-1", json["Findings"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(1, (await Run(["scan", "k8s", "--kubeconfig", Path.Join(folder, "none"), .. Flags])).Code);
        Assert.Equal(2, (await Run(["scan", "k8s", file, "--format", "sarif", .. Flags])).Code);
    }

    private static string[] Login => ["--username", "admin", "--password", Password];

    private string[] Flags => ["--db", Db, .. Login];

    private async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var environment = new CommandEnvironment(new Dictionary<string, string> { ["XDG_CACHE_HOME"] = Path.Join(folder, "cache") }, (_, _) => Task.FromResult(0));
        var code = await CommandLine.RunAsync(CommandLine.Berth(environment), args, output, error, Ct);
        return (code, output.ToString(), error.ToString());
    }

    private static RegistryClient NewClient() => new(new RegistryClientOptions(), new GivenCredential(new RegistryCredential { UserName = "admin", Password = Password }), TimeProvider.System);

    // An image of an old Alpine with one npm package.
    private async Task<Digest> PushAsync()
    {
        using var client = NewClient();
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, text) in new[] { ("node_modules/left-pad/package.json", """{"name":"left-pad","version":"1.3.0"}"""), ("etc/os-release", "ID=alpine\nVERSION_ID=3.12.1\n") })
                writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
        var layer = new MemoryStream();
        using (var gzip = new GZipStream(layer, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(tar.ToArray());
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:{{{Convert.ToHexStringLower(SHA256.HashData(tar.ToArray()))}}}"]}}""");
        await PushBlobsAsync(client, "library/web", config, layer.ToArray());
        var manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Described(MediaTypes.OciConfig, config)}},"layers":[{{Described("application/vnd.oci.image.layer.v1.tar+gzip", layer.ToArray())}}]}""");
        return await client.Uploads.PushManifestAsync(ImageReference.Parse($"{Host}/library/web:1"), MediaTypes.OciManifest, manifest, Ct);
    }

    private async Task PushBlobsAsync(RegistryClient client, string repository, params byte[][] blobs)
    {
        foreach (var blob in blobs) await client.Uploads.PushBlobAsync(ImageReference.Parse($"{Host}/{repository}"), Digest.Of(blob), blob.Length, () => new MemoryStream(blob), Ct);
    }

    private static string Described(string type, byte[] bytes) => $$"""{"mediaType":"{{type}}","digest":"{{Digest.Of(bytes)}}","size":{{bytes.Length}}}""";
}
