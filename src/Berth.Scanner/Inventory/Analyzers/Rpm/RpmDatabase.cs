using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Rpm;

/// <summary>rpm's database in its three forms (SQLite, ndb, Berkeley DB), told apart by content.</summary>
internal static class RpmDatabase
{
    private static readonly HashSet<string> Paths = new(
        from directory in (string[])["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"]
        from file in (string[])["rpmdb.sqlite", "Packages.db", "Packages"]
        select directory + "/" + file, StringComparer.Ordinal);

    // Publishers of distributions: what others ship is judged by its ecosystem too.
    private static readonly string[] Vendors =
    [
        "Amazon Linux", "Amazon.com", "CentOS", "Fedora Project", "Oracle America", "Red Hat", "AlmaLinux", "CloudLinux", "VMware", "SUSE", "openSUSE",
        "Microsoft Corporation", "Rocky",
    ];

    /// <summary>The analyzers of rpm.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("rpm", FileRole.SystemDatabase, Paths.Contains, Read, 1L << 30),
        new("bottlerocket", FileRole.SystemDatabase, BottlerocketInventory.Paths.Contains, BottlerocketInventory.Read, 16 << 20),
        new("rpm-manifest", FileRole.SystemDatabase, path => path == "var/lib/rpmmanifest/container-manifest-2", RpmManifest.Read),
    ];

    private static void Read(FileContent content, FileReport report)
    {
        var magic = new byte[16];
        if (content.ReadAt(0, magic) < 16) return;
        var blobs = magic.AsSpan().SequenceEqual("SQLite format 3\0"u8) ? new SqliteBlobs(content).Read("Packages")
            : magic.AsSpan(0, 4).SequenceEqual("RpmP"u8) ? NdbBlobs.Read(content)
            : BerkeleyBlobs.Read(content);
        var found = new List<(Package Package, IReadOnlyList<string> Requires)>();
        var providers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var blob in blobs)
        {
            var header = new RpmHeader(blob);
            if (Installed(header) is not { } package) continue;
            var vendor = header.Text(RpmHeader.Vendor);
            var isOfDistribution = IsOfDistribution(vendor, package.Release);
            // Who names no vendor may be anybody: such packages are still judged by the distribution's advisories.
            found.Add((package with { IsThirdParty = vendor.Length > 0 && !isOfDistribution }, header.Texts(RpmHeader.RequireName)));
            foreach (var name in header.Texts(RpmHeader.ProvideName)) providers.TryAdd(name, Id(package));
            if (isOfDistribution) report.Own("", Files(header));
            else report.ThirdParty.Add(package.Name);
        }
        foreach (var (package, requires) in found)
        {
            var self = Id(package);
            report.Add(package with
            {
                DependsOn = [.. requires.Select(name => providers.GetValueOrDefault(name, "")).Where(id => id.Length > 0 && id != self).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            });
        }
    }

    private static Package? Installed(RpmHeader header)
    {
        var name = header.Text(RpmHeader.Name);
        var version = header.Text(RpmHeader.Version);
        if (name.Length == 0 || version.Length == 0) return null;
        var epoch = header.Numbers(RpmHeader.Epoch) is [var number, ..] ? number : 0;
        var license = header.Text(RpmHeader.License);
        var package = new Package(PackageType.Rpm, name, version)
        {
            Epoch = Math.Max(0, epoch),
            Release = header.Text(RpmHeader.Release),
            Architecture = header.Text(RpmHeader.Architecture),
            Modularity = header.Text(RpmHeader.ModularityLabel),
            Licenses = license.Length > 0 ? [license] : [],
        };
        return RpmSource.Apply(package, header.Text(RpmHeader.SourceRpm));
    }

    private static string Id(Package package) => $"{package.Name}@{(package.Epoch == 0 ? "" : package.Epoch + ":")}{package.Version}-{package.Release}";

    // Amazon's own packages often name no vendor.
    private static bool IsOfDistribution(string vendor, string release) =>
        vendor.Length == 0 ? release.Contains("amzn", StringComparison.Ordinal) : Vendors.Any(one => vendor.StartsWith(one, StringComparison.Ordinal));

    private static List<string> Files(RpmHeader header)
    {
        var names = header.Texts(RpmHeader.BaseNames);
        var directories = header.Texts(RpmHeader.DirectoryNames);
        var indexes = header.Numbers(RpmHeader.DirectoryIndexes);
        var files = new List<string>();
        for (var i = 0; i < names.Count && i < indexes.Count; i++)
        {
            if (indexes[i] < 0 || indexes[i] >= directories.Count) continue;
            files.Add(directories[indexes[i]].TrimStart('/') + names[i]);
        }
        return files;
    }
}

/// <summary>The name of a source package's file, <c>name-version-release.src.rpm</c>.</summary>
internal static class RpmSource
{
    /// <summary>The package with its source, when the name can be taken apart. The file name holds no epoch: the binary package's is used.</summary>
    public static Package Apply(Package package, string file)
    {
        if (!file.EndsWith(".rpm", StringComparison.Ordinal)) return package;
        var name = file[..^4];
        var architecture = name.LastIndexOf('.');
        if (architecture < 0) return package;
        var release = name.LastIndexOf('-', architecture);
        var version = release > 0 ? name.LastIndexOf('-', release - 1) : -1;
        if (version <= 0) return package;
        var full = (package.Epoch == 0 ? "" : package.Epoch + ":") + name[(version + 1)..architecture];
        var own = (package.Epoch == 0 ? "" : package.Epoch + ":") + package.Version + "-" + package.Release;
        return package with { SourceName = name[..version], SourceVersion = full == own ? "" : full };
    }
}

/// <summary>List of packages that CBL-Mariner's distroless images carry instead of a database: lines of tab-separated fields.</summary>
internal static class RpmManifest
{
    /// <summary>Reads the list: name, version-release, …, epoch, architecture, source package.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        foreach (var line in Text.Lines.Of(content.Bytes()))
        {
            var fields = line.Split('\t');
            if (fields.Length < 10) continue;
            var dash = fields[1].IndexOf('-');
            if (dash <= 0) throw new InvalidDataException("rpm: manifest has a version without release");
            var package = new Package(PackageType.Rpm, fields[0], fields[1][..dash])
            {
                Release = fields[1][(dash + 1)..],
                Epoch = int.TryParse(fields[6], out var epoch) ? epoch : 0,
                Architecture = fields[7] is "(none)" ? "" : fields[7],
            };
            report.Add(RpmSource.Apply(package, fields[9].Trim()));
        }
    }
}
