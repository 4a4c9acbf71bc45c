using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Berth.Scanner.Advisories.Database;

/// <summary>Writes records that come in ascending order of their keys.</summary>
internal sealed class SortedTableWriter
{
    private const int Quality = 4;
    private const int Window = 18;

    private readonly Stream _output;
    private readonly RecordWriter _block = new();
    private readonly RecordWriter _index = new();
    private byte[] _firstKey = [];
    private byte[] _lastKey = [];
    private long _position;
    private int _blocks;
    private long _records;

    public SortedTableWriter(Stream output)
    {
        _output = output;
        Span<byte> head = stackalloc byte[SortedTableFormat.HeadSize];
        head.Clear();
        SortedTableFormat.Magic.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], SortedTableFormat.Schema);
        _output.Write(head);
        _position = head.Length;
    }

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var first = _block.Written.IsEmpty;
        if (!first && key.SequenceCompareTo(_lastKey) <= 0)
            throw new InvalidOperationException("keys of a sorted table come in ascending order");
        var shared = first ? 0 : key.CommonPrefixLength(_lastKey);
        if (first)
            _firstKey = key.ToArray();
        _block.Number(shared);
        _block.Bytes(key[shared..]);
        _block.Bytes(value);
        _lastKey = key.ToArray();
        _records++;
        if (_block.Written.Length >= SortedTableFormat.BlockSize)
            EndBlock();
    }

    /// <summary>Writes what is left, the list of blocks, the metadata and the foot. Nothing can be added afterwards.</summary>
    public void Complete(ReadOnlySpan<byte> metadata)
    {
        if (!_block.Written.IsEmpty)
            EndBlock();
        var indexAt = _position;
        var (indexStored, indexChecksum) = WriteCompressed(_index.Written.Span);
        var metadataAt = _position;
        _output.Write(metadata);
        Span<byte> foot = stackalloc byte[SortedTableFormat.FootSize];
        foot.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(foot, indexAt);
        BinaryPrimitives.WriteInt32LittleEndian(foot[8..], indexStored);
        BinaryPrimitives.WriteInt32LittleEndian(foot[12..], _index.Written.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(foot[16..], indexChecksum);
        BinaryPrimitives.WriteInt64LittleEndian(foot[20..], metadataAt);
        BinaryPrimitives.WriteInt32LittleEndian(foot[28..], metadata.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(foot[32..], SortedTableFormat.Checksum(metadata));
        BinaryPrimitives.WriteInt32LittleEndian(foot[36..], _blocks);
        BinaryPrimitives.WriteInt64LittleEndian(foot[40..], _records);
        SortedTableFormat.Magic.CopyTo(foot[56..]);
        _output.Write(foot);
        _output.Flush();
    }

    private void EndBlock()
    {
        var at = _position;
        var raw = _block.Written.Length;
        var (stored, checksum) = WriteCompressed(_block.Written.Span);
        _index.Bytes(_firstKey);
        _index.Number((ulong)at);
        _index.Number(stored);
        _index.Number(raw);
        _index.Number((int)checksum);
        _blocks++;
        _block.Clear();
    }

    private (int Stored, uint Checksum) WriteCompressed(ReadOnlySpan<byte> data)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BrotliEncoder.GetMaxCompressedLength(data.Length) + 64);
        try
        {
            if (!BrotliEncoder.TryCompress(data, buffer, out var written, Quality, Window))
                throw new InvalidOperationException("a block could not be compressed");
            _output.Write(buffer, 0, written);
            _position += written;
            return (written, SortedTableFormat.Checksum(buffer.AsSpan(0, written)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
