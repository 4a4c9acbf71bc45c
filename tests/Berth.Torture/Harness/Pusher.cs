using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Berth.Oci;

namespace Berth.Torture.Harness;

/// <summary>Pushes over HTTP and writes down what the registry has acknowledged: that, and only that, must be there later.</summary>
public sealed class Pusher(HttpClient http)
{
    /// <summary>Content that was acknowledged: path of a GET and the digest of what it must return.</summary>
    public ConcurrentDictionary<string, Digest> Acknowledged { get; } = new(StringComparer.Ordinal);

    /// <summary>Answers of 500 and above.</summary>
    public ConcurrentQueue<string> ServerErrors { get; } = new();

    /// <summary>Pushes blobs and manifest; true when all was acknowledged.</summary>
    public async Task<bool> PushAsync(string repository, string tag, SmallImage image, bool chunked, CancellationToken ct)
    {
        foreach (var blob in new[] { image.Config, image.Layer })
        {
            if (!(chunked ? await PushBlobInPiecesAsync(repository, blob, ct) : await PushBlobAsync(repository, blob, ct))) return false;
        }
        return await PushManifestAsync(repository, tag, image, null, ct) == HttpStatusCode.Created;
    }

    public async Task<HttpStatusCode> PushManifestAsync(string repository, string tag, SmallImage image, string? ifMatch, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v2/{repository}/manifests/{tag}") { Content = Body(image.Manifest, MediaTypes.OciManifest) };
        if (ifMatch == "") request.Headers.TryAddWithoutValidation("If-None-Match", "*");
        else if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var response = await SendAsync(request, ct);
        if (response.StatusCode == HttpStatusCode.Created) Acknowledged[$"/v2/{repository}/manifests/{image.ManifestDigest}"] = image.ManifestDigest;
        return response.StatusCode;
    }

    /// <summary>Reads everything that was acknowledged; what is missing or wrong.</summary>
    public async Task<IReadOnlyCollection<string>> CheckAsync(IEnumerable<KeyValuePair<string, Digest>> expected, CancellationToken ct)
    {
        var wrong = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(expected, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = ct }, async (item, token) =>
        {
            using var response = await http.GetAsync(item.Key, token);
            if (response.StatusCode != HttpStatusCode.OK) wrong.Enqueue($"{item.Key}: {(int)response.StatusCode}");
            else if (Digest.Of(await response.Content.ReadAsByteArrayAsync(token)) != item.Value) wrong.Enqueue($"{item.Key}: other bytes");
        });
        return wrong;
    }

    private async Task<bool> PushBlobAsync(string repository, byte[] blob, CancellationToken ct)
    {
        var digest = Digest.Of(blob);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/?digest={digest}") { Content = Body(blob, "application/octet-stream") };
        using var response = await SendAsync(request, ct);
        return Acknowledge(response, repository, digest);
    }

    // Docker's sequence: POST, PATCH, PUT.
    private async Task<bool> PushBlobInPiecesAsync(string repository, byte[] blob, CancellationToken ct)
    {
        var digest = Digest.Of(blob);
        using var start = await SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/"), ct);
        if (start.StatusCode != HttpStatusCode.Accepted) return false;
        var cut = RandomNumberGenerator.GetInt32(blob.Length);
        foreach (var piece in new[] { blob[..cut], blob[cut..] })
        {
            using var patch = await SendAsync(new HttpRequestMessage(HttpMethod.Patch, start.Headers.Location) { Content = Body(piece, "application/octet-stream") }, ct);
            if (patch.StatusCode != HttpStatusCode.Accepted) return false;
        }
        using var end = await SendAsync(new HttpRequestMessage(HttpMethod.Put, $"{start.Headers.Location}?digest={digest}"), ct);
        return Acknowledge(end, repository, digest);
    }

    private bool Acknowledge(HttpResponseMessage response, string repository, Digest digest)
    {
        if (response.StatusCode != HttpStatusCode.Created) return false;
        Acknowledged[$"/v2/{repository}/blobs/{digest}"] = digest;
        return true;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var response = await http.SendAsync(request, ct);
        if ((int)response.StatusCode >= 500)
            ServerErrors.Enqueue($"{request.Method} {request.RequestUri}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(ct)}");
        return response;
    }

    private static ByteArrayContent Body(byte[] bytes, string type)
    {
        var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new MediaTypeHeaderValue(type);
        return body;
    }
}
