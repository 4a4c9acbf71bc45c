using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Berth.Scanner.Advisories.Database;

/// <summary>
/// Reads the file that <see cref="SortedTableWriter"/> wrote, by position and from many threads at once. Every block is checked against its
/// checksum before it is unpacked. The first keys of the blocks are kept in memory, and some unpacked blocks.
/// </summary>
internal sealed class SortedTable : IDisposable
{
    private const int CachedBlocks = 512;

    private readonly SafeFileHandle _file;
    private readonly Block[] _blocks;
    private readonly Unpacked?[] _cache = new Unpacked?[CachedBlocks];

    private readonly record struct Block(byte[] FirstKey, long At, int Stored, int Raw, uint Checksum);

    private sealed record Unpacked(int Index, byte[] Data);

    public SortedTable(string path)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
        try
        {
            var length = RandomAccess.GetLength(_file);
            CheckHead(length);
            var foot = ReadAt(length - SortedTableFormat.FootSize, SortedTableFormat.FootSize, length);
            if (!foot.AsSpan(56).SequenceEqual(SortedTableFormat.Magic))
                throw new InvalidDataException("the advisory database was cut off");
            var index = Unpack(
                BinaryPrimitives.ReadInt64LittleEndian(foot), BinaryPrimitives.ReadInt32LittleEndian(foot.AsSpan(8)),
                BinaryPrimitives.ReadInt32LittleEndian(foot.AsSpan(12)), BinaryPrimitives.ReadUInt32LittleEndian(foot.AsSpan(16)));
            Metadata = ReadAt(BinaryPrimitives.ReadInt64LittleEndian(foot.AsSpan(20)), BinaryPrimitives.ReadInt32LittleEndian(foot.AsSpan(28)), length);
            if (SortedTableFormat.Checksum(Metadata) != BinaryPrimitives.ReadUInt32LittleEndian(foot.AsSpan(32)))
                throw new InvalidDataException("the metadata of the advisory database are damaged");
            Records = BinaryPrimitives.ReadInt64LittleEndian(foot.AsSpan(40));
            _blocks = ReadIndex(index, BinaryPrimitives.ReadInt32LittleEndian(foot.AsSpan(36)));
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>JSON.</summary>
    public byte[] Metadata { get; }

    public long Records { get; }

    public void Dispose() => _file.Dispose();

    /// <summary>The value of the key; null when there is none.</summary>
    public ReadOnlyMemory<byte>? Find(ReadOnlyMemory<byte> key)
    {
        foreach (var (found, value) in Scan(key))
            return found.Length == key.Length ? value : null;
        return null;
    }

    /// <summary>All records whose keys begin with the prefix, in order.</summary>
    public IEnumerable<(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)> Scan(ReadOnlyMemory<byte> prefix)
    {
        for (var i = FirstBlock(prefix.Span); i < _blocks.Length; i++)
        {
            var data = Data(i);
            var at = 0;
            byte[] key = [];
            while (at < data.Length)
            {
                var value = Next(data, ref at, ref key);
                var order = Order(key, prefix.Span);
                if (order > 0)
                    yield break;
                if (order == 0)
                    yield return (key, value);
            }
        }
    }

    /// <summary>Below zero: the key comes before all that begin with the prefix; zero: it begins with it.</summary>
    private static int Order(ReadOnlySpan<byte> key, ReadOnlySpan<byte> prefix) =>
        key.StartsWith(prefix) ? 0 : key.SequenceCompareTo(prefix);

    private int FirstBlock(ReadOnlySpan<byte> key)
    {
        int low = 0, high = _blocks.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (key.SequenceCompareTo(_blocks[middle].FirstKey) < 0)
                high = middle;
            else
                low = middle + 1;
        }
        return Math.Max(0, low - 1);
    }

    private static ReadOnlyMemory<byte> Next(byte[] data, ref int at, ref byte[] key)
    {
        var reader = new RecordReader(data.AsSpan(at));
        var shared = reader.Number();
        if ((uint)shared > (uint)key.Length)
            throw new InvalidDataException("the advisory database holds a broken key");
        var rest = reader.Bytes();
        var next = new byte[shared + rest.Length];
        key.AsSpan(0, shared).CopyTo(next);
        rest.CopyTo(next.AsSpan(shared));
        key = next;
        var size = reader.Bytes().Length;
        at = data.Length - reader.Left;
        return data.AsMemory(at - size, size);
    }

    private byte[] Data(int index)
    {
        ref var slot = ref _cache[index % CachedBlocks];
        if (Volatile.Read(ref slot) is { } cached && cached.Index == index)
            return cached.Data;
        var block = _blocks[index];
        var data = Unpack(block.At, block.Stored, block.Raw, block.Checksum);
        Volatile.Write(ref slot, new Unpacked(index, data));
        return data;
    }

    private byte[] Unpack(long at, int stored, int raw, uint checksum)
    {
        if (raw is < 0 or > SortedTableFormat.MaxPart)
            throw new InvalidDataException("a block of the advisory database is too large");
        var packed = ReadAt(at, stored, RandomAccess.GetLength(_file));
        if (SortedTableFormat.Checksum(packed) != checksum)
            throw new InvalidDataException("a block of the advisory database is damaged");
        var data = new byte[raw];
        if (!BrotliDecoder.TryDecompress(packed, data, out var written) || written != raw)
            throw new InvalidDataException("a block of the advisory database cannot be unpacked");
        return data;
    }

    private void CheckHead(long length)
    {
        var head = ReadAt(0, (int)Math.Min(SortedTableFormat.HeadSize, length), length);
        if (head.Length < SortedTableFormat.HeadSize || !head.AsSpan().StartsWith(SortedTableFormat.Magic))
            throw new InvalidDataException("this is no advisory database");
        var schema = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8));
        if (schema != SortedTableFormat.Schema)
            throw new InvalidDataException($"the advisory database has schema {schema}, this program reads schema {SortedTableFormat.Schema}");
        if (length < SortedTableFormat.HeadSize + SortedTableFormat.FootSize)
            throw new InvalidDataException("the advisory database was cut off");
    }

    private static Block[] ReadIndex(ReadOnlySpan<byte> index, int count)
    {
        var reader = new RecordReader(index);
        if (count < 0 || count > index.Length)
            throw new InvalidDataException("the list of blocks of the advisory database is damaged");
        var blocks = new Block[count];
        for (var i = 0; i < count; i++)
            blocks[i] = new Block(reader.Bytes().ToArray(), (long)reader.Long(), reader.Number(), reader.Number(), (uint)reader.Number());
        return blocks;
    }

    private byte[] ReadAt(long at, int size, long length)
    {
        if (at < 0 || size < 0 || at > length - size)
            throw new InvalidDataException("the advisory database points outside of itself");
        var data = new byte[size];
        var done = 0;
        while (done < size)
        {
            var read = RandomAccess.Read(_file, data.AsSpan(done), at + done);
            if (read == 0)
                throw new InvalidDataException("the advisory database was cut off");
            done += read;
        }
        return data;
    }
}
