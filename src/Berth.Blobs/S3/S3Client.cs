using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Amazon.S3;
using Amazon.S3.Model;
using Berth.Blobs.Http;
using Berth.Blobs.Objects;

namespace Berth.Blobs.S3;

/// <summary>S3's protocol, in the subset that all services have: no conditional writes, no batch deletes, no copies.</summary>
internal sealed class S3Client : IObjectClient
{
    private const int MinPartBytes = 5 << 20;
    private const int MaxParts = 10_000;

    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(30);

    private readonly S3Options _options;
    private readonly S3Connection _connection;
    private readonly S3Calls _calls;
    private readonly CloudFrontSigner? _signer;
    private readonly TimeProvider _time;

    public S3Client(S3Options options, CloudFrontSigner? signer, TimeProvider time)
    {
        _signer = signer;
        _options = options;
        _time = time;
        _connection = new S3Connection(options);
        _calls = new S3Calls(options, _connection.Name, time);
        Parts = new PartLimits(options.PartBytes, 1, MaxParts, options.PartConcurrency, MinPartBytes, options.EvenParts);
    }

    public PartLimits Parts { get; }

    private AmazonS3Client Sdk => _connection.Client;

    public Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct) => CallAsync($"to write {key}", content.Length, async limited =>
    {
        using var body = StreamOf(content);
        return await Sdk.PutObjectAsync(_connection.Put(key, body), limited).ConfigureAwait(false);
    }, ct);

    public async Task<ObjectContent?> OpenAsync(string key, long offset, CancellationToken ct)
    {
        try
        {
            var answer = await _calls.RunAsync($"to read {key}", 0, limited => Sdk.GetObjectAsync(GetFrom(key, offset), limited), ct).ConfigureAwait(false);
            var length = offset > 0 ? LengthOf(answer, offset) : answer.ContentLength;
            return new ObjectContent(new AnswerStream(answer, answer.ResponseStream, StallTimeout, _time), length);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return await GetSizeAsync(key, ct).ConfigureAwait(false) is { } size ? new ObjectContent(Stream.Null, size) : null;
        }
        catch (AmazonS3Exception e) when (IsNotFound(e))
        {
            return null;
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, $"to read {key}");
        }
    }

    public async Task<long?> GetSizeAsync(string key, CancellationToken ct)
    {
        try
        {
            var request = new GetObjectMetadataRequest { BucketName = _options.Bucket, Key = key };
            return (await _calls.RunAsync($"to look at {key}", 0, limited => Sdk.GetObjectMetadataAsync(request, limited), ct).ConfigureAwait(false)).ContentLength;
        }
        catch (AmazonS3Exception e) when (IsNotFound(e))
        {
            return null;
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, $"to look at {key}");
        }
    }

    public async Task DeleteAsync(string key, CancellationToken ct)
    {
        try
        {
            var request = new DeleteObjectRequest { BucketName = _options.Bucket, Key = key };
            await _calls.RunAsync($"to delete {key}", 0, limited => Sdk.DeleteObjectAsync(request, limited), ct).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (IsNotFound(e))
        {
            // Some services say so where AWS says 204.
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, $"to delete {key}");
        }
    }

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        var request = new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = prefix };
        while (true)
        {
            var page = await CallAsync($"to list {prefix}", 0, limited => Sdk.ListObjectsV2Async(request, limited), ct).ConfigureAwait(false);
            foreach (var entry in page.S3Objects ?? []) yield return new ObjectEntry(entry.Key, entry.Size ?? 0, TimeOf(entry.LastModified));
            if (page.IsTruncated != true || string.IsNullOrEmpty(page.NextContinuationToken)) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public async Task<string> BeginPartsAsync(string key, CancellationToken ct) =>
        (await CallAsync($"to begin {key}", 0, limited => Sdk.InitiateMultipartUploadAsync(_connection.Begin(key), limited), ct).ConfigureAwait(false)).UploadId;

    public async Task<string> PutPartAsync(PartedObject target, Part part, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        try
        {
            return await PutPartOnceAsync(target, part.Number, content, ct).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (IsNotFound(e))
        {
            throw new UploadBytesMissingException(target.Key);
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, $"to write part {part.Number} of {target.Key}");
        }
    }

    public async Task CompletePartsAsync(PartedObject target, IReadOnlyList<Part> parts, ReadOnlyMemory<byte> last, CancellationToken ct)
    {
        var size = parts.Sum(p => (long)p.Size) + last.Length;
        try
        {
            var tags = parts.Select(p => S3PartTag.Read(p.Number, p.Tag)).ToList();
            if (last.Length > 0) tags.Add(S3PartTag.Read(parts.Count + 1, await PutPartOnceAsync(target, parts.Count + 1, last, ct).ConfigureAwait(false)));
            var request = new CompleteMultipartUploadRequest { BucketName = _options.Bucket, Key = target.Key, UploadId = target.Session, PartETags = tags };
            var tries = 0;
            await _calls.RunAsync($"to complete {target.Key}", 0, async limited =>
            {
                // Ceph answers 500 to whoever completes what is no more.
                if (tries++ > 0) await CheckSessionAsync(target, limited).ConfigureAwait(false);
                return await Sdk.CompleteMultipartUploadAsync(request, limited).ConfigureAwait(false);
            }, ct).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (IsNotFound(e))
        {
            // Completed by a try whose answer was lost, or forgotten.
            if (await GetSizeAsync(target.Key, ct).ConfigureAwait(false) != size) throw new UploadBytesMissingException(target.Key);
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, $"to complete {target.Key}");
        }
    }

    public async Task AbortPartsAsync(PartedObject target, CancellationToken ct)
    {
        try
        {
            var request = new AbortMultipartUploadRequest { BucketName = _options.Bucket, Key = target.Key, UploadId = target.Session };
            await _calls.RunAsync($"to abort {target.Key}", 0, limited => Sdk.AbortMultipartUploadAsync(request, limited), ct).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (IsNotFound(e))
        {
            // Completed, or aborted before.
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, $"to abort {target.Key}");
        }
    }

    public async IAsyncEnumerable<PartedObject> ListPartedAsync(string prefix, DateTimeOffset begunBefore, [EnumeratorCancellation] CancellationToken ct)
    {
        var request = new ListMultipartUploadsRequest { BucketName = _options.Bucket, Prefix = prefix };
        while (await ListPageAsync(request, ct).ConfigureAwait(false) is { } page)
        {
            foreach (var upload in page.MultipartUploads ?? [])
            {
                if (TimeOf(upload.Initiated) < begunBefore) yield return new PartedObject(upload.Key, upload.UploadId);
            }
            if (page.IsTruncated != true || string.IsNullOrEmpty(page.NextKeyMarker)) yield break;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    public async ValueTask<Uri?> SignReadAsync(string key, TimeSpan lifetime, CancellationToken ct) =>
        _signer?.Sign(key, lifetime) ?? await CallAsync($"to sign {key}", 0, _ => _connection.SignAsync(key, _time.GetUtcNow() + lifetime), ct).ConfigureAwait(false);

    public void Dispose()
    {
        _connection.Dispose();
        _signer?.Dispose();
    }

    private static bool IsNotFound(AmazonS3Exception e) => e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket";

    private static DateTimeOffset TimeOf(DateTime? time) => time is { } at ? new DateTimeOffset(at.ToUniversalTime()) : DateTimeOffset.MinValue;

    private static MemoryStream StreamOf(ReadOnlyMemory<byte> content) => MemoryMarshal.TryGetArray(content, out var array)
        ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
        : new MemoryStream(content.ToArray(), writable: false);

    // bytes 5-9/10
    private static long LengthOf(GetObjectResponse answer, long offset)
    {
        var range = answer.ContentRange;
        if (range is not null && long.TryParse(range.AsSpan(range.LastIndexOf('/') + 1), out var length)) return length;
        return offset + answer.ContentLength;
    }

    private GetObjectRequest GetFrom(string key, long offset)
    {
        var request = new GetObjectRequest { BucketName = _options.Bucket, Key = key };
        if (offset > 0) request.ByteRange = new ByteRange($"bytes={offset}-");
        return request;
    }

    private async Task<T> CallAsync<T>(string what, long bytes, Func<CancellationToken, Task<T>> call, CancellationToken ct)
    {
        try
        {
            return await _calls.RunAsync(what, bytes, call, ct).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, what);
        }
    }

    private async Task<string> PutPartOnceAsync(PartedObject target, int number, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var answer = await _calls.RunAsync($"to write part {number} of {target.Key}", content.Length, async limited =>
        {
            using var body = StreamOf(content);
            return await Sdk.UploadPartAsync(_connection.PutPart(target.Key, target.Session, number, body), limited).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        return S3PartTag.Write(answer);
    }

    private async Task CheckSessionAsync(PartedObject target, CancellationToken ct)
    {
        var request = new ListPartsRequest { BucketName = _options.Bucket, Key = target.Key, UploadId = target.Session, MaxParts = 1 };
        await Sdk.ListPartsAsync(request, ct).ConfigureAwait(false);
    }

    private async Task<ListMultipartUploadsResponse?> ListPageAsync(ListMultipartUploadsRequest request, CancellationToken ct)
    {
        try
        {
            return await _calls.RunAsync("to list uploads", 0, limited => Sdk.ListMultipartUploadsAsync(request, limited), ct).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (e.StatusCode is HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed)
        {
            // A service that keeps no such list: it has to collect old parts by a rule of its own.
            return null;
        }
        catch (AmazonS3Exception e)
        {
            throw _calls.Refused(e, "to list uploads");
        }
    }
}
