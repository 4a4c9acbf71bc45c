using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Dpkg;

/// <summary>dpkg's database: <c>var/lib/dpkg/status</c>, and <c>status.d/*</c> of distroless images, one package a file and without a status (dpkg(1), deb-control(5)).</summary>
internal static class DpkgStatus
{
    private const string File = "var/lib/dpkg/status";
    private const string Directory = "var/lib/dpkg/status.d/";
    private const string Info = "var/lib/dpkg/info/";

    // Publishers whose packages carry language packages of their own release: those are judged by their ecosystem, not by the distribution.
    private static readonly string[] ThirdParties =
    [
        "support@docker.com", "@nvidia.com", "Google Cloud CLI Authors", "sapmachine@sap.com", "@hashicorp.com", "@microsoft.com", "@mongodb.com",
        "developers@lists.mariadb.org", "dev@couchdb.apache.org", "info@elastic.co", "nginx-packaging@f5.com", "@konghq.com", "@cloudflare.com",
        "support@influxdb.com", "support@gitlab.com", "contact@grafana.com", "@datadoghq.com", "@nodesource.com", "info@tailscale.com",
        "@openrobotics.org", "@osrfoundation.org",
    ];

    /// <summary>The analyzers of dpkg.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("dpkg", FileRole.SystemDatabase, IsStatus, Read, 128 << 20),
        new("dpkg-files", FileRole.Ownership, IsFileList, ReadFileList),
        new("dpkg-license", FileRole.License, DpkgCopyright.Wants, DpkgCopyright.Read, 1 << 20),
    ];

    private static bool IsStatus(string path) =>
        path is File or "usr/lib/opkg/status" || (path.StartsWith(Directory, StringComparison.Ordinal) && path.IndexOf('/', Directory.Length) < 0 && !path.EndsWith(".md5sums", StringComparison.Ordinal));

    private static bool IsFileList(string path) =>
        path.EndsWith(".md5sums", StringComparison.Ordinal) && (path.StartsWith(Info, StringComparison.Ordinal) || path.StartsWith(Directory, StringComparison.Ordinal));

    private static void Read(FileContent content, FileReport report)
    {
        var needsStatus = !report.Path.StartsWith(Directory, StringComparison.Ordinal);
        var found = new List<(Package Package, string Depends)>();
        foreach (var fields in Paragraphs.Of(content.Bytes()))
        {
            if (Installed(fields, needsStatus) is not { } package) continue;
            if (fields.TryGetValue("maintainer", out var maintainer) && IsThirdParty(maintainer))
            {
                report.ThirdParty.Add(package.Name);
                package = package with { IsThirdParty = true };
            }
            found.Add((package, fields.GetValueOrDefault("depends", "") + "," + fields.GetValueOrDefault("pre-depends", "")));
        }
        var installed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (package, _) in found) installed[package.Name] = package.Name + "@" + DpkgVersion.Full(package);
        foreach (var (package, depends) in found) report.Add(package with { DependsOn = Dependencies(depends, installed) });
    }

    private static Package? Installed(Dictionary<string, string> fields, bool needsStatus)
    {
        var name = fields.GetValueOrDefault("package", "");
        var version = fields.GetValueOrDefault("version", "");
        if (name.Length == 0 || version.Length == 0 || version.Contains('\n')) return null;
        if (!fields.TryGetValue("status", out var status))
        {
            if (needsStatus) return null;
        }
        // The third word is what is; the first is what is wanted. The files are there from half-configured on.
        else if (status.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1] is not ("installed" or "half-configured" or "triggers-awaited" or "triggers-pending"))
        {
            return null;
        }
        var (epoch, rest) = DpkgVersion.Split(version);
        var package = new Package(PackageType.Dpkg, name, rest) { Epoch = epoch, Architecture = fields.GetValueOrDefault("architecture", "") };
        if (!fields.TryGetValue("source", out var source) || source.Length == 0) return package;
        var open = source.IndexOf('(');
        var sourceName = (open < 0 ? source : source[..open]).Trim();
        var sourceVersion = open < 0 ? "" : source[(open + 1)..].TrimEnd(')', ' ').Trim();
        return package with { SourceName = sourceName.Length == 0 ? name : sourceName, SourceVersion = sourceVersion == version ? "" : sourceVersion };
    }

    private static string[] Dependencies(string depends, Dictionary<string, string> installed) =>
        [.. depends.Split([',', '|'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(one => one.Split([' ', '(', ':', '['], 2)[0])
            .Select(one => installed.GetValueOrDefault(one, "")).Where(one => one.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static bool IsThirdParty(string maintainer) =>
        maintainer is "GitHub" or "HashiCorp" || ThirdParties.Any(one => maintainer.Contains(one, StringComparison.Ordinal));

    private static void ReadFileList(FileContent content, FileReport report)
    {
        var paths = new List<string>();
        foreach (var line in Lines.Of(content.Bytes()))
        {
            var gap = line.IndexOf("  ", StringComparison.Ordinal);
            if (gap > 0) paths.Add(line[(gap + 2)..]);
        }
        report.Own(ImagePath.Name(report.Path)[..^".md5sums".Length], paths);
    }
}

/// <summary>Parts of a Debian version, <c>[epoch:]upstream[-revision]</c>.</summary>
internal static class DpkgVersion
{
    /// <summary>Epoch (0 when there is none) and the rest.</summary>
    public static (int Epoch, string Version) Split(string version)
    {
        var colon = version.IndexOf(':');
        return colon > 0 && int.TryParse(version.AsSpan(0, colon), System.Globalization.NumberStyles.None, null, out var epoch) ? (epoch, version[(colon + 1)..]) : (0, version);
    }

    /// <summary>Version with its epoch.</summary>
    public static string Full(Package package) => package.Epoch == 0 ? package.Version : $"{package.Epoch}:{package.Version}";
}
