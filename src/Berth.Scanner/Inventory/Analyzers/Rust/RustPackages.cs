using System.IO.Compression;
using Berth.Scanner.Inventory.Analyzers.Archives;
using Berth.Scanner.Inventory.Analyzers.Programs;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Rust;

/// <summary>The list of crates that cargo-auditable puts into programs: JSON, packed by zlib, in section <c>.dep-v0</c> (rust-secure-code/cargo-auditable: PARSING.md).</summary>
internal static class CargoAuditable
{
    private const int MaxBytes = 8 << 20;

    /// <summary>Reads a program; one without the section gives nothing.</summary>
    public static void Read(FileContent content, ProgramFile program, FileReport report)
    {
        var part = program.Sections.FirstOrDefault(one => one.Name is ".dep-v0" or "rust-deps-v0");
        if (part.Name is null) return;
        using var packed = new ContentStream(content, part.Offset, part.SizeBytes);
        using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
        var buffer = new byte[64 << 10];
        using var json = new MemoryStream();
        while (zlib.Read(buffer) is var read and > 0)
        {
            json.Write(buffer, 0, read);
            if (json.Length > MaxBytes) throw new InvalidDataException("rust: list of crates is too long");
        }
        var packages = JsonText.Map(json.GetBuffer().AsSpan(0, (int)json.Length))["packages"].Items;
        foreach (var package in packages)
        {
            // Crates that only the build ran are not in the program.
            if (package.Of("kind") is "build" or "development") continue;
            report.Add(new Package(PackageType.Cargo, package.Of("name"), package.Of("version"))
            {
                Relationship = package["root"].IsTrue ? PackageRelationship.Root : PackageRelationship.Unknown,
                DependsOn = [.. package["dependencies"].Items.Select(one => int.TryParse(one.Text, out var index) && index >= 0 && index < packages.Count ? packages[index] : DataNode.Missing)
                    .Where(one => one.IsMap && one.Of("kind") is not ("build" or "development")).Select(one => one.Of("name") + "@" + one.Of("version")).Order(StringComparer.Ordinal)],
            });
        }
    }
}

/// <summary><c>Cargo.lock</c>.</summary>
internal static class CargoLock
{
    /// <summary>The analyzer.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new(ProjectRules.CargoLock, FileRole.ShippedLock, path => ImagePath.Name(path) == "Cargo.lock", Read),
        new(ProjectRules.CargoManifest, FileRole.Manifest, path => ImagePath.Name(path) == "Cargo.toml", Manifest, 1 << 20),
    ];

    // What the project asks for only to test and build itself.
    private static void Manifest(FileContent content, FileReport report)
    {
        var root = TomlText.Read(content.Bytes().Span);
        if (root["workspace"].IsMap || !root["package"].IsMap) return;
        var tables = new[] { root }.Concat(root["target"].Members.Select(one => one.Value)).ToList();
        List<string> Names(params string[] kinds) => [.. kinds.SelectMany(kind => tables.SelectMany(table => table[kind].Members))
            .Select(one => one.Value.Of("package") is { Length: > 0 } real ? real : one.Key).Distinct(StringComparer.Ordinal)];
        if (report.Names(ProjectRules.ForDevelopment, Names("dev-dependencies"))) report.Names(ProjectRules.Needed, Names("dependencies", "build-dependencies"));
    }

    private static void Read(FileContent content, FileReport report)
    {
        var root = TomlText.Read(content.Bytes().Span);
        // Version 1 keeps the project itself apart.
        var packages = root["root"].IsMap ? [root["root"], .. root["package"].Items] : root["package"].Items;
        var versions = packages.GroupBy(package => package.Of("name")).ToDictionary(group => group.Key, group => group.Select(one => one.Of("version")).ToList(), StringComparer.Ordinal);
        var needed = packages.SelectMany(package => package["dependencies"].Items).Select(one => one.Text?.Split(' ')[0] ?? "").ToHashSet(StringComparer.Ordinal);
        foreach (var package in packages.Where(package => package.Of("version").Length > 0))
        {
            var isLocal = package.Of("source").Length == 0;
            report.AddOnce(new Package(PackageType.Cargo, package.Of("name"), package.Of("version"))
            {
                Relationship = isLocal && !needed.Contains(package.Of("name")) ? PackageRelationship.Root : PackageRelationship.Unknown,
                DependsOn = [.. package["dependencies"].Items.Select(one => Resolve(one.Text ?? "", versions)).Where(one => one.Length > 0).Order(StringComparer.Ordinal)],
            });
        }
    }

    // "name", or "name 1.0" and "name 1.0 (source)" where several versions are there.
    private static string Resolve(string text, Dictionary<string, List<string>> versions)
    {
        var words = text.Split(' ');
        return words.Length > 1 ? words[0] + "@" + words[1] : versions.TryGetValue(words[0], out var found) ? words[0] + "@" + found[0] : "";
    }
}
