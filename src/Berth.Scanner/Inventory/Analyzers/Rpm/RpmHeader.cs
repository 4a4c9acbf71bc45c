using System.Buffers.Binary;
using System.Text;

namespace Berth.Scanner.Inventory.Analyzers.Rpm;

/// <summary>The header of one installed package as rpm's databases keep it: an index of tags and a store of values, big endian, without the magic of a package file.</summary>
internal sealed class RpmHeader
{
    /// <summary>Tags that are read (rpm's rpmtag.h).</summary>
    public const int Name = 1000, Version = 1001, Release = 1002, Epoch = 1003, Vendor = 1011, License = 1014, Architecture = 1022, SourceRpm = 1044,
        ProvideName = 1047, RequireName = 1049, DirectoryIndexes = 1116, BaseNames = 1117, DirectoryNames = 1118, ModularityLabel = 5096;

    private const int MaxTags = 65_536;
    private const int MaxValues = 2_000_000;
    private readonly byte[] blob;
    private readonly int store;
    private readonly Dictionary<int, (int Type, int Offset, int Count)> tags = [];

    /// <param name="blob">Value of the database.</param>
    public RpmHeader(byte[] blob)
    {
        this.blob = blob;
        if (blob.Length < 8) throw new InvalidDataException("rpm: header is too short");
        var count = BinaryPrimitives.ReadInt32BigEndian(blob);
        var size = BinaryPrimitives.ReadInt32BigEndian(blob.AsSpan(4));
        if (count is < 1 or > MaxTags || size < 0 || 8L + count * 16L + size > blob.Length) throw new InvalidDataException("rpm: header has wrong lengths");
        store = 8 + count * 16;
        for (var i = 0; i < count; i++)
        {
            var entry = blob.AsSpan(8 + i * 16, 16);
            tags.TryAdd(BinaryPrimitives.ReadInt32BigEndian(entry),
                (BinaryPrimitives.ReadInt32BigEndian(entry[4..]), BinaryPrimitives.ReadInt32BigEndian(entry[8..]), BinaryPrimitives.ReadInt32BigEndian(entry[12..])));
        }
    }

    /// <summary>A text; empty when the tag is not there.</summary>
    public string Text(int tag) => tags.TryGetValue(tag, out var entry) && entry.Type is 6 or 8 or 9 && entry.Count > 0 ? String(Start(entry.Offset), out _) : "";

    /// <summary>A list of texts.</summary>
    public IReadOnlyList<string> Texts(int tag)
    {
        if (!tags.TryGetValue(tag, out var entry) || entry.Type is not (8 or 9)) return [];
        if (entry.Count is < 0 or > MaxValues) throw new InvalidDataException("rpm: header has too many values");
        var found = new List<string>(Math.Min(entry.Count, 4096));
        var at = Start(entry.Offset);
        for (var i = 0; i < entry.Count; i++) found.Add(String(at, out at));
        return found;
    }

    /// <summary>A list of 32-bit numbers.</summary>
    public IReadOnlyList<int> Numbers(int tag)
    {
        if (!tags.TryGetValue(tag, out var entry) || entry.Type != 4) return [];
        var at = Start(entry.Offset);
        if (entry.Count < 0 || entry.Count > (blob.Length - at) / 4) throw new InvalidDataException("rpm: header has too many values");
        var found = new int[entry.Count];
        for (var i = 0; i < found.Length; i++) found[i] = BinaryPrimitives.ReadInt32BigEndian(blob.AsSpan(at + i * 4));
        return found;
    }

    private int Start(int offset) => offset >= 0 && offset < blob.Length - store ? store + offset : throw new InvalidDataException("rpm: value lies outside the header");

    private string String(int at, out int next)
    {
        var length = blob.AsSpan(at).IndexOf((byte)0);
        if (length < 0) throw new InvalidDataException("rpm: text has no end");
        next = at + length + 1;
        return Encoding.UTF8.GetString(blob, at, length);
    }
}
