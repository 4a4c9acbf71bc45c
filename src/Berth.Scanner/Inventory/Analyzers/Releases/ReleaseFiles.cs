using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Inventory.Analyzers.Releases;

/// <summary>Files that name the distribution. They are kept field by field; <see cref="DistributionRules"/> decides over all of them.</summary>
internal static class ReleaseFiles
{
    private static readonly HashSet<string> OsRelease = new(StringComparer.Ordinal)
    {
        "etc/os-release", "usr/lib/os-release", "aarch64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release", "x86_64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release",
    };

    private static readonly HashSet<string> OneLine = new(StringComparer.Ordinal)
    {
        "etc/alpine-release", "etc/debian_version", "etc/redhat-release", "etc/centos-release", "etc/rocky-release", "etc/almalinux-release", "etc/fedora-release",
        "etc/oracle-release", "etc/system-release", "usr/lib/system-release", "usr/lib/centos-release", "usr/lib/fedora-release", "usr/lib/redhat-release",
    };

    /// <summary>Name of the analyzer whose facts are Red Hat's content sets, one a name.</summary>
    public const string ContentSets = "redhat-content-sets";

    /// <summary>Name of the analyzer whose fact <c>nvr</c> says which image of Red Hat it is.</summary>
    public const string Dockerfile = "redhat-dockerfile";

    /// <summary>Which services of Ubuntu Pro the system is subscribed to; the fact <see cref="Extended"/> stands for security updates past the end of support.</summary>
    public const string UbuntuPro = "var/lib/ubuntu-advantage/status.json";

    /// <summary>Name of the fact that the system gets updates past the end of support.</summary>
    public const string Extended = "extended";

    /// <summary>The analyzers.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("os-release", FileRole.Release, OsRelease.Contains, ReadFields, 64 << 10),
        new("lsb-release", FileRole.Release, path => path == "etc/lsb-release", ReadFields, 64 << 10),
        new("release-line", FileRole.Release, OneLine.Contains, ReadLine, 64 << 10),
        new("ubuntu-pro", FileRole.Release, path => path == UbuntuPro, ReadSubscription, 1 << 20),
        new("apk-repositories", FileRole.Release, path => path == AlpineRepositories.Path, (content, report) => report.Fact("release", AlpineRepositories.Release(content.Bytes().Span)), 1 << 20),
        new(ContentSets, FileRole.Release, IsContentManifest, ReadContentSets, 16 << 20),
        new(Dockerfile, FileRole.Release, path => path.StartsWith(RedHatBuild.DockerfilePrefix, StringComparison.Ordinal), ReadDockerfile, 16 << 20),
    ];

    private static void ReadFields(FileContent content, FileReport report)
    {
        foreach (var line in Lines.Of(content.Bytes()))
        {
            var equals = line.IndexOf('=');
            if (equals <= 0 || line[0] == '#') continue;
            var key = line[..equals].Trim();
            if (key is "ID" or "NAME" or "VERSION_ID" or "VERSION_CODENAME" or "ID_LIKE" or "PRETTY_NAME" or "DISTRIB_ID" or "DISTRIB_RELEASE" or "CPE_NAME")
                report.Fact(key, line[(equals + 1)..].Trim().Trim('"', '\''));
        }
    }

    private static void ReadSubscription(FileContent content, FileReport report)
    {
        if (JsonText.Map(content.Bytes().Span)["services"].Items.Any(static one => one.Of("name") == "esm-infra" && one.Of("status") == "enabled")) report.Fact(Extended, "");
    }

    private static bool IsContentManifest(string path) => path.EndsWith(".json", StringComparison.Ordinal)
        && (path.StartsWith(RedHatBuild.ManifestFolder, StringComparison.Ordinal) || path.StartsWith(RedHatBuild.SharedFolder, StringComparison.Ordinal));

    private static void ReadContentSets(FileContent content, FileReport report)
    {
        foreach (var set in RedHatBuild.ContentSets(content.Bytes()) ?? []) report.Fact(set, "");
    }

    private static void ReadDockerfile(FileContent content, FileReport report) => report.Fact("nvr", RedHatBuild.Nvr(report.Path, content.Bytes().Span));

    private static void ReadLine(FileContent content, FileReport report)
    {
        foreach (var line in Lines.Of(content.Bytes()))
        {
            if (line.AsSpan().Trim().IsEmpty) continue;
            report.Fact("line", line.Trim());
            return;
        }
    }
}
