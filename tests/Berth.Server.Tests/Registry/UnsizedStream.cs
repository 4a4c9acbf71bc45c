namespace Berth.Server.Tests.Registry;

/// <summary>A stream that does not tell its length and waits between two pieces, if asked to.</summary>
internal sealed class UnsizedStream(byte[] content, Task? beforeEnd = null) : Stream
{
    private int _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = Math.Min(buffer.Length, content.Length - _position);
        if (read == 0 && beforeEnd is not null) await beforeEnd.WaitAsync(cancellationToken);
        content.AsMemory(_position, read).CopyTo(buffer);
        _position += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
