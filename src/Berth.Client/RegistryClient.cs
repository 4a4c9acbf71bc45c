using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Berth.Client.Authorization;
using Berth.Client.Content;
using Berth.Client.Credentials;
using Berth.Client.Http;
using Berth.Oci;

namespace Berth.Client;

/// <summary>
/// Talks to any registry of the OCI Distribution Specification 1.1 or of Docker's: pulls manifests and blobs by tag or digest, lists tags and referrers, pushes. It signs in as the registry asks,
/// tries again what may succeed, and hands out nothing whose digest is not the one that was asked for. May be used from many threads.
/// </summary>
public sealed class RegistryClient : IDisposable
{
    private const string DockerHubAddress = "registry-1.docker.io";
    private const int MaxIndexEntries = 10_000;
    private const int MaxIndexDepth = 4;
    private const int MaxTags = 100_000;
    private const int MaxPages = 1_000;
    private const int MaxListBytes = 16 * 1024 * 1024;
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(20);

    private static readonly string[] Accepted = [MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest, MediaTypes.DockerManifestList, "*/*;q=0.1"];

    private readonly RegistryClientOptions options;
    private readonly ICredentialSource credentials;
    private readonly TimeProvider time;
    private readonly RegistryHttp http;
    private readonly ConcurrentDictionary<string, RegistrySession> sessions = new(StringComparer.Ordinal);

    /// <param name="options">How, and how much.</param>
    /// <param name="credentials">Who; <see cref="GivenCredential.Nobody"/> for nobody.</param>
    /// <param name="time">Clock.</param>
    /// <param name="random">Spreads pauses.</param>
    public RegistryClient(RegistryClientOptions options, ICredentialSource credentials, TimeProvider time, Random? random = null)
    {
        (this.options, this.credentials, this.time) = (options, credentials, time);
        http = new RegistryHttp(options, time, random ?? Random.Shared);
        Uploads = new RegistryUploads(http, SessionAsync);
    }

    /// <summary>Pushes.</summary>
    public RegistryUploads Uploads { get; }

    /// <summary>A manifest or index.</summary>
    /// <param name="reference">Repository with tag or digest.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">There is none, it may not be read, or it is not what was asked for.</exception>
    public async Task<RegistryManifest> ManifestAsync(ImageReference reference, CancellationToken ct)
    {
        var session = await SessionAsync(reference, ct);
        using var answer = await http.SendAsync(session, RegistryScopes.Pull(reference), () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(session.Address, $"/v2/{reference.Repository}/manifests/{reference.Reference}"));
            foreach (var type in Accepted) request.Headers.TryAddWithoutValidation("Accept", type);
            return request;
        }, ct);
        if (!answer.IsSuccessStatusCode) throw await RegistryHttp.RefusalAsync(answer, $"manifest {reference}", ct);
        var bytes = await RegistryHttp.ReadAsync(answer, options.MaxManifestBytes, ct);
        return Verify(reference, bytes, answer);
    }

    /// <summary>The image that a reference means on a platform: of an index the entry that fits, also through indexes in indexes.</summary>
    /// <param name="reference">Repository with tag or digest.</param>
    /// <param name="platform">Null for that of this machine, else the first.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">There is none for the platform, or it cannot be read.</exception>
    public async Task<RegistryManifest> ImageAsync(ImageReference reference, ImagePlatform? platform, CancellationToken ct)
    {
        var manifest = await ManifestAsync(reference, ct);
        for (var depth = 0; manifest.Document.IsIndex; depth++)
        {
            if (depth >= MaxIndexDepth) throw new RegistryException(RegistryFailure.WrongContent, $"the indexes of {reference} are nested too deeply");
            var entries = IndexEntry.Read(manifest.Content, MaxIndexEntries);
            var chosen = IndexEntry.Choose(entries, platform) ?? throw new RegistryException(
                RegistryFailure.NotFound,
                $"{reference} has no image for {platform ?? ImagePlatform.OfThisMachine}; there are: {string.Join(", ", entries.Where(static one => !one.IsAttestation && one.Platform is not null).Select(static one => one.Platform).Distinct().Take(20))}");
            manifest = await ManifestAsync(reference.With(chosen.Digest), ct);
        }
        return manifest;
    }

    /// <summary>
    /// Opens a blob for reading from its start. A broken connection is taken up again. Digest and size are checked at the last byte: whoever reads to the end without an exception has the blob.
    /// </summary>
    /// <param name="reference">The repository.</param>
    /// <param name="blob">Digest and size.</param>
    /// <param name="ct">Cancels the opening.</param>
    /// <exception cref="RegistryException">It is not there, or may not be read. Reading throws it too.</exception>
    public async Task<Stream> OpenBlobAsync(ImageReference reference, Descriptor blob, CancellationToken ct) =>
        await BlobDownload.OpenAsync(http, await SessionAsync(reference, ct), options, time, reference, blob, 0, null, ct);

    /// <summary>A small blob as a whole.</summary>
    /// <param name="reference">The repository.</param>
    /// <param name="blob">Digest and size.</param>
    /// <param name="maxBytes">Largest that is read.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">It is not there, may not be read, or is larger.</exception>
    public async Task<byte[]> BlobAsync(ImageReference reference, Descriptor blob, int maxBytes, CancellationToken ct)
    {
        if (blob.Size < 0 || blob.Size > maxBytes) throw new RegistryException(RegistryFailure.TooLarge, $"blob {blob.Digest} of {reference.Name} has {blob.Size} bytes, up to {maxBytes} are read");
        await using var stream = await OpenBlobAsync(reference, blob, ct);
        var bytes = new byte[blob.Size];
        await stream.ReadExactlyAsync(bytes, ct);
        // The end has to be seen for the digest to be checked.
        await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, ct);
        return bytes;
    }

    /// <summary>
    /// Puts a blob into a file, which is there only when it is complete and its digest is right. Bytes of an earlier try that was cut off lie in a file of that name with <c>.part</c> behind it and are not fetched again.
    /// </summary>
    /// <param name="reference">The repository.</param>
    /// <param name="blob">Digest and size.</param>
    /// <param name="path">The file.</param>
    /// <param name="progress">Told how many bytes are there; null for nobody.</param>
    /// <param name="ct">Cancels; what came so far stays.</param>
    /// <exception cref="RegistryException">It is not there, or may not be read.</exception>
    public async Task DownloadAsync(ImageReference reference, Descriptor blob, string path, Action<long>? progress, CancellationToken ct)
    {
        var part = path + ".part";
        var session = await SessionAsync(reference, ct);
        await using (var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.Asynchronous))
        {
            var hash = IncrementalHash.CreateHash(blob.Digest.Algorithm == DigestAlgorithm.Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
            var buffer = new byte[256 * 1024];
            if (file.Length > blob.Size) file.SetLength(0);
            for (int read; (read = await file.ReadAsync(buffer, ct)) > 0;) hash.AppendData(buffer, 0, read);
            progress?.Invoke(file.Position);
            try
            {
                await using var stream = await BlobDownload.OpenAsync(http, session, options, time, reference, blob, file.Position, hash, ct);
                for (int read; (read = await stream.ReadAsync(buffer, ct)) > 0;)
                {
                    await file.WriteAsync(buffer.AsMemory(0, read), ct);
                    progress?.Invoke(file.Position);
                }
            }
            catch (RegistryException e) when (e.Failure == RegistryFailure.WrongContent)
            {
                // What is wrong cannot be gone on with.
                file.SetLength(0);
                throw;
            }
            file.Flush(flushToDisk: true);
        }
        File.Move(part, path, overwrite: true);
    }

    /// <summary>Manifests that are about another one: signatures, attestations, bills of materials.</summary>
    /// <param name="reference">The repository.</param>
    /// <param name="subject">What they are about.</param>
    /// <param name="artifactType">Only those of this type; null for all.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">The list cannot be read.</exception>
    public async Task<IReadOnlyList<IndexEntry>> ReferrersAsync(ImageReference reference, Digest subject, string? artifactType, CancellationToken ct)
    {
        var query = artifactType is null ? "" : $"?artifactType={Uri.EscapeDataString(artifactType)}";
        var found = new List<IndexEntry>();
        await foreach (var page in PagesAsync(reference, $"/v2/{reference.Repository}/referrers/{subject}{query}", isOptional: true, ct))
        {
            // Registries before 1.1 keep the list under a tag (OCI distribution spec, "Referrers Tag Schema").
            if (page is null) return await ReferrersOfTagAsync(reference, subject, artifactType, ct);
            found.AddRange(IndexEntry.Read(page, MaxIndexEntries));
            if (found.Count > MaxIndexEntries) throw new RegistryException(RegistryFailure.TooLarge, $"{subject} of {reference.Name} has more than {MaxIndexEntries} referrers");
        }
        return [.. found.Where(entry => artifactType is null || entry.ArtifactType == artifactType)];
    }

    /// <summary>The tags of a repository.</summary>
    /// <exception cref="RegistryException">The list cannot be read.</exception>
    public async Task<IReadOnlyList<string>> TagsAsync(ImageReference reference, CancellationToken ct)
    {
        var tags = new List<string>();
        await foreach (var page in PagesAsync(reference, $"/v2/{reference.Repository}/tags/list", isOptional: false, ct))
        {
            tags.AddRange(TagsOf(page!));
            if (tags.Count > MaxTags) throw new RegistryException(RegistryFailure.TooLarge, $"{reference.Name} has more than {MaxTags} tags");
        }
        return tags;
    }

    public void Dispose()
    {
        foreach (var session in sessions.Values) session.Dispose();
        http.Dispose();
    }

    private async Task<IReadOnlyList<IndexEntry>> ReferrersOfTagAsync(ImageReference reference, Digest subject, string? artifactType, CancellationToken ct)
    {
        try
        {
            var index = await ManifestAsync(reference.With(TagOf(subject)), ct);
            return index.Document.IsIndex ? [.. IndexEntry.Read(index.Content, MaxIndexEntries).Where(entry => artifactType is null || entry.ArtifactType == artifactType)] : [];
        }
        catch (RegistryException e) when (e.Failure == RegistryFailure.NotFound)
        {
            return [];
        }
    }

    // sha512 digests are cut to the length of a tag (OCI distribution spec, "Referrers Tag Schema").
    private static TagName TagOf(Digest digest) =>
        TagName.TryParse($"{digest.Algorithm.Name}-{digest.Hex[..Math.Min(64, digest.Hex.Length)]}", out var tag) ? tag : throw new InvalidOperationException($"{digest} makes no tag");

    // Null when the list is optional and the registry has none.
    private async IAsyncEnumerable<byte[]?> PagesAsync(ImageReference reference, string path, bool isOptional, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var session = await SessionAsync(reference, ct);
        var address = new Uri(session.Address, path);
        for (var pages = 0; address is not null; pages++)
        {
            if (pages >= MaxPages) throw new RegistryException(RegistryFailure.TooLarge, $"{path} has more than {MaxPages} pages");
            var asked = address;
            using var answer = await http.SendAsync(session, RegistryScopes.Pull(reference), () => new HttpRequestMessage(HttpMethod.Get, asked), ct);
            if (isOptional && pages == 0 && (int)answer.StatusCode is 404 or 405 or 400)
            {
                yield return null;
                yield break;
            }
            if (!answer.IsSuccessStatusCode) throw await RegistryHttp.RefusalAsync(answer, path, ct);
            yield return await RegistryHttp.ReadAsync(answer, MaxListBytes, ct);
            address = NextOf(answer, asked);
        }
    }

    // Link: </v2/…?last=…&n=…>; rel="next"  — only on the same registry: the sign-in goes along.
    private static Uri? NextOf(HttpResponseMessage answer, Uri asked)
    {
        if (!answer.Headers.TryGetValues("Link", out var links)) return null;
        foreach (var link in links.SelectMany(static one => one.Split(',')))
        {
            var (start, end) = (link.IndexOf('<', StringComparison.Ordinal), link.IndexOf('>', StringComparison.Ordinal));
            if (start < 0 || end < start || !link[end..].Contains("next", StringComparison.Ordinal)) continue;
            return Uri.TryCreate(asked, link[(start + 1)..end], out var next) && next.Authority == asked.Authority && next.Scheme == asked.Scheme ? next : null;
        }
        return null;
    }

    private static List<string> TagsOf(byte[] page)
    {
        try
        {
            using var json = JsonDocument.Parse(page);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array
                ? [.. tags.EnumerateArray().Where(static tag => tag.ValueKind == JsonValueKind.String).Select(static tag => tag.GetString()!)]
                : [];
        }
        catch (JsonException e)
        {
            throw new RegistryException(RegistryFailure.WrongContent, "the list of tags is no valid JSON", e);
        }
    }

    private static RegistryManifest Verify(ImageReference reference, byte[] bytes, HttpResponseMessage answer)
    {
        var told = answer.Headers.TryGetValues("Docker-Content-Digest", out var values) && Digest.TryParse(values.FirstOrDefault(), out var header) ? header : (Digest?)null;
        var expected = reference.Digest ?? told;
        var actual = Digest.Of(bytes, expected?.Algorithm ?? default);
        if (expected is { } wanted && wanted != actual) throw new RegistryException(RegistryFailure.WrongContent, $"manifest {reference} is not what was asked for: it has the digest {actual}, not {wanted}");
        var type = MediaTypes.WithoutParameters(answer.Content.Headers.ContentType?.MediaType ?? "");
        // Servers of plain files do not know the types of manifests.
        if (!MediaTypes.IsKnownManifest(type) && type is not (MediaTypes.DockerSchema1 or MediaTypes.DockerSchema1Signed)) type = GuessType(bytes);
        if (!ManifestReader.TryRead(bytes, type, out var document, out var error)) throw new RegistryException(RegistryFailure.WrongContent, $"manifest {reference}: {error}");
        return new RegistryManifest(reference.With(actual), document.MediaType, bytes, document);
    }

    private static string GuessType(byte[] bytes)
    {
        if (!ManifestReader.TryRead(bytes, "", out var document, out _) || document.MediaType.Length > 0) return document?.MediaType ?? MediaTypes.OciManifest;
        return document.Manifests.Count > 0 ? MediaTypes.OciIndex : MediaTypes.OciManifest;
    }

    private async Task<RegistrySession> SessionAsync(ImageReference reference, CancellationToken ct)
    {
        if (sessions.TryGetValue(reference.Registry, out var known)) return known;
        var session = new RegistrySession(reference.Registry, await AddressAsync(reference, ct), credentials, new TokenRequests(http, options, time), time);
        var kept = sessions.GetOrAdd(reference.Registry, session);
        if (kept != session) session.Dispose();
        return kept;
    }

    // TLS, but on this machine and where it was asked for: there plain HTTP when TLS is not spoken, as Docker does.
    private async Task<Uri> AddressAsync(ImageReference reference, CancellationToken ct)
    {
        var host = reference.Registry == ImageReference.DockerHub ? DockerHubAddress : reference.Registry;
        var (secure, plain) = (new Uri($"https://{host}/"), new Uri($"http://{host}/"));
        if (options.UsesPlainHttp) return plain;
        if (!options.IsInsecure && !reference.IsLoopback) return secure;
        using var timer = new CancellationTokenSource(ProbeTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(secure, "/v2/"));
            using var answer = await http.SendOnceAsync(request, limit.Token);
            return secure;
        }
        catch (Exception e) when (RegistryHttp.IsBroken(e, ct))
        {
            // A server that speaks TLS with a certificate that is not trusted is not asked without.
            return e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } && IsCertificate(e) ? secure : plain;
        }
    }

    private static bool IsCertificate(Exception e) => e.InnerException?.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase) == true;
}
