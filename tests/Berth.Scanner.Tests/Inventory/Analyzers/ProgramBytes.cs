using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Berth.Scanner.Tests.Inventory.Analyzers;

/// <summary>Writes the smallest programs that say what they were built from.</summary>
internal static class ProgramBytes
{
    private const int HeaderBytes = 64;
    private const int SectionBytes = 64;
    private const int SegmentBytes = 56;

    /// <summary>A section of a program.</summary>
    public sealed record Part(string Name, byte[] Content, ulong Address = 0, bool IsWritable = false);

    /// <summary>An ELF program of 64 bits with sections, and a segment for each that has an address.</summary>
    public static byte[] Elf(IReadOnlyList<Part> parts, bool withSections = true)
    {
        var names = new MemoryStream();
        names.WriteByte(0);
        var nameAt = parts.Select(part => Add(names, part.Name)).ToList();
        var tableName = Add(names, ".shstrtab");
        var all = parts.Append(new Part(".shstrtab", names.ToArray())).ToList();
        nameAt.Add(tableName);
        var segments = parts.Where(part => part.Address > 0).ToList();
        var at = HeaderBytes + SegmentBytes * segments.Count;
        var offsets = all.Select(part => { at = (at + 15) / 16 * 16; var start = at; at += part.Content.Length; return start; }).ToList();
        var table = (at + 15) / 16 * 16;
        var file = new byte[withSections ? table + SectionBytes * (all.Count + 1) : table];
        "\u007fELF"u8.CopyTo(file);
        (file[4], file[5], file[6]) = (2, 1, 1);
        Put(file, 16, 2, 2);
        Put(file, 18, 62, 2);
        Put(file, 32, segments.Count > 0 ? HeaderBytes : 0, 8);
        Put(file, 40, withSections ? table : 0, 8);
        Put(file, 52, HeaderBytes, 2);
        Put(file, 54, SegmentBytes, 2);
        Put(file, 56, segments.Count, 2);
        Put(file, 58, SectionBytes, 2);
        Put(file, 60, withSections ? all.Count + 1 : 0, 2);
        Put(file, 62, withSections ? all.Count : 0, 2);
        for (var i = 0; i < segments.Count; i++)
        {
            var header = HeaderBytes + i * SegmentBytes;
            var part = segments[i];
            Put(file, header, 1, 4);
            Put(file, header + 4, part.IsWritable ? 6 : 4, 4);
            Put(file, header + 8, offsets[parts.ToList().IndexOf(part)], 8);
            Put(file, header + 16, (long)part.Address, 8);
            Put(file, header + 32, part.Content.Length, 8);
            Put(file, header + 40, part.Content.Length, 8);
        }
        for (var i = 0; i < all.Count; i++)
        {
            all[i].Content.CopyTo(file, offsets[i]);
            if (!withSections) continue;
            var header = table + (i + 1) * SectionBytes;
            Put(file, header, nameAt[i], 4);
            Put(file, header + 4, i == all.Count - 1 ? 3 : 1, 4);
            Put(file, header + 8, all[i].IsWritable ? 3 : 2, 8);
            Put(file, header + 16, (long)all[i].Address, 8);
            Put(file, header + 24, offsets[i], 8);
            Put(file, header + 32, all[i].Content.Length, 8);
        }
        return file;
    }

    /// <summary>Go's build information since 1.18: texts behind the header.</summary>
    public static byte[] GoInline(string release, string modules)
    {
        var header = new byte[32];
        ((byte[])[0xff, .. " Go buildinf:"u8]).CopyTo(header, 0);
        (header[14], header[15]) = (8, 2);
        return [.. header, .. Counted(Encoding.UTF8.GetBytes(release)), .. Counted(Marked(modules))];
    }

    /// <summary>Go's build information before 1.18: pointers to texts, which lie in the other part.</summary>
    public static (byte[] Data, byte[] Texts) GoPointed(string release, string modules, ulong textAddress)
    {
        var marked = Marked(modules);
        var version = Encoding.UTF8.GetBytes(release);
        // Two string headers (pointer and length), then the texts.
        var texts = new byte[32 + version.Length + marked.Length];
        Put(texts, 0, (long)textAddress + 32, 8);
        Put(texts, 8, version.Length, 8);
        Put(texts, 16, (long)textAddress + 32 + version.Length, 8);
        Put(texts, 24, marked.Length, 8);
        version.CopyTo(texts, 32);
        marked.CopyTo(texts, 32 + version.Length);
        var data = new byte[64];
        ((byte[])[0xff, .. " Go buildinf:"u8]).CopyTo(data, 16);
        (data[30], data[31]) = (8, 0);
        Put(data, 32, (long)textAddress, 8);
        Put(data, 40, (long)textAddress + 16, 8);
        return (data, texts);
    }

    /// <summary>The section of cargo-auditable.</summary>
    public static byte[] Auditable(byte[] json)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(json);
        return packed.ToArray();
    }

    /// <summary>A zip archive.</summary>
    public static byte[] Zip(params ReadOnlySpan<(string Name, byte[] Content)> files)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                using var entry = zip.CreateEntry(name, name.EndsWith(".jar", StringComparison.Ordinal) ? CompressionLevel.NoCompression : CompressionLevel.Fastest).Open();
                entry.Write(content);
            }
        }
        return packed.ToArray();
    }

    private static byte[] Marked(string modules) =>
        [.. Convert.FromHexString("3077af0c9274080241e1c107e6d618e6"), .. Encoding.UTF8.GetBytes(modules), .. Convert.FromHexString("f932433186182072008242104116d8f2")];

    private static byte[] Counted(byte[] text)
    {
        var count = new List<byte>();
        for (var left = (uint)text.Length; ; left >>= 7)
        {
            count.Add((byte)(left < 0x80 ? left : left & 0x7f | 0x80));
            if (left < 0x80) return [.. count, .. text];
        }
    }

    private static int Add(MemoryStream names, string name)
    {
        var at = (int)names.Length;
        names.Write(Encoding.ASCII.GetBytes(name + "\0"));
        return at;
    }

    private static void Put(byte[] into, int at, long number, int width)
    {
        Span<byte> written = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(written, number);
        written[..width].CopyTo(into.AsSpan(at));
    }
}
