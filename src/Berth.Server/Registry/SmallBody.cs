using System.Buffers;
using System.IO.Pipelines;
using Berth.Oci;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// A request body that is small and says how long it is, read whole into memory: a blob that comes so need not touch the store before its
/// digest is verified. <see cref="UploadBody"/> takes in everything else.
/// </summary>
internal sealed class SmallBody : IDisposable
{
    /// <summary>Most bytes of a small body: what a slow client may make the server hold.</summary>
    public const int MaxBytes = 256 << 10;

    private readonly byte[] _buffer;
    private readonly int _length;

    private SmallBody(byte[] buffer, int length)
    {
        _buffer = buffer;
        _length = length;
    }

    /// <summary>The bytes, until disposal.</summary>
    public ReadOnlyMemory<byte> Content => _buffer.AsMemory(0, _length);

    /// <summary>Whether a request brings such a body.</summary>
    public static bool Comes(HttpRequest request, long maxBlobBytes) => request.ContentLength is { } length && length <= Math.Min(MaxBytes, maxBlobBytes);

    /// <summary>Reads the body of a request for which <see cref="Comes"/> is true. Throws when the client breaks off.</summary>
    public static async ValueTask<SmallBody> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        var length = (int)request.ContentLength!.Value;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await FillAsync(request.BodyReader, buffer.AsMemory(0, length), ct).ConfigureAwait(false);
            return new SmallBody(buffer, length);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <summary>Digest of the bytes.</summary>
    public Digest Digest(DigestAlgorithm algorithm) => Oci.Digest.Of(Content.Span, algorithm);

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private static async ValueTask FillAsync(PipeReader body, Memory<byte> buffer, CancellationToken ct)
    {
        var filled = 0;
        while (true)
        {
            var read = await body.ReadAsync(ct).ConfigureAwait(false);
            var data = read.Buffer;
            // The server holds a body against its Content-Length itself; this guards the buffer whatever the server does.
            if (filled + data.Length > buffer.Length || (read.IsCompleted && filled + data.Length < buffer.Length))
                throw new BadHttpRequestException("the body is not as long as Content-Length says");
            data.CopyTo(buffer.Span[filled..]);
            filled += (int)data.Length;
            body.AdvanceTo(data.End);
            if (read.IsCompleted) return;
        }
    }
}
