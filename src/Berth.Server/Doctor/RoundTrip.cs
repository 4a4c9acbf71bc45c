using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Berth.Oci;
using static Berth.Server.Doctor.Finding;

namespace Berth.Server.Doctor;

/// <summary>Pushes a small image, pulls it again and deletes it, as a client with a password does.</summary>
internal sealed class RoundTrip(HttpClient http, AuthenticationHeaderValue credentials, string repository, TimeProvider time)
{
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const int LayerBytes = 4096;

    public async Task<Finding> RunAsync(CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var layer = RandomNumberGenerator.GetBytes(LayerBytes);
        var config = Encoding.UTF8.GetBytes("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}""");
        var manifest = Encoding.UTF8.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{"mediaType":"{{ConfigType}}","digest":"{{Digest.Of(config)}}","size":{{config.Length}}},"layers":[{"mediaType":"application/octet-stream","digest":"{{Digest.Of(layer)}}","size":{{layer.Length}}}]}
            """.Trim());
        var digest = Digest.Of(manifest);
        foreach (var blob in new[] { config, layer })
        {
            if (await PushBlobAsync(blob, ct).ConfigureAwait(false) is { } problem) return problem;
        }
        using (var put = await SendAsync(HttpMethod.Put, $"v2/{repository}/manifests/{digest}", manifest, ManifestType, ct).ConfigureAwait(false))
        {
            if (put.StatusCode != HttpStatusCode.Created) return await RefusedAsync("pushing a manifest", put, ct).ConfigureAwait(false);
        }
        using (var get = await SendAsync(HttpMethod.Get, $"v2/{repository}/blobs/{Digest.Of(layer)}", null, null, ct).ConfigureAwait(false))
        {
            var back = get.StatusCode is HttpStatusCode.TemporaryRedirect && get.Headers.Location is { } elsewhere ? await FollowAsync(elsewhere, ct).ConfigureAwait(false)
                : get.IsSuccessStatusCode ? await get.Content.ReadAsByteArrayAsync(ct).ConfigureAwait(false) : null;
            if (back is null) return await RefusedAsync("pulling a layer", get, ct).ConfigureAwait(false);
            if (!back.AsSpan().SequenceEqual(layer)) return Fail("the layer that came back is not the one that was pushed");
        }
        using var delete = await SendAsync(HttpMethod.Delete, $"v2/{repository}/manifests/{digest}", null, null, ct).ConfigureAwait(false);
        var deleted = delete.StatusCode == HttpStatusCode.Accepted ? "deleted" : $"left there (deleting answers {(int)delete.StatusCode})";
        return Pass($"an image was pushed, pulled and {deleted} in {repository} within {time.GetElapsedTime(started).TotalMilliseconds:0} ms");
    }

    private async Task<Finding?> PushBlobAsync(byte[] blob, CancellationToken ct)
    {
        using var start = await SendAsync(HttpMethod.Post, $"v2/{repository}/blobs/uploads/", [], null, ct).ConfigureAwait(false);
        if (start.StatusCode != HttpStatusCode.Accepted || start.Headers.Location is not { } location) return await RefusedAsync("starting an upload", start, ct).ConfigureAwait(false);
        var target = new Uri(http.BaseAddress!, location).AbsoluteUri;
        if (!target.StartsWith(http.BaseAddress!.GetLeftPart(UriPartial.Authority) + "/", StringComparison.Ordinal))
            return Fail($"uploads are sent to {new Uri(target).GetLeftPart(UriPartial.Authority)}, another address than this: set http.publicUrl, or let the proxy forward the host");
        using var put = await SendAsync(HttpMethod.Put, $"{target}{(target.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={Uri.EscapeDataString(Digest.Of(blob).ToString())}", blob, "application/octet-stream", ct).ConfigureAwait(false);
        return put.StatusCode == HttpStatusCode.Created ? null : await RefusedAsync("pushing a layer", put, ct).ConfigureAwait(false);
    }

    // A store gives its own bytes: without the registry's credentials.
    private static async Task<byte[]?> FollowAsync(Uri elsewhere, CancellationToken ct)
    {
        using var store = new HttpClient { MaxResponseContentBufferSize = LayerBytes };
        using var answer = await store.GetAsync(elsewhere, ct).ConfigureAwait(false);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync(ct).ConfigureAwait(false) : null;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[]? body, string? type, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.RelativeOrAbsolute)) { Headers = { Authorization = credentials } };
        if (body is not null) request.Content = new ByteArrayContent(body);
        if (type is not null) request.Content!.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await http.SendAsync(request, ct).ConfigureAwait(false);
    }

    private static async Task<Finding> RefusedAsync(string what, HttpResponseMessage answer, CancellationToken ct)
    {
        var why = answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "the caller may not, or the quota is used up",
            HttpStatusCode.NotFound => "there is no such project",
            HttpStatusCode.MethodNotAllowed => "the registry is read-only",
            HttpStatusCode.RequestEntityTooLarge => "a proxy limits bodies: client_max_body_size 0",
            HttpStatusCode.InsufficientStorage => "the storage is full",
            HttpStatusCode.ServiceUnavailable => "database or storage are out of order",
            _ => "see the answer",
        };
        var text = await answer.Content.ReadAsStringAsync(ct).ConfigureAwait(false);
        return Fail($"{what} answers {(int)answer.StatusCode} ({why}): {text[..Math.Min(text.Length, 300)]}");
    }
}
