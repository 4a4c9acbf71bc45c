using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Berth.Client.Credentials;
using Berth.Oci;
using Berth.Server;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Tests.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Client.Tests;

/// <summary>The client against real registries: Berth with accounts, Berth over TLS, and Docker Registry 2.8 where it is installed.</summary>
public sealed class RealRegistryTests : IDisposable
{
    private const string Password = "Harbor12345";

    private readonly string folder = Directory.CreateTempSubdirectory("berth-client-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Everything_goes_through_Berth_signed_in_with_a_token()
    {
        await using var app = await BerthAsync(o => o);
        await app.Services.GetRequiredService<FirstAdmin>().EnsureAsync(Password, Ct);
        var host = new Uri(app.Urls.First()).Authority;
        using var client = Client(new RegistryCredential { UserName = "admin", Password = Password });
        await PushAndPullAsync(client, host, hasReferrers: true);
        // Everybody may look into "library"; into no other project.
        using var nobody = Client(null);
        Assert.Equal(RegistryFailure.Unauthorized, (await Assert.ThrowsAsync<RegistryException>(() => nobody.Uploads.HasBlobAsync(ImageReference.Parse($"{host}/closed/x"), Digest.Of([1]), Ct))).Failure);
    }

    [Fact]
    public async Task A_registry_with_an_authority_of_its_own_is_trusted_only_when_told_so()
    {
        using var certificates = new TestCertificates();
        using var authority = TestCertificates.Authority("test authority");
        using var certificate = TestCertificates.Issue(authority, "registry");
        certificates.Save(certificate, "tls.crt", "tls.key");
        await using var app = await BerthAsync(o => o with
        {
            Access = new() { Mode = AccessMode.Open },
            Http = new() { Urls = ["https://127.0.0.1:0"], Tls = new() { Certificate = certificates.Path("tls.crt"), Key = certificates.Path("tls.key") } },
        });
        var host = new Uri(app.Urls.First()).Authority;
        using var trusting = Client(null, o => o with { Authorities = [X509CertificateLoader.LoadCertificate(authority.RawData)] });
        await PushAndPullAsync(trusting, host, hasReferrers: true);
        using var insecure = Client(null, o => o with { IsInsecure = true });
        Assert.NotEmpty(await insecure.TagsAsync(ImageReference.Parse($"{host}/library/x"), Ct));
        using var strict = Client(null);
        Assert.Equal(RegistryFailure.Unreachable, (await Assert.ThrowsAsync<RegistryException>(() => strict.TagsAsync(ImageReference.Parse($"{host}/library/x"), Ct))).Failure);
    }

    [Fact]
    public async Task Docker_Registry_is_spoken_to_too()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(static p => Path.Join(p, "docker-registry")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "docker-registry is not installed");
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        var config = Path.Join(folder, "config.yml");
        await File.WriteAllTextAsync(config, $"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n", Ct);
        using var process = Process.Start(new ProcessStartInfo(program, ["serve", config]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            // What is refused until it listens is tried again by the client.
            using var client = Client(null, o => o with { UsesPlainHttp = true, MaxAttempts = 12, FirstPause = TimeSpan.FromMilliseconds(200), MaxPause = TimeSpan.FromSeconds(2) });
            await PushAndPullAsync(client, $"127.0.0.1:{port}", hasReferrers: false);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task PushAndPullAsync(RegistryClient client, string host, bool hasReferrers)
    {
        var repository = ImageReference.Parse($"{host}/library/x");
        var layer = new byte[3_000_000];
        new Random(3).NextBytes(layer);
        var images = new List<(Digest Digest, int Size)>();
        foreach (var architecture in (string[])["amd64", "arm64"])
        {
            var config = Encoding.UTF8.GetBytes($$"""{"architecture":"{{architecture}}","os":"linux"}""");
            foreach (var blob in (byte[][])[config, layer]) await client.Uploads.PushBlobAsync(repository, Digest.Of(blob), blob.Length, () => new MemoryStream(blob), Ct);
            var manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Described(MediaTypes.OciConfig, config)}},"layers":[{{Described("application/vnd.oci.image.layer.v1.tar", layer)}}]}""");
            images.Add((await client.Uploads.PushManifestAsync(repository.With(Digest.Of(manifest)), MediaTypes.OciManifest, manifest, Ct), manifest.Length));
        }
        var index = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', images.Select((image, at) => $$$"""{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{image.Digest}}}","size":{{{image.Size}}},"platform":{"os":"linux","architecture":"{{{(at == 0 ? "amd64" : "arm64")}}}"}}"""))}}]}""");
        await client.Uploads.PushManifestAsync(ImageReference.Parse($"{host}/library/x:multi"), MediaTypes.OciIndex, index, Ct);

        Assert.True(ImagePlatform.TryParse("linux/arm64", out var arm));
        var pulled = await client.ImageAsync(ImageReference.Parse($"{host}/library/x:multi"), arm, Ct);
        Assert.Equal(images[1].Digest, pulled.Digest);
        Assert.Equal(layer, await client.BlobAsync(pulled.Reference, pulled.Document.Layers[0], 4_000_000, Ct));
        Assert.Equal(["multi"], await client.TagsAsync(repository, Ct));
        Assert.False(await client.Uploads.PushBlobAsync(repository, Digest.Of(layer), layer.Length, () => throw new InvalidOperationException("the blob is there"), Ct));
        Assert.Equal(RegistryFailure.NotFound, (await Assert.ThrowsAsync<RegistryException>(() => client.ManifestAsync(ImageReference.Parse($"{host}/library/x:none"), Ct))).Failure);
        Assert.True(ImagePlatform.TryParse("linux/s390x", out var other));
        Assert.Contains("linux/amd64", (await Assert.ThrowsAsync<RegistryException>(() => client.ImageAsync(ImageReference.Parse($"{host}/library/x:multi"), other, Ct))).Message, StringComparison.Ordinal);
        Assert.Empty(await client.ReferrersAsync(repository, images[0].Digest, null, Ct));
        if (!hasReferrers) return;
        var empty = "{}"u8.ToArray();
        await client.Uploads.PushBlobAsync(repository, Digest.Of(empty), empty.Length, () => new MemoryStream(empty), Ct);
        foreach (var type in (string[])["application/vnd.a", "application/vnd.b"])
        {
            var about = Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"{{{type}}}","config":{{{Described(MediaTypes.OciEmpty, empty)}}},"layers":[{{{Described(MediaTypes.OciEmpty, empty)}}}],"subject":{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{images[0].Digest}}}","size":{{{images[0].Size}}}}}""");
            await client.Uploads.PushManifestAsync(repository.With(Digest.Of(about)), MediaTypes.OciManifest, about, Ct);
        }
        Assert.Equal(2, (await client.ReferrersAsync(repository, images[0].Digest, null, Ct)).Count);
        Assert.Equal("application/vnd.b", Assert.Single(await client.ReferrersAsync(repository, images[0].Digest, "application/vnd.b", Ct)).ArtifactType);
    }

    private async Task<WebApplication> BerthAsync(Func<BerthOptions, BerthOptions> more)
    {
        var app = await BerthServer.BuildAsync(more(new BerthOptions
        {
            DataFolder = Path.Join(folder, "data"),
            Http = new() { Urls = ["http://127.0.0.1:0"] },
            Storage = new() { MinFreeBytes = 0 },
            Access = new() { Mode = AccessMode.Local },
        }), null, Ct);
        await app.StartAsync(Ct);
        return app;
    }

    private static RegistryClient Client(RegistryCredential? credential, Func<RegistryClientOptions, RegistryClientOptions>? more = null)
    {
        var options = new RegistryClientOptions { FirstPause = TimeSpan.FromMilliseconds(50) };
        return new RegistryClient(more is null ? options : more(options), new GivenCredential(credential), TimeProvider.System);
    }

    private static string Described(string type, byte[] bytes) => $$"""{"mediaType":"{{type}}","digest":"{{Digest.Of(bytes)}}","size":{{bytes.Length}}}""";
}
