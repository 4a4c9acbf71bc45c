using System.Net;
using System.Security.Cryptography;
using Berth.Client.Authorization;
using Berth.Client.Http;
using Berth.Oci;

namespace Berth.Client.Content;

/// <summary>
/// A blob while it is read, forward only. A connection that breaks is taken up again where it was (RFC 9110, section 14, <c>Range</c>). Size and digest are checked when the last byte is read: the
/// reader must go on until nothing comes any more, and believe nothing before.
/// </summary>
internal sealed class BlobDownload : Stream
{
    private readonly RegistryHttp http;
    private readonly RegistrySession session;
    private readonly RegistryClientOptions options;
    private readonly TimeProvider time;
    private readonly ImageReference reference;
    private readonly Descriptor blob;
    private readonly IncrementalHash hash;
    private HttpResponseMessage? answer;
    private Stream? body;
    private long done;
    private int failures;
    private bool isVerified;
    private RegistryException? wrong;

    private BlobDownload(RegistryHttp http, RegistrySession session, RegistryClientOptions options, TimeProvider time, ImageReference reference, Descriptor blob, long done, IncrementalHash? hash)
    {
        (this.http, this.session, this.options, this.time, this.reference, this.blob, this.done) = (http, session, options, time, reference, blob, done);
        this.hash = hash ?? IncrementalHash.CreateHash(blob.Digest.Algorithm == DigestAlgorithm.Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => blob.Size;

    public override long Position
    {
        get => done;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a blob.</summary>
    /// <param name="http">Sends.</param>
    /// <param name="session">The registry.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">Clock.</param>
    /// <param name="reference">The repository.</param>
    /// <param name="blob">Digest and size.</param>
    /// <param name="start">Bytes that the caller has already.</param>
    /// <param name="hash">The hash of those bytes; goes over to the stream. Null when there are none.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">It is not there, or may not be read.</exception>
    public static async Task<BlobDownload> OpenAsync(
        RegistryHttp http, RegistrySession session, RegistryClientOptions options, TimeProvider time, ImageReference reference, Descriptor blob, long start, IncrementalHash? hash, CancellationToken ct)
    {
        var stream = new BlobDownload(http, session, options, time, reference, blob, start, hash);
        try
        {
            if (start < blob.Size) await stream.ConnectAsync(ct);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (done < blob.Size)
        {
            Exception? broken = null;
            try
            {
                if (body is null) await ConnectAsync(cancellationToken);
                var read = await ReadBodyAsync(buffer[..(int)Math.Min(buffer.Length, blob.Size - done)], cancellationToken);
                if (read > 0)
                {
                    hash.AppendData(buffer.Span[..read]);
                    done += read;
                    failures = 0;
                    return read;
                }
            }
            catch (Exception e) when (RegistryHttp.IsBroken(e, cancellationToken))
            {
                broken = e;
            }
            // The body ended before the blob did, or broke.
            Disconnect();
            if (++failures >= options.MaxAttempts)
                throw new RegistryException(RegistryFailure.Unreachable, $"{reference.Name}: {blob.Digest} broke off after {done} of {blob.Size} bytes{(broken is null ? "" : $": {broken.Message}")}", broken);
            await Task.Delay(options.FirstPause * (1 << Math.Min(failures - 1, 6)), time, cancellationToken);
        }
        Verify();
        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // For readers that know no other way, such as those of archives in archives.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Disconnect();
            hash.Dispose();
        }
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(options.StallTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        return await body!.ReadAsync(buffer, limit.Token);
    }

    private async Task ConnectAsync(CancellationToken ct)
    {
        var from = done;
        answer = await http.SendAsync(session, RegistryScopes.Pull(reference), () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(session.Address, $"/v2/{reference.Repository}/blobs/{blob.Digest}"));
            if (from > 0) request.Headers.TryAddWithoutValidation("Range", $"bytes={from}-");
            return request;
        }, ct);
        if (!answer.IsSuccessStatusCode)
        {
            var refusal = await RegistryHttp.RefusalAsync(answer, $"blob {blob.Digest} of {reference.Name}", ct);
            Disconnect();
            throw refusal;
        }
        body = await answer.Content.ReadAsStreamAsync(ct);
        var isPart = answer.StatusCode == HttpStatusCode.PartialContent;
        if (isPart && answer.Content.Headers.ContentRange?.From != from) throw Wrong("another part of the blob came than was asked for");
        var expected = isPart ? blob.Size - from : blob.Size;
        if (answer.Content.Headers.ContentLength is { } length && length != expected) throw Wrong($"it has {(isPart ? length + from : length)} bytes, the manifest says {blob.Size}");
        // A server without ranges begins at the start again.
        if (!isPart && from > 0) await SkipAsync(from, ct);
    }

    private async Task SkipAsync(long count, CancellationToken ct)
    {
        var buffer = new byte[64 * 1024];
        while (count > 0)
        {
            var read = await ReadBodyAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), ct);
            if (read == 0) throw new EndOfStreamException("the answer ends early");
            count -= read;
        }
    }

    private void Verify()
    {
        if (wrong is not null) throw wrong;
        if (isVerified) return;
        Span<byte> actual = stackalloc byte[SHA512.HashSizeInBytes];
        var length = hash.GetHashAndReset(actual);
        isVerified = true;
        var digest = Digest.FromHash(blob.Digest.Algorithm, actual[..length]);
        if (digest != blob.Digest) throw wrong = Wrong($"its bytes have the digest {digest}");
    }

    private RegistryException Wrong(string why) => new(RegistryFailure.WrongContent, $"blob {blob.Digest} of {reference.Name} is not what was asked for: {why}");

    private void Disconnect()
    {
        body?.Dispose();
        answer?.Dispose();
        (body, answer) = (null, null);
    }
}
