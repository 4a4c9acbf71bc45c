using System.Net;
using System.Net.Http.Headers;
using Berth.Client.Authorization;
using Berth.Client.Http;
using Berth.Oci;

namespace Berth.Client;

/// <summary>Pushes content to registries: blobs first, then the manifest that names them.</summary>
public sealed class RegistryUploads
{
    private const int MaxTries = 3;

    private readonly RegistryHttp http;
    private readonly Func<ImageReference, CancellationToken, Task<RegistrySession>> sessionOf;

    internal RegistryUploads(RegistryHttp http, Func<ImageReference, CancellationToken, Task<RegistrySession>> sessionOf) => (this.http, this.sessionOf) = (http, sessionOf);

    /// <summary>Whether the repository holds a blob.</summary>
    public async Task<bool> HasBlobAsync(ImageReference reference, Digest digest, CancellationToken ct)
    {
        var session = await sessionOf(reference, ct);
        using var answer = await http.SendAsync(
            session, RegistryScopes.Push(reference), () => new HttpRequestMessage(HttpMethod.Head, new Uri(session.Address, $"/v2/{reference.Repository}/blobs/{digest}")), ct);
        if (answer.IsSuccessStatusCode) return true;
        return answer.StatusCode == HttpStatusCode.NotFound ? false : throw await RegistryHttp.RefusalAsync(answer, $"blob {digest} of {reference.Name}", ct);
    }

    /// <summary>Pushes a blob that the repository does not hold yet.</summary>
    /// <param name="reference">The repository.</param>
    /// <param name="digest">Its digest; the registry checks it.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="open">Gives its bytes from the start; called again when a try has failed.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Whether bytes were sent.</returns>
    /// <exception cref="RegistryException">It was not taken.</exception>
    public async Task<bool> PushBlobAsync(ImageReference reference, Digest digest, long size, Func<Stream> open, CancellationToken ct)
    {
        if (await HasBlobAsync(reference, digest, ct)) return false;
        for (var tries = 1; ; tries++)
        {
            try
            {
                await UploadAsync(reference, digest, size, open, ct);
                return true;
            }
            catch (RegistryException e) when (e.Failure is RegistryFailure.Unreachable or RegistryFailure.ServerError && tries < MaxTries)
            {
                // A session that broke off is left to the registry; the next one begins at the start. The blob may have arrived all the same.
                if (await HasBlobAsync(reference, digest, ct)) return true;
            }
        }
    }

    /// <summary>Pushes a manifest under the tag or digest of the reference.</summary>
    /// <param name="reference">Repository with tag or digest.</param>
    /// <param name="mediaType">Its media type.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Its digest.</returns>
    /// <exception cref="RegistryException">It was not taken.</exception>
    public async Task<Digest> PushManifestAsync(ImageReference reference, string mediaType, byte[] content, CancellationToken ct)
    {
        var session = await sessionOf(reference, ct);
        using var answer = await http.SendAsync(session, RegistryScopes.Push(reference), () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Put, new Uri(session.Address, $"/v2/{reference.Repository}/manifests/{reference.Reference}")) { Content = new ByteArrayContent(content) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
            return request;
        }, ct);
        return answer.IsSuccessStatusCode ? Digest.Of(content, reference.Digest?.Algorithm ?? default) : throw await RegistryHttp.RefusalAsync(answer, $"manifest {reference}", ct);
    }

    // POST then PUT (OCI distribution spec, "Pushing a blob monolithically").
    private async Task UploadAsync(ImageReference reference, Digest digest, long size, Func<Stream> open, CancellationToken ct)
    {
        var session = await sessionOf(reference, ct);
        var scope = RegistryScopes.Push(reference);
        Uri location;
        using (var started = await http.SendAsync(session, scope, () => new HttpRequestMessage(HttpMethod.Post, new Uri(session.Address, $"/v2/{reference.Repository}/blobs/uploads/")) { Content = new ByteArrayContent([]) }, ct))
        {
            if (started.StatusCode != HttpStatusCode.Accepted || started.Headers.Location is not { } told) throw await RegistryHttp.RefusalAsync(started, $"upload to {reference.Name}", ct);
            location = new Uri(started.RequestMessage!.RequestUri!, told);
        }
        if (location.Authority != session.Address.Authority || location.Scheme != session.Address.Scheme)
            throw new RegistryException(RegistryFailure.Refused, $"{reference.Registry} wants the blob at {location.Scheme}://{location.Authority}, which is not followed");
        var target = new UriBuilder(location) { Query = $"{(location.Query.Length > 1 ? location.Query[1..] + "&" : "")}digest={Uri.EscapeDataString(digest.Value)}" }.Uri;
        using var answer = await http.SendAsync(session, scope, () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Put, target) { Content = new StreamContent(open()) };
            request.Content.Headers.ContentLength = size;
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            return request;
        }, isRepeatable: false, ct);
        if (!answer.IsSuccessStatusCode) throw await RegistryHttp.RefusalAsync(answer, $"blob {digest} to {reference.Name}", ct);
    }
}
