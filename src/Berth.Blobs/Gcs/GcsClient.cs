using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Blobs.Http;
using Berth.Blobs.Objects;

namespace Berth.Blobs.Gcs;

/// <summary>
/// Google Cloud Storage's JSON interface. Parts are the chunks of a resumable upload: they come in order, and what the service has once it keeps, whatever is
/// sent for it again. So each part's tag is its checksum, and the whole is compared with the service's in the end: where another process has sent other bytes
/// under an older mark, the upload is given up instead of believed.
/// </summary>
internal sealed class GcsClient : IObjectClient
{
    private const int MaxParts = 10_000;
    private const int ShortBytes = 1 << 20;
    private const int MaxRounds = 20;

    // Google's answer to whoever takes a session back.
    private const HttpStatusCode Cancelled = (HttpStatusCode)499;

    private readonly GcsOptions _options;
    private readonly StoreHttp _http;
    private readonly GcsCredentials _credentials;
    private readonly TimeProvider _time;
    private readonly string _objects;
    private readonly string _uploads;

    public GcsClient(GcsOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _http = new StoreHttp(options.ToHttp(), time);
        _credentials = new GcsCredentials(options, _http);
        var bucket = Uri.EscapeDataString(options.Bucket);
        _objects = $"{options.Endpoint.TrimEnd('/')}/storage/v1/b/{bucket}/o";
        _uploads = $"{options.Endpoint.TrimEnd('/')}/upload/storage/v1/b/{bucket}/o";
        Parts = new PartLimits(options.PartBytes, GcsOptions.ChunkMultiple, MaxParts, Concurrency: 1, ShortBytes);
    }

    public PartLimits Parts { get; }

    public async Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Post, UploadUrl("media", key), content, ct).ConfigureAwait(false);
        if (!answer.IsSuccess) throw _http.Refused(answer, $"to write {key}");
        if (IsMade(answer, content.Length, Crc32C.Of(content.Span))) return;
        await DeleteAsync(key, ct).ConfigureAwait(false);
        throw new IOException($"{_http.Name} received other bytes of {key} than were sent: try again");
    }

    public async Task<ObjectContent?> OpenAsync(string key, long offset, CancellationToken ct)
    {
        var opened = await _http.OpenAsync(Request(HttpMethod.Get, $"{Url(key)}?alt=media", null, r =>
        {
            if (offset > 0) r.Headers.Range = new RangeHeaderValue(offset, null);
        }), null, ct).ConfigureAwait(false);
        if (opened.Stream is { } stream)
        {
            if ((offset == 0 ? opened.ContentLength : opened.RangeTotal) is { } length) return new ObjectContent(stream, length);
            await stream.DisposeAsync().ConfigureAwait(false);
            throw new IOException($"{_http.Name} does not say how long {key} is");
        }
        if (IsMissing(opened.Answer!)) return null;
        if (opened.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
            return await GetSizeAsync(key, ct).ConfigureAwait(false) is { } size ? new ObjectContent(Stream.Null, size) : null;
        throw _http.Refused(opened.Answer!, $"to read {key}");
    }

    public async Task<long?> GetSizeAsync(string key, CancellationToken ct) => (await LookAsync(key, ct).ConfigureAwait(false))?.Size;

    public async Task DeleteAsync(string key, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Delete, Url(key), null, ct).ConfigureAwait(false);
        if (!answer.IsSuccess && !IsMissing(answer)) throw _http.Refused(answer, $"to delete {key}");
    }

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        var token = "";
        do
        {
            var url = $"{_objects}?prefix={Uri.EscapeDataString(prefix)}&fields=items(name,size,updated),nextPageToken{(token.Length > 0 ? "&pageToken=" : "")}{Uri.EscapeDataString(token)}";
            var answer = await SendAsync(HttpMethod.Get, url, null, ct).ConfigureAwait(false);
            if (!answer.IsSuccess) throw _http.Refused(answer, $"to list {prefix}");
            var page = Parse(answer);
            foreach (var item in page["items"] as JsonArray ?? [])
            {
                if (item is null) continue;
                var changedAt = DateTimeOffset.Parse((string?)item["updated"] ?? "", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
                yield return new ObjectEntry((string?)item["name"] ?? "", SizeOf(item), changedAt);
            }
            token = (string?)page["nextPageToken"] ?? "";
        }
        while (token.Length > 0);
    }

    public async Task<string> BeginPartsAsync(string key, CancellationToken ct)
    {
        var answer = await _http.SendAsync(Request(HttpMethod.Post, UploadUrl("resumable", key), ReadOnlyMemory<byte>.Empty, r =>
            r.Headers.Add("X-Upload-Content-Type", "application/octet-stream")), ct).ConfigureAwait(false);
        if (!answer.IsSuccess) throw _http.Refused(answer, $"to begin {key}");
        return answer.Header("Location") ?? throw new IOException($"{_http.Name} began {key} without saying where");
    }

    public async Task<string> PutPartAsync(PartedObject target, Part part, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        await PutRangeAsync(target, part.Offset, content, null, ct).ConfigureAwait(false);
        return Crc32C.Of(content.Span).ToString("x8", CultureInfo.InvariantCulture);
    }

    public async Task CompletePartsAsync(PartedObject target, IReadOnlyList<Part> parts, ReadOnlyMemory<byte> last, CancellationToken ct)
    {
        var (offset, crc) = (0L, 0u);
        foreach (var part in parts)
        {
            crc = Crc32C.Combine(crc, uint.Parse(part.Tag, NumberStyles.HexNumber, CultureInfo.InvariantCulture), part.Size);
            offset += part.Size;
        }
        crc = Crc32C.Combine(crc, Crc32C.Of(last.Span), last.Length);
        var size = offset + last.Length;
        if (await PutRangeAsync(target, offset, last, size, ct).ConfigureAwait(false) is { } answer)
        {
            if (IsMade(answer, size, crc)) return;
            // Not what was hashed: bytes of another process came first.
            await DeleteAsync(target.Key, ct).ConfigureAwait(false);
            throw new UploadBytesMissingException(target.Key);
        }
        // Completed by a try whose answer was lost, or forgotten.
        if (await LookAsync(target.Key, ct).ConfigureAwait(false) is not { } made || made != (size, crc)) throw new UploadBytesMissingException(target.Key);
    }

    public async Task AbortPartsAsync(PartedObject target, CancellationToken ct)
    {
        var answer = await _http.SendAsync(_ => ValueTask.FromResult(new HttpRequestMessage(HttpMethod.Delete, target.Session)), ct).ConfigureAwait(false);
        // A session that is completed or forgotten has nothing more to take back.
        if (!answer.IsSuccess && answer.Status is not (Cancelled or HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.BadRequest))
            throw _http.Refused(answer, $"to take back {target.Key}");
    }

    // Google lists no sessions; they end by themselves after a week and cost nothing.
    public async IAsyncEnumerable<PartedObject> ListPartedAsync(string prefix, DateTimeOffset begunBefore, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield break;
    }

    public async ValueTask<Uri?> SignReadAsync(string key, TimeSpan lifetime, CancellationToken ct)
    {
        if (await _credentials.SignerAsync(ct).ConfigureAwait(false) is not { } signer) return null;
        var endpoint = new Uri(_options.PublicEndpoint.Length > 0 ? _options.PublicEndpoint : _options.Endpoint);
        var path = $"/{Uri.EscapeDataString(_options.Bucket)}/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString))}";
        return await GcsSignature.SignAsync(endpoint, path, signer, _time.GetUtcNow(), lifetime, bytes => _credentials.SignAsync(signer, bytes, ct)).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _credentials.Dispose();
        _http.Dispose();
    }

    // Chunk by chunk until the service has it all, whatever it has had of it before.
    // Returns the answer that describes the object once it is made; null for a chunk that is not the last, and when the session is no more.
    private async Task<StoreAnswer?> PutRangeAsync(PartedObject target, long offset, ReadOnlyMemory<byte> content, long? total, CancellationToken ct)
    {
        for (var round = 0; round < MaxRounds; round++)
        {
            var (from, bytes) = (offset, content);
            var answer = await _http.SendAsync(_ => ValueTask.FromResult(Chunk(target.Session, from, bytes, total)), ct).ConfigureAwait(false);
            if (answer.IsSuccess) return answer;
            if (answer.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                return total is null ? throw new UploadBytesMissingException(target.Key) : null;
            // More than the whole was sent under this session before.
            if (total is not null && answer.Status == HttpStatusCode.BadRequest) throw new UploadBytesMissingException(target.Key);
            if (answer.Status != HttpStatusCode.PermanentRedirect) throw _http.Refused(answer, $"to write byte {offset} of {target.Key}");
            var has = Received(answer);
            if (has < offset) throw new UploadBytesMissingException(target.Key);
            if (total is null && has >= offset + content.Length) return null;
            var skip = (int)Math.Min(has - offset, content.Length);
            content = content[skip..];
            offset += skip;
        }
        throw new StoreUnavailableException($"{_http.Name} takes no more of {target.Key} from byte {offset} on");
    }

    // The session's URL is enough: no token goes with it.
    private static HttpRequestMessage Chunk(string session, long offset, ReadOnlyMemory<byte> content, long? total)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, session) { Content = new MemoryContent(content) };
        var whole = total?.ToString(CultureInfo.InvariantCulture) ?? "*";
        var range = content.Length == 0 ? $"bytes */{whole}" : string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + content.Length - 1}/{whole}");
        request.Content.Headers.TryAddWithoutValidation("Content-Range", range);
        return request;
    }

    // "bytes=0-N"; without it the service has nothing.
    private long Received(StoreAnswer answer)
    {
        if (answer.Header("Range") is not { } range) return 0;
        var dash = range.LastIndexOf('-');
        return dash > 0 && long.TryParse(range.AsSpan(dash + 1), CultureInfo.InvariantCulture, out var end) ? end + 1 : throw new IOException($"{_http.Name} answered range {range}");
    }

    private bool IsMade(StoreAnswer answer, long size, uint crc)
    {
        var made = Parse(answer);
        return SizeOf(made) == size && CrcOf(made) == crc;
    }

    private async Task<(long Size, uint Crc)?> LookAsync(string key, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Get, $"{Url(key)}?fields=size,crc32c", null, ct).ConfigureAwait(false);
        if (IsMissing(answer)) return null;
        if (!answer.IsSuccess) throw _http.Refused(answer, $"to look at {key}");
        var found = Parse(answer);
        return (SizeOf(found), CrcOf(found));
    }

    private static bool IsMissing(StoreAnswer answer) =>
        answer.Status == HttpStatusCode.NotFound && !answer.Text.Contains("bucket does not exist", StringComparison.OrdinalIgnoreCase);

    private static long SizeOf(JsonNode node) => long.Parse((string?)node["size"] ?? "0", CultureInfo.InvariantCulture);

    private static uint CrcOf(JsonNode node) => BinaryPrimitives.ReadUInt32BigEndian(Convert.FromBase64String((string?)node["crc32c"] ?? "AAAAAA=="));

    private JsonNode Parse(StoreAnswer answer)
    {
        try
        {
            return JsonNode.Parse(answer.Body) as JsonObject ?? throw new IOException($"{_http.Name} did not answer a JSON object: check the endpoint");
        }
        catch (JsonException e)
        {
            throw new IOException($"{_http.Name} did not answer JSON: check the endpoint", e);
        }
    }

    private string Url(string key) => $"{_objects}/{Uri.EscapeDataString(key)}";

    private string UploadUrl(string type, string key) =>
        $"{_uploads}?uploadType={type}&name={Uri.EscapeDataString(key)}{(_options.KmsKey.Length > 0 ? "&kmsKeyName=" + Uri.EscapeDataString(_options.KmsKey) : "")}";

    private Task<StoreAnswer> SendAsync(HttpMethod method, string url, ReadOnlyMemory<byte>? body, CancellationToken ct) => _http.SendAsync(Request(method, url, body, null), ct);

    private MakeRequest Request(HttpMethod method, string url, ReadOnlyMemory<byte>? body, Action<HttpRequestMessage>? add) => async ct =>
    {
        var request = new HttpRequestMessage(method, url);
        if (body is { } bytes) request.Content = new MemoryContent(bytes);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await _credentials.TokenAsync(ct).ConfigureAwait(false));
        if (_options.UserAgent.Length > 0) request.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        add?.Invoke(request);
        return request;
    };
}
