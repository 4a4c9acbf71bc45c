using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;
using Berth.Scanner.Inventory.Analyzers.Programs;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Go;

/// <summary>Build information that Go's linker puts into programs (Go: debug/buildinfo): modules with versions, and the release of Go itself as <c>stdlib</c>.</summary>
internal static partial class GoBuildInfo
{
    private static readonly byte[] Magic = [0xff, .. " Go buildinf:"u8];

    private const int Align = 16;
    private const int HeaderBytes = 32;
    private const int MaxTextBytes = 16 << 20;
    private const int ChunkBytes = 1 << 18;

    /// <summary>Reads a program; one that is not Go's gives nothing.</summary>
    public static void Read(FileContent content, ProgramFile program, FileReport report)
    {
        if (Find(content, program) is not { } at) return;
        var header = content.Slice(at, HeaderBytes, HeaderBytes);
        string release, modules;
        if ((header[15] & 2) != 0)
        {
            var place = at + HeaderBytes;
            release = Encoding.UTF8.GetString(Inline(content, ref place));
            modules = Modules(Inline(content, ref place));
        }
        else
        {
            release = Encoding.UTF8.GetString(Pointed(program, header, 16));
            modules = Modules(Pointed(program, header, 16 + header[14]));
        }
        var words = release.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length > 0 && words[0].StartsWith("go", StringComparison.Ordinal)) report.Add(new Package(PackageType.Go, "stdlib", words[0][2..]) { Relationship = PackageRelationship.Direct });
        ReadModules(modules, report);
    }

    private static void ReadModules(string text, FileReport report)
    {
        Package? last = null;
        var flags = "";
        Package? main = null;
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split('\t');
            if (words[0] == "=>" && last is not null && words.Length > 2)
            {
                last = last with { Name = words[1], Version = Version(words[2]) };
                continue;
            }
            if (last is not null && last.Relationship != PackageRelationship.Root) report.Add(last);
            if (last?.Relationship == PackageRelationship.Root) main = last;
            last = words switch
            {
                ["mod", var name, var version, ..] => new Package(PackageType.Go, name, Version(version)) { Relationship = PackageRelationship.Root },
                ["mod", var name] => new Package(PackageType.Go, name, "") { Relationship = PackageRelationship.Root },
                ["dep", var name, var version, ..] => new Package(PackageType.Go, name, Version(version)),
                _ => null,
            };
            if (words is ["build", var setting] && setting.StartsWith("-ldflags=", StringComparison.Ordinal)) flags = setting[9..];
        }
        if (last is not null && last.Relationship != PackageRelationship.Root) report.Add(last);
        main ??= last?.Relationship == PackageRelationship.Root ? last : null;
        if (main is null) return;
        report.Add(main.Version.Length == 0 ? main with { Version = Linked(flags) is { Length: > 0 } linked ? linked : "(devel)" } : main);
    }

    // Many projects set their version by "-X main.version=v1.2.3".
    private static string Linked(string flags)
    {
        var found = LinkedVersion().Matches(flags.Length > 4096 ? flags[..4096] : flags).Select(match => match.Groups[1].Value).Distinct().ToList();
        return found.Count == 1 ? found[0] : "";
    }

    private static string Version(string text) => text is "(devel)" ? "" : text.TrimStart('v');

    private static long? Find(FileContent content, ProgramFile program)
    {
        var parts = program.Sections.Where(part => part.Name is ".go.buildinfo" or "__go_buildinfo").ToList();
        // Parts may overlap in a broken file.
        var budget = content.Length + ChunkBytes;
        foreach (var part in parts.Count > 0 ? parts : program.Data)
        {
            var buffer = new byte[ChunkBytes + HeaderBytes];
            for (long done = 0; done < part.SizeBytes; done += ChunkBytes)
            {
                var count = content.ReadAt(part.Offset + done, buffer.AsSpan(0, (int)Math.Min(buffer.Length, part.SizeBytes - done)));
                var from = 0;
                while (buffer.AsSpan(from, count - from).IndexOf(Magic) is var hit and >= 0)
                {
                    if ((done + from + hit) % Align == 0 && from + hit + HeaderBytes <= count) return part.Offset + done + from + hit;
                    from += hit + 1;
                }
                if (count < buffer.Length || (budget -= ChunkBytes) < 0) break;
            }
        }
        return null;
    }

    private static byte[] Inline(FileContent content, ref long at)
    {
        ulong length = 0;
        var one = new byte[1];
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (content.ReadAt(at++, one) != 1) throw new InvalidDataException("go: build information ends early");
            length |= (ulong)(one[0] & 0x7f) << shift;
            if (one[0] < 0x80) break;
        }
        if (length > MaxTextBytes) throw new InvalidDataException("go: build information is too long");
        var text = content.Slice(at, (int)length, MaxTextBytes);
        at += text.Length;
        return text;
    }

    private static byte[] Pointed(ProgramFile program, byte[] header, int at)
    {
        var size = header[14];
        var isBig = (header[15] & 1) != 0;
        if (size is not (4 or 8)) throw new InvalidDataException("go: build information has a broken header");
        var pair = new byte[size * 2];
        if (!program.ReadAddress(Number(header.AsSpan(at), size, isBig), pair)) return [];
        var length = Number(pair.AsSpan(size), size, isBig);
        if (length > MaxTextBytes) throw new InvalidDataException("go: build information is too long");
        var text = new byte[length];
        return program.ReadAddress(Number(pair, size, isBig), text) ? text : [];
    }

    // Sixteen bytes of marks stand before and after the text.
    private static string Modules(byte[] text) => text.Length >= 33 && text[^17] == '\n' ? Encoding.UTF8.GetString(text.AsSpan(16, text.Length - 32)) : "";

    private static ulong Number(ReadOnlySpan<byte> from, int size, bool isBig) => (size, isBig) switch
    {
        (8, false) => BinaryPrimitives.ReadUInt64LittleEndian(from),
        (8, true) => BinaryPrimitives.ReadUInt64BigEndian(from),
        (_, false) => BinaryPrimitives.ReadUInt32LittleEndian(from),
        _ => BinaryPrimitives.ReadUInt32BigEndian(from),
    };

    [GeneratedRegex("""-X[ =]['"]?[^\s='"]*[./][vV]er(?:sion)?=v?(\d+\.\d+[^\s'"]*)""", RegexOptions.NonBacktracking)]
    private static partial Regex LinkedVersion();
}
