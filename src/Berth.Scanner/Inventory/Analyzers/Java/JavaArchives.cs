using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Berth.Scanner.Inventory.Analyzers.Archives;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Java;

/// <summary>
/// Java archives and the archives in them. Maven's <c>pom.properties</c> says what is inside; where none is the archive's own, the manifest is asked. An archive that
/// neither names is kept as the fact <c>sha1 PATH</c>, for a look-up by content.
/// </summary>
internal static partial class JavaArchives
{
    private const int MaxDepth = 16;
    private const int MaxNestedBytes = 96 << 20;
    private const int MaxArchives = 20_000;
    private const long MaxUnpackedBytes = 4L << 30;

    /// <summary>The analyzers of Java.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("java-archive", FileRole.Installed, IsArchive, Read, 1L << 30),
        new("gradle-lock", FileRole.Lock, path => path.EndsWith("gradle.lockfile", StringComparison.Ordinal), JavaBuildFiles.Gradle),
        new("sbt-lock", FileRole.Lock, path => path.EndsWith("build.sbt.lock", StringComparison.Ordinal), JavaBuildFiles.Sbt),
        new("maven-pom", FileRole.Lock, path => ImagePath.Name(path) == "pom.xml", JavaBuildFiles.Pom, 8 << 20),
    ];

    private static bool IsArchive(string path) =>
        path.LastIndexOf('.') is var dot and >= 0 && path[dot..].ToLowerInvariant() is ".jar" or ".war" or ".ear" or ".par" or ".sar" or ".hpi" or ".jpi" or ".nar" or ".kar";

    private static void Read(FileContent content, FileReport report) => new Reader(report).Read(content, report.Path, 0);

    private sealed class Reader(FileReport report)
    {
        private int archives;
        private long budget = MaxUnpackedBytes;

        public void Read(FileContent content, string path, int depth)
        {
            report.Cancelled.ThrowIfCancellationRequested();
            // Entries may share bytes: what is read in all is bounded, not only what each is.
            if (++archives > MaxArchives || (budget -= content.Length) < 0) throw new InvalidDataException("java: too many archives in one");
            var zip = new ZipArchiveReader(content);
            var found = new List<Package>();
            Dictionary<string, string>? manifest = null;
            foreach (var entry in zip.Entries)
            {
                if (entry.Name.EndsWith("/pom.properties", StringComparison.Ordinal) || entry.Name == "pom.properties")
                {
                    if ((budget -= 1 << 12) < 0) throw new InvalidDataException("java: archive is too large");
                    if (Properties(zip.Read(entry, 1 << 16)) is { } package) found.Add(package);
                }
                else if (entry.Name == "META-INF/MANIFEST.MF")
                {
                    manifest = Manifest(zip.Read(entry, 4 << 20));
                }
                else if (IsArchive(entry.Name))
                {
                    Nested(zip, entry, content, path + "/" + entry.Name, depth + 1);
                }
            }
            Report(content, path, found, manifest);
        }

        private void Nested(ZipArchiveReader zip, ZipEntry entry, FileContent content, string path, int depth)
        {
            if (depth > MaxDepth)
            {
                report.Skip(path, "archives are nested too deeply");
                return;
            }
            try
            {
                if (zip.Stored(entry) is { } place) Read(content.View(place, entry.PackedBytes), path, depth);
                else Read(new FileContent(zip.Read(entry, MaxNestedBytes)), path, depth);
            }
            catch (InvalidDataException e) when (budget > 0)
            {
                report.Skip(path, e.Message);
            }
        }

        private void Report(FileContent content, string path, List<Package> found, Dictionary<string, string>? manifest)
        {
            var (artifact, version) = NameParts(ImagePath.Name(path));
            var sha1 = Sha1(content);
            var license = manifest?.GetValueOrDefault("Bundle-License", "").Split(';')[0].Trim() ?? "";
            IReadOnlyList<string> licenses = license.Length is > 0 and < 256 ? [license] : [];
            var own = found.Find(one => one.Name.EndsWith(":" + artifact, StringComparison.Ordinal)) ?? (found.Count == 1 && IsWhole(found[0], manifest) ? found[0] : null);
            foreach (var package in found.Distinct()) report.Add(package with { Path = path, Sha1 = ReferenceEquals(package, own) ? sha1 : "", Licenses = ReferenceEquals(package, own) ? licenses : [] });
            if (own is not null) return;
            if (FromManifest(manifest ?? [], artifact, version) is { } named && !found.Exists(one => one.Name == named.Name))
            {
                if (found.Count == 0) report.Add(named with { Path = path, Sha1 = sha1, Licenses = licenses });
                return;
            }
            if (found.Count == 0) report.Fact("sha1 " + path, sha1);
        }
    }

    // The one description inside is the archive's own unless the manifest names another version.
    private static bool IsWhole(Package package, Dictionary<string, string>? manifest) =>
        manifest is null || !manifest.TryGetValue("Implementation-Version", out var version) || version == package.Version;

    private static Package? Properties(ReadOnlyMemory<byte> text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Lines.Of(text))
        {
            var split = line.IndexOfAny(['=', ':']);
            if (split > 0 && line[0] is not ('#' or '!')) fields[line[..split].Trim()] = line[(split + 1)..].Trim();
        }
        string group = fields.GetValueOrDefault("groupId", ""), artifact = fields.GetValueOrDefault("artifactId", ""), version = fields.GetValueOrDefault("version", "");
        // "${project.version}": a template that was never filled in.
        return group.Length == 0 || artifact.Length == 0 || version.Length == 0 || (group + artifact + version).Contains("${", StringComparison.Ordinal)
            ? null : new Package(PackageType.Maven, group + ":" + artifact, version);
    }

    // Lines that begin with a blank continue the one before (JAR file specification, "Name-Value pairs"); only the main section is read.
    private static Dictionary<string, string> Manifest(ReadOnlyMemory<byte> text)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string? last = null;
        foreach (var line in Lines.Of(text))
        {
            if (line.Length == 0) break;
            if (line[0] == ' ')
            {
                if (last is not null && fields[last].Length < 65_536) fields[last] += line[1..];
                continue;
            }
            var colon = line.IndexOf(':');
            last = colon > 0 ? line[..colon].Trim() : null;
            if (last is not null) fields[last] = line[(colon + 1)..].Trim();
        }
        return fields;
    }

    private static Package? FromManifest(Dictionary<string, string> manifest, string artifactOfName, string versionOfName)
    {
        var symbolic = First(manifest, "Bundle-SymbolicName").Split(';')[0].Trim();
        var group = First(manifest, "Implementation-Vendor-Id");
        if (group.Length == 0 && symbolic.LastIndexOf('.') is var dot and > 0) group = symbolic[..dot];
        if (group.Length == 0) group = First(manifest, "Extension-Name");
        if (group.Length == 0 || group.Contains(' ')) group = KnownJavaGroups.Of(artifactOfName);
        var artifact = First(manifest, "Implementation-Title", "Specification-Title", "Bundle-Name");
        if (artifactOfName.Length > 0 && !Identifier().IsMatch(artifact)) artifact = artifactOfName;
        var version = First(manifest, "Implementation-Version", "Specification-Version", "Bundle-Version");
        if (version.Length == 0) version = versionOfName;
        return Identifier().IsMatch(group) && Identifier().IsMatch(artifact) && version.Length > 0 && !version.Contains(' ')
            ? new Package(PackageType.Maven, group + ":" + artifact, version) : null;
    }

    private static string First(Dictionary<string, string> manifest, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (manifest.TryGetValue(name, out var value) && value.Length is > 0 and < 512 && !value.Contains("${", StringComparison.Ordinal)) return value;
        return "";
    }

    private static (string Artifact, string Version) NameParts(string file)
    {
        var name = file[..Math.Max(0, file.LastIndexOf('.'))];
        var match = FileName().Match(name);
        return match.Success ? (match.Groups[1].Value, match.Groups[2].Value) : (name, "");
    }

    private static string Sha1(FileContent content)
    {
#pragma warning disable CA5350 // Maven's repositories name archives by SHA-1; nothing is trusted because of it.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        var buffer = new byte[128 << 10];
        for (long at = 0; at < content.Length;)
        {
            var read = content.ReadAt(at, buffer);
            if (read == 0) break;
            hash.AppendData(buffer, 0, read);
            at += read;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    [GeneratedRegex(@"^(.+?)-(\d[^/]*)$", RegexOptions.NonBacktracking)]
    private static partial Regex FileName();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", RegexOptions.NonBacktracking)]
    private static partial Regex Identifier();
}
