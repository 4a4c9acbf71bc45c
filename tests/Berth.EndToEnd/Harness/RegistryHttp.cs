using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Harness;

/// <summary>A manifest as a registry returned it.</summary>
public sealed record PulledManifest(byte[] Bytes, string MediaType, string Digest)
{
    public string Text => Encoding.UTF8.GetString(Bytes);
}

/// <summary>Speaks the distribution protocol without a client in between, to seed a registry and to check what it serves byte by byte.</summary>
public sealed class RegistryHttp : IDisposable
{
    private const string ManifestTypes =
        "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, " +
        "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, */*";

    private readonly HttpClient http;

    public RegistryHttp(string address) => http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(2) };

    /// <summary>The protocol under these tests, for requests that this class has no word for.</summary>
    public HttpClient Client => http;

    /// <summary>Signs all later requests in with Basic credentials.</summary>
    public void SignIn(string user, string password) =>
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    public async Task<HttpStatusCode> Status(string path, CancellationToken ct)
    {
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, ct);
        return response.StatusCode;
    }

    /// <summary>The body of a GET that has to succeed.</summary>
    public async Task<string> Text(string path, CancellationToken ct)
    {
        using var response = await http.GetAsync(path, ct);
        await MustBe(response, HttpStatusCode.OK, ct);
        return await response.Content.ReadAsStringAsync(ct);
    }

    /// <summary>Pushes everything a layout holds, blobs first, and tags the root.</summary>
    public async Task Push(string repository, string tag, OciLayout image, CancellationToken ct)
    {
        foreach (var blob in image.Blobs())
        {
            await PushBlob(repository, blob.Digest, await File.ReadAllBytesAsync(image.BlobFile(blob.Digest), ct), ct);
        }

        foreach (var manifest in image.Manifests())
        {
            var reference = manifest == image.Root ? tag : manifest.Digest;
            await PushManifest(repository, reference, manifest.MediaType, await File.ReadAllBytesAsync(image.BlobFile(manifest.Digest), ct), ct);
        }
    }

    /// <summary>Pushes a blob with POST and PUT.</summary>
    public async Task PushBlob(string repository, string digest, byte[] bytes, CancellationToken ct)
    {
        var upload = await StartUpload(repository, ct);
        using var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var response = await http.PutAsync(WithDigest(upload, digest), body, ct);
        await MustBe(response, HttpStatusCode.Created, ct);
    }

    /// <summary>Opens an upload and returns its address.</summary>
    public async Task<Uri> StartUpload(string repository, CancellationToken ct)
    {
        using var response = await http.PostAsync($"/v2/{repository}/blobs/uploads/", null, ct);
        await MustBe(response, HttpStatusCode.Accepted, ct);
        return new Uri(http.BaseAddress!, response.Headers.Location!);
    }

    /// <summary>The address that ends an upload.</summary>
    public static Uri WithDigest(Uri upload, string digest) =>
        new($"{upload.AbsoluteUri}{(upload.Query.Length == 0 ? '?' : '&')}digest={Uri.EscapeDataString(digest)}");

    public async Task PushManifest(string repository, string reference, string mediaType, byte[] bytes, CancellationToken ct)
    {
        using var body = new ByteArrayContent(bytes);
        body.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        using var response = await http.PutAsync($"/v2/{repository}/manifests/{reference}", body, ct);
        await MustBe(response, HttpStatusCode.Created, ct);
    }

    /// <summary>A manifest with every sign of its identity checked: bytes, digest header and, for a pull by digest, the digest asked for.</summary>
    public async Task<PulledManifest> Manifest(string repository, string reference, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v2/{repository}/manifests/{reference}");
        request.Headers.TryAddWithoutValidation("Accept", ManifestTypes);
        using var response = await http.SendAsync(request, ct);
        await MustBe(response, HttpStatusCode.OK, ct);
        var bytes = await response.Content.ReadAsByteArrayAsync(ct);
        var digest = OciLayoutWriter.DigestOf(bytes);
        Assert.Equal(digest, response.Headers.GetValues("Docker-Content-Digest").Single());
        if (reference.StartsWith("sha256:", StringComparison.Ordinal))
        {
            Assert.Equal(reference, digest);
        }

        return new PulledManifest(bytes, response.Content.Headers.ContentType!.ToString(), digest);
    }

    /// <summary>Checks that a blob is served with the size and the digest it is named by.</summary>
    public async Task CheckBlob(string repository, ContentReference blob, CancellationToken ct)
    {
        using var response = await http.GetAsync($"/v2/{repository}/blobs/{blob.Digest}", HttpCompletionOption.ResponseHeadersRead, ct);
        await MustBe(response, HttpStatusCode.OK, ct);
        Assert.Equal(blob.SizeBytes, response.Content.Headers.ContentLength);
        await using var content = await response.Content.ReadAsStreamAsync(ct);
        Assert.Equal(blob.Digest, "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(content, ct)));
    }

    /// <summary>Reads an image with all it refers to and checks each digest and size; returns its root manifest.</summary>
    public async Task<PulledManifest> CheckWhole(string repository, string reference, CancellationToken ct)
    {
        var root = await Manifest(repository, reference, ct);
        foreach (var child in ManifestContent.ChildrenOf(root.Bytes))
        {
            var pulled = await CheckWhole(repository, child.Digest, ct);
            Assert.Equal(child.SizeBytes, pulled.Bytes.Length);
            Assert.Equal(child.MediaType, pulled.MediaType);
        }

        foreach (var blob in ManifestContent.BlobsOf(root.Bytes))
        {
            await CheckBlob(repository, blob, ct);
        }

        return root;
    }

    /// <summary>Checks that a reference serves exactly the bytes of a layout, blobs included.</summary>
    public async Task CheckSame(string repository, string reference, OciLayout image, CancellationToken ct)
    {
        var root = await CheckWhole(repository, reference, ct);
        Assert.Equal(image.RootBytes(), root.Bytes);
        Assert.Equal(image.Root.MediaType, root.MediaType);
    }

    public void Dispose() => http.Dispose();

    private static async Task MustBe(HttpResponseMessage response, HttpStatusCode expected, CancellationToken ct)
    {
        if (response.StatusCode != expected)
        {
            var body = await response.Content.ReadAsStringAsync(ct);
            Assert.Fail($"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri}: {(int)response.StatusCode} instead of {(int)expected}\n{body}");
        }
    }
}
