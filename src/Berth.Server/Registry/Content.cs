using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Storage;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>Sends content: conditions, ranges and the bytes themselves (RFC 9110 sections 13 and 14).</summary>
internal static class Content
{
    private const int ChunkBytes = 256 * 1024;

    /// <summary>Whether If-None-Match names what the client already has.</summary>
    public static bool IsNotModified(HttpContext context, string? etag)
    {
        var condition = context.Request.Headers.IfNoneMatch;
        if (condition.Count == 0) return false;
        foreach (var line in condition)
        {
            foreach (var part in line.AsSpan().Split(','))
            {
                var tag = line.AsSpan()[part].Trim();
                if (tag is "*") return true;
                if (tag.StartsWith("W/", StringComparison.Ordinal)) tag = tag[2..];
                // Some clients send the bare digest.
                if (tag.SequenceEqual(etag) || tag.SequenceEqual(etag.AsSpan().Trim('"'))) return true;
            }
        }
        return false;
    }

    /// <summary>Whether the client names Docker's image manifest and neither lists nor anything.</summary>
    public static bool AcceptsOnlyDockerManifest(HttpRequest request)
    {
        var acceptsManifest = false;
        foreach (var line in request.Headers.Accept)
        {
            foreach (var part in (line ?? "").Split(',', StringSplitOptions.TrimEntries))
            {
                switch (MediaTypes.WithoutParameters(part))
                {
                    case "*/*" or "application/*" or MediaTypes.DockerManifestList or MediaTypes.OciIndex:
                        return false;
                    case MediaTypes.DockerManifest:
                        acceptsManifest = true;
                        break;
                }
            }
        }
        return acceptsManifest;
    }

    /// <summary>Sends a blob, whole or the ranges that were asked for. False when the store lacks its bytes.</summary>
    public static async ValueTask<bool> SendAsync(RegistryRequest request, CachedContent blob, BlobStores stores)
    {
        var response = request.Http.Response;
        var outcome = RangesOf(request.Http.Request, blob, out var ranges);
        if (outcome == RangeOutcome.Unsatisfiable)
        {
            response.Headers.ContentRange = $"bytes */{blob.Size}";
            await request.FailAsync(OciError.RangeInvalid with { Message = "no range lies within the blob" }).ConfigureAwait(false);
            return true;
        }
        IBlobReader? reader = null;
        if (blob.Bytes is null && !request.IsHead)
        {
            reader = await stores.OpenReadAsync(blob.Location, blob.Digest, ranges.Count > 0 ? ranges[0].First : 0, request.Aborted).ConfigureAwait(false);
            if (reader is null) return false;
        }
        using (reader)
        {
            if (outcome == RangeOutcome.Whole) await SendWholeAsync(request, blob, reader).ConfigureAwait(false);
            else if (ranges.Count == 1) await SendRangeAsync(request, blob, reader, ranges[0]).ConfigureAwait(false);
            else await SendRangesAsync(request, blob, reader, ranges).ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>Reads a small blob into memory; null when the store lacks it.</summary>
    public static async ValueTask<byte[]?> ReadWholeAsync(BlobStores stores, BlobLocation location, Digest digest, int size, CancellationToken ct)
    {
        using var reader = await stores.OpenReadAsync(location, digest, 0, ct).ConfigureAwait(false);
        if (reader is null || reader.Length != size) return null;
        var bytes = new byte[size];
        for (var read = 0; read < size;)
        {
            var n = await reader.ReadAsync(bytes.AsMemory(read), read, ct).ConfigureAwait(false);
            if (n == 0) return null;
            read += n;
        }
        return bytes;
    }

    private static RangeOutcome RangesOf(HttpRequest request, CachedContent blob, out IReadOnlyList<ByteRange> ranges)
    {
        ranges = [];
        var header = request.Headers.Range;
        if (header.Count == 0) return RangeOutcome.Whole;
        // If-Range with another tag, or with a date, of which there is none: everything.
        var condition = request.Headers.IfRange;
        if (condition.Count > 0 && condition.ToString() != blob.ETag) return RangeOutcome.Whole;
        return ByteRanges.Parse(header.ToString(), blob.Size, out ranges);
    }

    private static ValueTask SendWholeAsync(RegistryRequest request, CachedContent blob, IBlobReader? reader)
    {
        request.Http.Response.Headers.ContentType = blob.MediaType;
        request.Http.Response.ContentLength = blob.Size;
        return request.IsHead ? ValueTask.CompletedTask : CopyAsync(request, blob, reader, new ByteRange(0, blob.Size - 1));
    }

    private static ValueTask SendRangeAsync(RegistryRequest request, CachedContent blob, IBlobReader? reader, ByteRange range)
    {
        var response = request.Http.Response;
        response.StatusCode = 206;
        response.Headers.ContentType = blob.MediaType;
        response.Headers.ContentRange = $"bytes {range.First}-{range.Last}/{blob.Size}";
        response.ContentLength = range.Length;
        return request.IsHead ? ValueTask.CompletedTask : CopyAsync(request, blob, reader, range);
    }

    // multipart/byteranges (RFC 9110 section 14.6).
    private static async ValueTask SendRangesAsync(RegistryRequest request, CachedContent blob, IBlobReader? reader, IReadOnlyList<ByteRange> ranges)
    {
        const string boundary = "berth-byteranges-7f3a91c0d2";
        var response = request.Http.Response;
        var heads = ranges.Select(r => Encoding.ASCII.GetBytes(
            $"\r\n--{boundary}\r\nContent-Type: {blob.MediaType}\r\nContent-Range: bytes {r.First}-{r.Last}/{blob.Size}\r\n\r\n")).ToArray();
        var end = Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n");
        response.StatusCode = 206;
        response.ContentType = $"multipart/byteranges; boundary={boundary}";
        response.ContentLength = ranges.Sum(r => r.Length) + heads.Sum(h => (long)h.Length) + end.Length;
        if (request.IsHead) return;
        for (var i = 0; i < ranges.Count; i++)
        {
            await response.BodyWriter.WriteAsync(heads[i], request.Aborted).ConfigureAwait(false);
            await CopyAsync(request, blob, reader, ranges[i]).ConfigureAwait(false);
        }
        await response.BodyWriter.WriteAsync(end, request.Aborted).ConfigureAwait(false);
    }

    private static async ValueTask CopyAsync(RegistryRequest request, CachedContent blob, IBlobReader? reader, ByteRange range)
    {
        var writer = request.Http.Response.BodyWriter;
        if (blob.Bytes is { } bytes)
        {
            await writer.WriteAsync(bytes.AsMemory((int)range.First, (int)range.Length), request.Aborted).ConfigureAwait(false);
            return;
        }
        var left = range.Length;
        for (var offset = range.First; left > 0;)
        {
            // Straight from the page cache into the connection's own buffer.
            var buffer = writer.GetMemory((int)Math.Min(ChunkBytes, left));
            if (buffer.Length > left) buffer = buffer[..(int)left];
            var read = await reader!.ReadAsync(buffer, offset, request.Aborted).ConfigureAwait(false);
            if (read == 0) throw new IOException($"the bytes of {blob.Digest} end at {offset}, {blob.Size} are recorded");
            writer.Advance(read);
            offset += read;
            left -= read;
            FlushResult flushed = await writer.FlushAsync(request.Aborted).ConfigureAwait(false);
            if (flushed.IsCompleted) return;
        }
    }
}
