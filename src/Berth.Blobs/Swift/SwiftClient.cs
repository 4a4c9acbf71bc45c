using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Berth.Blobs.Http;
using Berth.Blobs.Objects;

namespace Berth.Blobs.Swift;

/// <summary>
/// OpenStack Swift's native API. An object in parts is a static large object: segments below <c>berth/segments/</c>, each named after its number
/// and the MD5 of its bytes, so that no two contents share a name, and a manifest that names them at the end. While it is unfinished, a
/// marker below <c>berth/parted/</c> says so. What Docker Registry wrote are dynamic large objects, which are read, listed and removed here as well.
/// </summary>
internal sealed class SwiftClient : IObjectClient
{
    private const int PageSize = 10_000;
    private const string SessionHeader = "X-Object-Meta-Berth-Session";

    private readonly SwiftOptions _options;
    private readonly ObjectPaths _paths;
    private readonly SwiftCalls _calls;
    private readonly SwiftTempUrls _tempUrls;

    public SwiftClient(SwiftOptions options, ObjectPaths paths, TimeProvider time)
    {
        _options = options;
        _paths = paths;
        _calls = new SwiftCalls(options, time);
        _tempUrls = new SwiftTempUrls(options, _calls, time);
        Parts = new PartLimits(options.PartBytes, 1, options.MaxSegments, options.PartConcurrency, Math.Min(1 << 20, options.PartBytes));
    }

    public PartLimits Parts { get; }

    private string Segments => _paths.Prefix + "berth/segments/";

    private string Markers => _paths.Prefix + "berth/parted/";

    public Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct) => PutAsync(key, content, Md5(content), ct);

    public async Task<ObjectContent?> OpenAsync(string key, long offset, CancellationToken ct)
    {
        var opened = await _calls.OpenAsync(key, r => r.Headers.Range = offset > 0 ? new RangeHeaderValue(offset, null) : null, ct).ConfigureAwait(false);
        if (opened.Stream is { } stream) return new ObjectContent(stream, opened.TotalLength ?? throw new IOException($"{key} has no length"));
        if (opened.Status == HttpStatusCode.NotFound) return null;
        if (opened.Status != HttpStatusCode.RequestedRangeNotSatisfiable) throw _calls.Refused(opened.Answer!, $"to read {key}");
        return await GetSizeAsync(key, ct).ConfigureAwait(false) is { } size ? new ObjectContent(Stream.Null, size) : null;
    }

    public async Task<long?> GetSizeAsync(string key, CancellationToken ct) => (await HeadAsync(key, ct).ConfigureAwait(false))?.ContentLength;

    public async Task DeleteAsync(string key, CancellationToken ct)
    {
        if (await HeadAsync(key, ct).ConfigureAwait(false) is not { } head) return;
        await DeletePlainAsync(key, ct).ConfigureAwait(false);
        // The segments last: what is left of them when this is cut off is no content's any more.
        if (head.Header(SessionHeader) is not null) await DeleteAllAsync(SegmentsOf(key), [], ct).ConfigureAwait(false);
        else if (head.Header("X-Object-Manifest") is { } manifest && ManifestPrefix(manifest) is { } prefix) await DeleteAllAsync(prefix, [], ct).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entry in ListPagesAsync(prefix, ct).ConfigureAwait(false))
        {
            // The manifest of a dynamic large object is listed with its own size, which is 0.
            var size = entry.Bytes != 0 ? entry.Bytes : await GetSizeAsync(entry.Name, ct).ConfigureAwait(false);
            if (size is { } known) yield return new ObjectEntry(entry.Name, known, entry.ChangedAt);
        }
    }

    public async Task<string> BeginPartsAsync(string key, CancellationToken ct)
    {
        var session = RandomNumberGenerator.GetHexString(16, lowercase: true);
        await PutAsync(MarkerOf(new PartedObject(key, session)), ReadOnlyMemory<byte>.Empty, ct).ConfigureAwait(false);
        return session;
    }

    public async Task<string> PutPartAsync(PartedObject target, Part part, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var md5 = Md5(content);
        await PutAsync(SegmentOf(target, part.Number, md5), content, md5, ct).ConfigureAwait(false);
        return md5;
    }

    public async Task CompletePartsAsync(PartedObject target, IReadOnlyList<Part> parts, ReadOnlyMemory<byte> last, CancellationToken ct)
    {
        var all = parts.ToList();
        if (last.Length > 0)
        {
            var part = new Part(parts.Count + 1, parts.Sum(p => (long)p.Size), last.Length, "");
            all.Add(part with { Tag = await PutPartAsync(target, part, last, ct).ConfigureAwait(false) });
        }
        var manifest = JsonSerializer.SerializeToUtf8Bytes(
            all.Select(p => new SwiftSegment($"/{_options.Container}/{SegmentOf(target, p.Number, p.Tag)}", p.Tag, p.Size)).ToList(), SwiftJson.Default.ListSwiftSegment);
        var answer = await _calls.SendAsync(HttpMethod.Put, target.Key, "?multipart-manifest=put", request =>
        {
            request.Content = new MemoryContent(manifest, "application/json");
            request.Headers.TryAddWithoutValidation(SessionHeader, target.Session);
        }, ct).ConfigureAwait(false);
        // The answer names each segment that it did not find.
        if (answer.Status == HttpStatusCode.BadRequest && answer.Text.Contains("404 Not Found", StringComparison.Ordinal)) throw new UploadBytesMissingException(target.Key);
        if (!answer.IsSuccess) throw _calls.Refused(answer, $"to complete {target.Key}");
        // Segments that other tries and processes left, and last the marker that says that something may be left.
        await DeleteAllAsync(SessionOf(target), [.. all.Select(p => SegmentOf(target, p.Number, p.Tag))], ct).ConfigureAwait(false);
        await DeletePlainAsync(MarkerOf(target), ct).ConfigureAwait(false);
    }

    public async Task AbortPartsAsync(PartedObject target, CancellationToken ct)
    {
        var isMade = await HeadAsync(target.Key, ct).ConfigureAwait(false) is { } head && head.Header(SessionHeader) == target.Session;
        if (!isMade) await DeleteAllAsync(SessionOf(target), [], ct).ConfigureAwait(false);
        await DeletePlainAsync(MarkerOf(target), ct).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<PartedObject> ListPartedAsync(string prefix, DateTimeOffset begunBefore, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entry in ListPagesAsync(Markers, ct).ConfigureAwait(false))
        {
            if (entry.ChangedAt >= begunBefore || entry.Name[Markers.Length..].Split('/') is not [var upload, var session]) continue;
            var key = _paths.Content(upload);
            if (key.StartsWith(prefix, StringComparison.Ordinal)) yield return new PartedObject(key, session);
        }
    }

    public ValueTask<Uri?> SignReadAsync(string key, TimeSpan lifetime, CancellationToken ct) => _tempUrls.SignAsync(key, lifetime, ct);

    public void Dispose()
    {
        _tempUrls.Dispose();
        _calls.Dispose();
    }

#pragma warning disable CA5351 // MD5 is what Swift verifies bodies with; nothing is trusted for it.
    private static string Md5(ReadOnlyMemory<byte> content) => Convert.ToHexStringLower(MD5.HashData(content.Span));
#pragma warning restore CA5351

    private static string UploadOf(string key) => key[(key.LastIndexOf('/') + 1)..];

    private string SegmentsOf(string key) => $"{Segments}{UploadOf(key)}/";

    private string SessionOf(PartedObject target) => $"{SegmentsOf(target.Key)}{target.Session}/";

    private string SegmentOf(PartedObject target, int number, string md5) => $"{SessionOf(target)}{number:d5}-{md5}";

    private string MarkerOf(PartedObject target) => $"{Markers}{UploadOf(target.Key)}/{target.Session}";

    // container/prefix; another container is not ours to touch.
    private string? ManifestPrefix(string manifest)
    {
        var words = Uri.UnescapeDataString(manifest).TrimStart('/').Split('/', 2);
        return words is [var container, { Length: > 0 } prefix] && container == _options.Container ? prefix.TrimEnd('/') + "/" : null;
    }

    private async Task PutAsync(string key, ReadOnlyMemory<byte> content, string md5, CancellationToken ct)
    {
        void Prepare(HttpRequestMessage request)
        {
            request.Content = new MemoryContent(content);
            request.Headers.TryAddWithoutValidation("ETag", md5);
        }

        var answer = await _calls.SendAsync(HttpMethod.Put, key, "", Prepare, ct).ConfigureAwait(false);
        if (answer.Status == HttpStatusCode.NotFound)
        {
            var made = await _calls.SendAsync(HttpMethod.Put, "", "", null, ct).ConfigureAwait(false);
            if (!made.IsSuccess) throw _calls.Refused(made, $"to make container {_options.Container}");
            answer = await _calls.SendAsync(HttpMethod.Put, key, "", Prepare, ct).ConfigureAwait(false);
        }
        if (!answer.IsSuccess) throw _calls.Refused(answer, $"to write {key}");
    }

    private async Task<StoreAnswer?> HeadAsync(string key, CancellationToken ct)
    {
        var answer = await _calls.SendAsync(HttpMethod.Head, key, "", null, ct).ConfigureAwait(false);
        if (answer.Status == HttpStatusCode.NotFound) return null;
        return answer.IsSuccess ? answer : throw _calls.Refused(answer, $"to look at {key}");
    }

    private async Task DeletePlainAsync(string key, CancellationToken ct)
    {
        var answer = await _calls.SendAsync(HttpMethod.Delete, key, "", null, ct).ConfigureAwait(false);
        if (!answer.IsSuccess && answer.Status != HttpStatusCode.NotFound) throw _calls.Refused(answer, $"to delete {key}");
    }

    private async Task DeleteAllAsync(string prefix, HashSet<string> except, CancellationToken ct)
    {
        var keys = new List<string>();
        await foreach (var entry in ListPagesAsync(prefix, ct).ConfigureAwait(false))
        {
            if (!except.Contains(entry.Name)) keys.Add(entry.Name);
        }
        foreach (var key in keys) await DeletePlainAsync(key, ct).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<SwiftEntry> ListPagesAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        var marker = "";
        while (true)
        {
            var query = string.Create(CultureInfo.InvariantCulture, $"?format=json&limit={PageSize}&prefix={Uri.EscapeDataString(prefix)}&marker={Uri.EscapeDataString(marker)}");
            var answer = await _calls.SendAsync(HttpMethod.Get, "", query, null, ct).ConfigureAwait(false);
            // The container is made by the first write.
            if (answer.Status is HttpStatusCode.NotFound or HttpStatusCode.NoContent) yield break;
            if (!answer.IsSuccess) throw _calls.Refused(answer, $"to list {prefix}");
            var page = JsonSerializer.Deserialize(answer.Body, SwiftJson.Default.ListSwiftEntry) ?? [];
            foreach (var entry in page) yield return entry;
            if (page.Count == 0) yield break;
            marker = page[^1].Name;
        }
    }
}
