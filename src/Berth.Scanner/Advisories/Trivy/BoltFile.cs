using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Berth.Scanner.Advisories.Trivy;

/// <summary>
/// Reads a bbolt file (the key-value store of Go programs) by position, without a lock and without writing. All bytes are taken as hostile: pages are
/// checked against the file, no page is visited twice in one walk, depth and sizes are bounded. Throws <see cref="InvalidDataException"/>.
/// </summary>
public sealed class BoltFile : IDisposable
{
    private const uint Magic = 0xED0CDAED;
    private const int HeaderSize = 16;
    private const int ElementSize = 16;
    private const int MetaSize = 64;
    private const int MaxDepth = 24;
    private const int MaxPageBytes = 256 * 1024 * 1024;
    private const ushort BranchFlag = 1;
    private const ushort LeafFlag = 2;

    private readonly SafeFileHandle _file;
    private readonly long _length;
    private readonly int _pageSize;
    private readonly long _pages;
    private readonly ulong _root;

    /// <summary>A pair of a bucket; a bucket inside has <see cref="IsBucket"/> set and its value is for <see cref="Walk(ReadOnlyMemory{byte})"/>.</summary>
    public readonly record struct Pair(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, bool IsBucket);

    public BoltFile(string path)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            _length = RandomAccess.GetLength(_file);
            if ((Meta(0) ?? FirstValidSecond()) is not { } meta)
                throw new InvalidDataException("this is no bbolt file");
            if (Meta(meta.PageSize) is { } second && second.Transaction > meta.Transaction)
                meta = second;
            _pageSize = meta.PageSize;
            _root = meta.Root;
            _pages = _length / _pageSize;
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The pairs of the root: all of them buckets in a database of Trivy.</summary>
    public IEnumerable<Pair> Root() => WalkPage(_root, 0, []);

    /// <summary>The pairs of the bucket whose value was found in another.</summary>
    public IEnumerable<Pair> Walk(ReadOnlyMemory<byte> bucket)
    {
        if (bucket.Length < 16)
            throw new InvalidDataException("a bucket of the bbolt file is too short");
        var root = BinaryPrimitives.ReadUInt64LittleEndian(bucket.Span);
        // Root page 0: the only page of the bucket stands in the value itself.
        return root == 0 ? Leaf(bucket[16..]) : WalkPage(root, 0, []);
    }

    private readonly record struct MetaPage(int PageSize, ulong Root, ulong Transaction);

    private MetaPage? FirstValidSecond()
    {
        for (var size = 512; size <= 65536; size *= 2)
        {
            if (Meta(size) is { } meta && meta.PageSize == size)
                return meta;
        }
        return null;
    }

    private MetaPage? Meta(long at)
    {
        if (at + HeaderSize + MetaSize > _length)
            return null;
        var data = Read(at + HeaderSize, MetaSize);
        var checksum = 0xcbf29ce484222325UL;
        foreach (var b in data.AsSpan(0, 56))
            checksum = (checksum ^ b) * 0x100000001b3UL;
        if (BinaryPrimitives.ReadUInt32LittleEndian(data) != Magic || BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(4)) != 2
            || BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(56)) != checksum)
            return null;
        var pageSize = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(8));
        if (pageSize is < 512 or > 1 << 20 || (pageSize & (pageSize - 1)) != 0)
            return null;
        return new MetaPage((int)pageSize, BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(16)), BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(48)));
    }

    private IEnumerable<Pair> WalkPage(ulong number, int depth, HashSet<ulong> seen)
    {
        if (depth > MaxDepth || !seen.Add(number))
            throw new InvalidDataException("the bbolt file points in circles");
        var page = Page(number);
        var flags = BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(8));
        if ((flags & LeafFlag) != 0)
        {
            foreach (var pair in Leaf(page))
                yield return pair;
            yield break;
        }
        if ((flags & BranchFlag) == 0)
            throw new InvalidDataException("a page of the bbolt file is neither branch nor leaf");
        var count = Elements(page);
        for (var i = 0; i < count; i++)
        {
            var child = BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(HeaderSize + (i * ElementSize) + 8));
            foreach (var pair in WalkPage(child, depth + 1, seen))
                yield return pair;
        }
    }

    private static IEnumerable<Pair> Leaf(ReadOnlyMemory<byte> page)
    {
        if (page.Length < HeaderSize)
            throw new InvalidDataException("a page of the bbolt file is too short");
        var count = Elements(page.Span);
        for (var i = 0; i < count; i++)
        {
            var at = HeaderSize + (i * ElementSize);
            var (flags, position, keySize, valueSize) = Element(page.Span[at..]);
            var start = at + position;
            if (start + keySize + valueSize > page.Length)
                throw new InvalidDataException("a pair of the bbolt file lies outside of its page");
            yield return new Pair(
                page.Slice((int)start, (int)keySize), page.Slice((int)(start + keySize), (int)valueSize), (flags & 1) != 0);
        }
    }

    private static (uint Flags, long Position, long KeySize, long ValueSize) Element(ReadOnlySpan<byte> element) => (
        BinaryPrimitives.ReadUInt32LittleEndian(element), BinaryPrimitives.ReadUInt32LittleEndian(element[4..]),
        BinaryPrimitives.ReadUInt32LittleEndian(element[8..]), BinaryPrimitives.ReadUInt32LittleEndian(element[12..]));

    private static int Elements(ReadOnlySpan<byte> page)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(page[10..]);
        return HeaderSize + (count * ElementSize) <= page.Length
            ? count
            : throw new InvalidDataException("a page of the bbolt file has more elements than room");
    }

    /// <summary>The page with the pages that follow it because its content is larger.</summary>
    private byte[] Page(ulong number)
    {
        if (number >= (ulong)_pages)
            throw new InvalidDataException("the bbolt file points outside of itself");
        var at = (long)number * _pageSize;
        var overflow = BinaryPrimitives.ReadUInt32LittleEndian(Read(at, HeaderSize).AsSpan(12));
        var size = (overflow + 1L) * _pageSize;
        if (size > MaxPageBytes || at + size > _length)
            throw new InvalidDataException("a page of the bbolt file is longer than the file");
        return Read(at, (int)size);
    }

    private byte[] Read(long at, int size)
    {
        var data = new byte[size];
        for (var done = 0; done < size;)
        {
            var read = RandomAccess.Read(_file, data.AsSpan(done), at + done);
            if (read == 0)
                throw new InvalidDataException("the bbolt file was cut off");
            done += read;
        }
        return data;
    }
}
