using System.Net;
using System.Net.Http.Headers;

namespace Berth.Blobs.Http;

/// <summary>A request's body that lies in memory; the memory belongs to the caller and stays as it is until the answer is there.</summary>
internal sealed class MemoryContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> _bytes;

    public MemoryContent(ReadOnlyMemory<byte> bytes, string mediaType = "application/octet-stream")
    {
        _bytes = bytes;
        Headers.ContentType = new MediaTypeHeaderValue(mediaType);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(_bytes).AsTask();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken ct) => stream.WriteAsync(_bytes, ct).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = _bytes.Length;
        return true;
    }
}
