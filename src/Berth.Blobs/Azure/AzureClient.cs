using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Berth.Blobs.Http;
using Berth.Blobs.Objects;

namespace Berth.Blobs.Azure;

/// <summary>
/// Azure Blob Storage's REST interface, block blobs only. Azure has no sessions of uploads: blocks that no list has named yet lie with the blob's name, and vanish
/// after a week. So every block has an id of its own, which is its tag, and nothing that another process writes under the same name gets in the way.
/// </summary>
internal sealed class AzureClient : IObjectClient
{
    private const int MaxBlocks = 50_000;
    private const int ShortBytes = 1 << 20;

    private readonly AzureOptions _options;
    private readonly AzureAuthorization _authorization;
    private readonly AzureDelegation? _delegation;
    private readonly StoreHttp _http;
    private readonly TimeProvider _time;

    public AzureClient(AzureOptions options, TimeProvider time) : this(options, AzureAuthorization.Create(options, time), time)
    {
    }

    public AzureClient(AzureOptions options, AzureAuthorization authorization, TimeProvider time)
    {
        (_options, _authorization, _time) = (options, authorization, time);
        _http = new StoreHttp(options.ToHttp(), time);
        _delegation = authorization is AzureToken ? new AzureDelegation(AskDelegationKeyAsync, _http, time) : null;
        Parts = new PartLimits(options.PartBytes, 1, MaxBlocks, options.PartConcurrency, ShortBytes);
    }

    public PartLimits Parts { get; }

    public async Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Put, Url(key), content, Put, ct).ConfigureAwait(false);
        if (!answer.IsSuccess) throw _http.Refused(answer, $"to write {key}");
    }

    public async Task<ObjectContent?> OpenAsync(string key, long offset, CancellationToken ct)
    {
        var opened = await _http.OpenAsync(Request(HttpMethod.Get, Url(key), null, r =>
        {
            if (offset > 0) r.Headers.Add("x-ms-range", $"bytes={offset.ToString(CultureInfo.InvariantCulture)}-");
        }), RenewAsync, ct).ConfigureAwait(false);
        if (opened.Stream is { } stream)
        {
            if ((offset == 0 ? opened.ContentLength : opened.RangeTotal) is { } length) return new ObjectContent(stream, length);
            await stream.DisposeAsync().ConfigureAwait(false);
            // Azurite's way to say that nothing lies there.
            if (await GetSizeAsync(key, ct).ConfigureAwait(false) is { } end && end <= offset) return new ObjectContent(Stream.Null, end);
            throw new IOException($"{_http.Name} does not answer ranges of {key}");
        }
        if (IsMissing(opened.Answer!)) return null;
        if (opened.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
            return await GetSizeAsync(key, ct).ConfigureAwait(false) is { } size ? new ObjectContent(Stream.Null, size) : null;
        throw _http.Refused(opened.Answer!, $"to read {key}");
    }

    public async Task<long?> GetSizeAsync(string key, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Head, Url(key), null, null, ct).ConfigureAwait(false);
        if (answer.IsSuccess) return answer.ContentLength ?? throw new IOException($"{_http.Name} does not say how long {key} is");
        if (IsMissing(answer)) return null;
        throw _http.Refused(answer, $"to look at {key}");
    }

    public async Task DeleteAsync(string key, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Delete, Url(key), null, r => r.Headers.Add("x-ms-delete-snapshots", "include"), ct).ConfigureAwait(false);
        if (!answer.IsSuccess && !IsMissing(answer)) throw _http.Refused(answer, $"to delete {key}");
    }

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var blob in ListBlobsAsync(prefix, "", ct).ConfigureAwait(false)) yield return blob;
    }

    // Only a name: blocks of different uploads under one key must not have the same ids.
    public Task<string> BeginPartsAsync(string key, CancellationToken ct) => Task.FromResult(RandomNumberGenerator.GetHexString(16, lowercase: true));

    public async Task<string> PutPartAsync(PartedObject target, Part part, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        // All ids of a blob have the same length.
        var name = $"{target.Session}-{part.Number.ToString("D5", CultureInfo.InvariantCulture)}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        var id = Convert.ToBase64String(Encoding.ASCII.GetBytes(name));
        var answer = await SendAsync(HttpMethod.Put, Url(target.Key, $"comp=block&blockid={Uri.EscapeDataString(id)}"), content, null, ct).ConfigureAwait(false);
        return answer.IsSuccess ? id : throw _http.Refused(answer, $"to write block {part.Number} of {target.Key}");
    }

    public async Task CompletePartsAsync(PartedObject target, IReadOnlyList<Part> parts, ReadOnlyMemory<byte> last, CancellationToken ct)
    {
        var size = parts.Sum(p => (long)p.Size) + last.Length;
        var ids = parts.Select(p => p.Tag).ToList();
        if (last.Length > 0) ids.Add(await PutPartAsync(target, new Part(parts.Count + 1, size - last.Length, last.Length, ""), last, ct).ConfigureAwait(false));
        // "Latest" finds blocks that a try whose answer was lost has committed already.
        var list = new XElement("BlockList", ids.Select(id => new XElement("Latest", id)));
        var body = Encoding.UTF8.GetBytes(list.ToString(SaveOptions.DisableFormatting));
        var answer = await SendAsync(HttpMethod.Put, Url(target.Key, "comp=blocklist"), body, SetTier, ct).ConfigureAwait(false);
        if (answer.IsSuccess) return;
        if (answer.Header("x-ms-error-code") is not ("InvalidBlockList" or "InvalidBlockId")) throw _http.Refused(answer, $"to complete {target.Key}");
        if (await GetSizeAsync(target.Key, ct).ConfigureAwait(false) != size) throw new UploadBytesMissingException(target.Key);
    }

    // Blocks that no list names go when a list is written, and an empty one will do. It is written only where there is no blob, so content that was completed stays.
    public async Task AbortPartsAsync(PartedObject target, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Put, Url(target.Key, "comp=blocklist"), "<BlockList />"u8.ToArray(), r => r.Headers.TryAddWithoutValidation("If-None-Match", "*"), ct)
            .ConfigureAwait(false);
        // Completed meanwhile.
        if (answer.Status is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed) return;
        if (!answer.IsSuccess) throw _http.Refused(answer, $"to forget the blocks of {target.Key}");
        var etag = answer.Header("ETag");
        answer = await SendAsync(HttpMethod.Delete, Url(target.Key), null, r => r.Headers.TryAddWithoutValidation("If-Match", etag), ct).ConfigureAwait(false);
        if (!answer.IsSuccess && !IsMissing(answer) && answer.Status != HttpStatusCode.PreconditionFailed) throw _http.Refused(answer, $"to forget the blocks of {target.Key}");
    }

    public async IAsyncEnumerable<PartedObject> ListPartedAsync(string prefix, DateTimeOffset begunBefore, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var blob in ListBlobsAsync(prefix, "uncommittedblobs", ct).ConfigureAwait(false))
        {
            // What has no list yet is listed as empty, and is not there for whoever asks.
            if (blob.Size != 0 || blob.ChangedAt >= begunBefore) continue;
            if (await GetSizeAsync(blob.Key, ct).ConfigureAwait(false) is null) yield return new PartedObject(blob.Key, "");
        }
    }

    public async ValueTask<Uri?> SignReadAsync(string key, TimeSpan lifetime, CancellationToken ct)
    {
        var endpoint = _options.PublicEndpoint.Length > 0 ? _options.PublicEndpoint.TrimEnd('/') : _options.Endpoint;
        var httpsOnly = endpoint.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
        var resource = $"/blob/{_options.AccountName}/{_options.Container}/{key}";
        var now = _time.GetUtcNow();
        string query;
        if (_authorization is AzureSharedKey shared) query = AzureSas.Service(resource, now, lifetime, httpsOnly, shared);
        else if (_delegation is not null) query = AzureSas.Delegated(resource, now, lifetime, httpsOnly, await _delegation.KeyAsync(lifetime, ct).ConfigureAwait(false));
        // A signature that may write is not handed out.
        else return null;
        return new Uri($"{endpoint}/{_options.Container}/{Escape(key)}?{query}");
    }

    public void Dispose()
    {
        _delegation?.Dispose();
        _authorization.Dispose();
        _http.Dispose();
    }

    private static string Escape(string key) => string.Join('/', key.Split('/').Select(Uri.EscapeDataString));

    private static bool IsMissing(StoreAnswer answer) => answer.Status == HttpStatusCode.NotFound && answer.Header("x-ms-error-code") is null or "BlobNotFound" or "ResourceNotFound";

    private void Put(HttpRequestMessage request)
    {
        request.Headers.Add("x-ms-blob-type", "BlockBlob");
        SetTier(request);
    }

    private void SetTier(HttpRequestMessage request)
    {
        if (_options.AccessTier.Length > 0) request.Headers.Add("x-ms-access-tier", _options.AccessTier);
    }

    private string Url(string key, string query = "") => $"{_options.Endpoint}/{_options.Container}/{Escape(key)}{(query.Length > 0 ? "?" : "")}{query}";

    private MakeRequest Request(HttpMethod method, string url, ReadOnlyMemory<byte>? body, Action<HttpRequestMessage>? add) => async ct =>
    {
        var request = new HttpRequestMessage(method, url);
        request.Headers.Add("x-ms-version", AzureAuthorization.Version);
        request.Headers.Add("x-ms-date", _time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture));
        if (body is { } bytes) request.Content = new MemoryContent(bytes);
        add?.Invoke(request);
        await _authorization.SignAsync(request, ct).ConfigureAwait(false);
        return request;
    };

    private Task<StoreAnswer> SendAsync(HttpMethod method, string url, ReadOnlyMemory<byte>? body, Action<HttpRequestMessage>? add, CancellationToken ct) =>
        _http.SendAsync(Request(method, url, body, add), RenewAsync, ct);

    private ValueTask<bool> RenewAsync(StoreAnswer answer, CancellationToken ct) =>
        ValueTask.FromResult(answer.Status == HttpStatusCode.Unauthorized && _authorization.Renew());

    private async ValueTask<StoreAnswer> AskDelegationKeyAsync(DateTimeOffset start, DateTimeOffset expiry, CancellationToken ct)
    {
        var info = new XElement("KeyInfo", new XElement("Start", AzureSas.Format(start)), new XElement("Expiry", AzureSas.Format(expiry)));
        var body = Encoding.UTF8.GetBytes(info.ToString(SaveOptions.DisableFormatting));
        return await SendAsync(HttpMethod.Post, $"{_options.Endpoint}/?restype=service&comp=userdelegationkey", body, null, ct).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<ObjectEntry> ListBlobsAsync(string prefix, string include, [EnumeratorCancellation] CancellationToken ct)
    {
        var marker = "";
        do
        {
            var query = new StringBuilder($"{_options.Endpoint}/{_options.Container}?restype=container&comp=list&prefix={Uri.EscapeDataString(prefix)}");
            if (include.Length > 0) query.Append("&include=").Append(include);
            if (marker.Length > 0) query.Append("&marker=").Append(Uri.EscapeDataString(marker));
            var answer = await SendAsync(HttpMethod.Get, query.ToString(), null, null, ct).ConfigureAwait(false);
            if (!answer.IsSuccess) throw _http.Refused(answer, $"to list {prefix}");
            var page = Parse(answer.Body);
            foreach (var blob in page.Descendants("Blob"))
            {
                var properties = blob.Element("Properties");
                // A store with folders of its own lists them, too.
                if (properties?.Element("ResourceType")?.Value == "directory") continue;
                yield return new ObjectEntry(NameOf(blob.Element("Name")), SizeOf(properties), TimeOf(properties));
            }
            marker = page.Root?.Element("NextMarker")?.Value ?? "";
        }
        while (marker.Length > 0);
    }

    private XDocument Parse(byte[] body)
    {
        try
        {
            return XDocument.Load(new MemoryStream(body));
        }
        catch (XmlException e)
        {
            throw new IOException($"{_http.Name} did not answer XML: check the endpoint", e);
        }
    }

    private static string NameOf(XElement? name) =>
        name is null ? "" : name.Attribute("Encoded")?.Value == "true" ? Uri.UnescapeDataString(name.Value) : name.Value;

    private static long SizeOf(XElement? properties) => long.TryParse(properties?.Element("Content-Length")?.Value, CultureInfo.InvariantCulture, out var size) ? size : 0;

    // Without a time it is as if just written, so that no janitor takes it.
    private static DateTimeOffset TimeOf(XElement? properties) =>
        DateTimeOffset.TryParse(properties?.Element("Last-Modified")?.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : DateTimeOffset.MaxValue.AddDays(-1);
}
