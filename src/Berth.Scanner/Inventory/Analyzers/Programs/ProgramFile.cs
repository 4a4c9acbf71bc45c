using System.Buffers.Binary;
using System.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Programs;

/// <summary>A part of a program.</summary>
/// <param name="Name">Name of the section; empty for a segment.</param>
/// <param name="Address">Address when loaded.</param>
/// <param name="Offset">Place in the file.</param>
/// <param name="SizeBytes">Bytes in the file.</param>
/// <param name="IsWritable">Whether the program may write to it.</param>
internal readonly record struct ProgramPart(string Name, ulong Address, long Offset, long SizeBytes, bool IsWritable);

/// <summary>Sections of a program in ELF, PE or Mach-O. A file that is none of them has no parts.</summary>
internal sealed class ProgramFile
{
    private const int MaxParts = 4096;
    private readonly FileContent content;
    private readonly List<ProgramPart> sections = [];
    private readonly List<ProgramPart> segments = [];

    /// <param name="content">The file.</param>
    public ProgramFile(FileContent content)
    {
        this.content = content;
        var head = new byte[64];
        if (content.ReadAt(0, head) < 64) return;
        if (head.AsSpan().StartsWith("\u007fELF"u8)) ReadElf(head);
        else if (head[0] == 'M' && head[1] == 'Z') ReadPe(head);
        else if (BinaryPrimitives.ReadUInt32LittleEndian(head) is 0xFEEDFACF or 0xFEEDFACE) ReadMachO(head);
    }

    /// <summary>Whether numbers in the program are big endian.</summary>
    public bool IsBigEndian { get; private set; }

    /// <summary>Named sections.</summary>
    public IReadOnlyList<ProgramPart> Sections => sections;

    /// <summary>Whether the first bytes are those of a program.</summary>
    public static bool IsProgram(ReadOnlySpan<byte> head) =>
        head.StartsWith("\u007fELF"u8) || head.StartsWith("MZ"u8) || (head.Length >= 4 && head[0] is 0xCF or 0xCE && head[1] == 0xFA && head[2] == 0xED && head[3] == 0xFE);

    /// <summary>Writable parts with content, where a Go program keeps its build information when it has no section for it.</summary>
    public IEnumerable<ProgramPart> Data => (segments.Any(part => part.IsWritable) ? segments : sections).Where(part => part.IsWritable && part.SizeBytes > 0);

    /// <summary>Reads bytes at an address; false when the program has none there.</summary>
    public bool ReadAddress(ulong address, Span<byte> into)
    {
        foreach (var part in segments.Count > 0 ? segments : sections)
        {
            if (address < part.Address || address - part.Address > (ulong)part.SizeBytes || (ulong)part.SizeBytes - (address - part.Address) < (ulong)into.Length) continue;
            return content.ReadAt(part.Offset + (long)(address - part.Address), into) == into.Length;
        }
        return false;
    }

    private void ReadElf(byte[] head)
    {
        var wide = head[4] == 2;
        IsBigEndian = head[5] == 2;
        var programs = (long)Number(head, wide ? 32 : 28, wide);
        var table = (long)Number(head, wide ? 40 : 32, wide);
        int programSize = Short(head, wide ? 54 : 42), programCount = Short(head, wide ? 56 : 44);
        int size = Short(head, wide ? 58 : 46), count = Short(head, wide ? 60 : 48), names = Short(head, wide ? 62 : 50);
        if (programCount > 0 && programSize >= (wide ? 56 : 32) && programCount <= MaxParts) ReadElfSegments(content.Slice(programs, programSize * programCount, 64 * MaxParts), programSize, wide);
        if (count is 0 or > MaxParts || size < (wide ? 64 : 40) || names >= count || table <= 0) return;
        var headers = content.Slice(table, size * count, 256 * MaxParts);
        var texts = Section(headers.AsSpan(names * size), wide);
        var strings = content.Slice(texts.Offset, (int)Math.Min(texts.SizeBytes, 1 << 20), 1 << 20);
        for (var i = 1; i < count; i++)
        {
            var header = headers.AsSpan(i * size, size);
            var at = (int)Number(header, 0, false);
            if (at < 0 || at >= strings.Length || Number(header, 4, false) == 8) continue;
            var name = strings.AsSpan(at);
            var end = name.IndexOf((byte)0);
            sections.Add(Section(header, wide) with { Name = Encoding.ASCII.GetString(end < 0 ? name : name[..end]) });
        }
    }

    private void ReadElfSegments(byte[] headers, int size, bool wide)
    {
        for (var at = 0; at + size <= headers.Length; at += size)
        {
            var header = headers.AsSpan(at, size);
            if (Number(header, 0, false) != 1) continue;
            var flags = Number(header, wide ? 4 : 24, false);
            segments.Add(new ProgramPart("", Number(header, wide ? 16 : 8, wide), (long)Number(header, wide ? 8 : 4, wide), (long)Number(header, wide ? 32 : 16, wide), (flags & 2) != 0));
        }
    }

    private ProgramPart Section(ReadOnlySpan<byte> header, bool wide) => new(
        "", Number(header, wide ? 16 : 12, wide), (long)Number(header, wide ? 24 : 16, wide), (long)Number(header, wide ? 32 : 20, wide), (Number(header, 8, wide) & 1) != 0);

    private void ReadPe(byte[] head)
    {
        var start = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(60));
        var header = new byte[24 + 112];
        if (content.ReadAt(start, header) < header.Length || !header.AsSpan().StartsWith("PE\0\0"u8)) return;
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(6)), optional = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(20));
        var wide = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(24)) == 0x20b;
        var image = wide ? BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24 + 24)) : BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(24 + 28));
        if (count > MaxParts) return;
        var table = content.Slice(start + 24 + optional, count * 40, 40 * MaxParts);
        for (var i = 0; i < count; i++)
        {
            var section = table.AsSpan(i * 40, 40);
            var name = Encoding.ASCII.GetString(section[..8].TrimEnd((byte)0));
            var flags = BinaryPrimitives.ReadUInt32LittleEndian(section[36..]);
            sections.Add(new ProgramPart(name, image + BinaryPrimitives.ReadUInt32LittleEndian(section[12..]), BinaryPrimitives.ReadUInt32LittleEndian(section[20..]),
                BinaryPrimitives.ReadUInt32LittleEndian(section[16..]), (flags & 0x80000000) != 0));
        }
    }

    private void ReadMachO(byte[] head)
    {
        var wide = BinaryPrimitives.ReadUInt32LittleEndian(head) == 0xFEEDFACF;
        var count = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(16));
        var commands = content.Slice(wide ? 32 : 28, (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(20)), 1 << 20), 1 << 20);
        for (int i = 0, at = 0; i < count && i < MaxParts && at + 8 <= commands.Length; i++)
        {
            var command = commands.AsSpan(at);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(command[4..]);
            if (length < 8 || length > command.Length) return;
            if (BinaryPrimitives.ReadUInt32LittleEndian(command) == (wide ? 0x19u : 0x1u)) ReadMachOSegment(command[..(int)length], wide);
            at += (int)length;
        }
    }

    private void ReadMachOSegment(ReadOnlySpan<byte> command, bool wide)
    {
        var head = wide ? 72 : 56;
        var each = wide ? 80 : 68;
        if (command.Length < head) return;
        var protection = BinaryPrimitives.ReadUInt32LittleEndian(command[(wide ? 60 : 44)..]);
        segments.Add(new ProgramPart("", Number(command, 24, wide), (long)Number(command, wide ? 40 : 32, wide), (long)Number(command, wide ? 48 : 36, wide), (protection & 2) != 0));
        for (var at = head; at + each <= command.Length && sections.Count < MaxParts; at += each)
        {
            var section = command.Slice(at, each);
            var name = Encoding.ASCII.GetString(section[..16].TrimEnd((byte)0));
            sections.Add(new ProgramPart(name, Number(section, 32, wide), BinaryPrimitives.ReadUInt32LittleEndian(section[(wide ? 48 : 40)..]), (long)Number(section, wide ? 40 : 36, wide), (protection & 2) != 0));
        }
    }

    private int Short(ReadOnlySpan<byte> from, int at) => IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(from[at..]) : BinaryPrimitives.ReadUInt16LittleEndian(from[at..]);

    private ulong Number(ReadOnlySpan<byte> from, int at, bool wide) => (wide, IsBigEndian) switch
    {
        (true, false) => BinaryPrimitives.ReadUInt64LittleEndian(from[at..]),
        (true, true) => BinaryPrimitives.ReadUInt64BigEndian(from[at..]),
        (false, false) => BinaryPrimitives.ReadUInt32LittleEndian(from[at..]),
        _ => BinaryPrimitives.ReadUInt32BigEndian(from[at..]),
    };
}
