using System.Text.RegularExpressions;
using Berth.Scanner.Inventory.Analyzers.Releases;

namespace Berth.Scanner.Inventory;

/// <summary>Decides which distribution a root file system is, from the release files that are in it.</summary>
internal static partial class DistributionRules
{
    // ID of os-release(5) to the family's name in the words of Trivy's reports.
    private static readonly Dictionary<string, string> Families = new(StringComparer.Ordinal)
    {
        ["alpine"] = "alpine",
        ["debian"] = "debian",
        ["ubuntu"] = "ubuntu",
        ["rhel"] = "redhat",
        ["centos"] = "centos",
        ["rocky"] = "rocky",
        ["almalinux"] = "alma",
        ["amzn"] = "amazon",
        ["ol"] = "oracle",
        ["fedora"] = "fedora",
        ["opensuse-leap"] = "opensuse-leap",
        ["opensuse"] = "opensuse-leap",
        ["opensuse-tumbleweed"] = "opensuse-tumbleweed",
        ["sles"] = "sles",
        ["sle-micro"] = "slem",
        ["sl-micro"] = "slem",
        ["sle-micro-rancher"] = "slem",
        ["photon"] = "photon",
        ["mariner"] = "cbl-mariner",
        ["azurelinux"] = "azurelinux",
        ["wolfi"] = "wolfi",
        ["chainguard"] = "chainguard",
        ["bottlerocket"] = "bottlerocket",
        ["echo"] = "echo",
        ["minimos"] = "minimos",
        ["coreos"] = "coreos",
        ["activestate"] = "activestate",
        ["openeuler"] = "openeuler",
    };

    // Namespaces of package URLs: the ID of os-release, or the name of the family.
    private static readonly Dictionary<string, string> Namespaces = new(Families, StringComparer.Ordinal) { ["redhat"] = "redhat", ["alma"] = "alma", ["amazon"] = "amazon", ["oracle"] = "oracle", ["suse"] = "sles", ["cbl-mariner"] = "cbl-mariner" };

    /// <summary>The family that a namespace of package URLs stands for; null when nobody knows it.</summary>
    public static string? FamilyOf(string space) => Namespaces.GetValueOrDefault(space.ToLowerInvariant());

    /// <summary>The distribution, or null when no file says.</summary>
    /// <param name="files">Path of each release file with its fields.</param>
    public static Distribution? Decide(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> files)
    {
        var found = ByOsRelease(files);
        return found is { Family: "ubuntu" } && files.GetValueOrDefault(ReleaseFiles.UbuntuPro)?.ContainsKey(ReleaseFiles.Extended) == true ? found with { IsExtended = true } : found;
    }

    private static Distribution? ByOsRelease(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> files)
    {
        var os = OsRelease(files);
        var id = os.GetValueOrDefault("ID", "").ToLowerInvariant();
        var version = os.GetValueOrDefault("VERSION_ID", "");
        if (!Families.TryGetValue(id, out var family)) return Older(files);
        if (family == "centos" && os.GetValueOrDefault("NAME", "") == "CentOS Stream") family = "centos-stream";
        // The older file of a distribution knows the point release, os-release often only the major one.
        var exact = family switch
        {
            "alpine" => Line(files, "etc/alpine-release"),
            "debian" => Line(files, "etc/debian_version"),
            "ubuntu" => files.GetValueOrDefault("etc/lsb-release")?.GetValueOrDefault("DISTRIB_RELEASE") ?? "",
            "amazon" => Amazon(files),
            "centos" or "rocky" or "alma" or "oracle" or "redhat" or "fedora" => RedHat(files, family),
            "openeuler" => OpenEuler(os.GetValueOrDefault("PRETTY_NAME", "")),
            _ => "",
        };
        if (exact.Length == 0) exact = version;
        return new Distribution(family, exact);
    }

    private static Distribution? Older(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> files)
    {
        if (Line(files, "etc/alpine-release") is { Length: > 0 } alpine) return new Distribution("alpine", alpine);
        if (files.GetValueOrDefault("etc/lsb-release") is { } lsb && lsb.GetValueOrDefault("DISTRIB_ID") == "Ubuntu") return new Distribution("ubuntu", lsb.GetValueOrDefault("DISTRIB_RELEASE", ""));
        if (Amazon(files) is { Length: > 0 } amazon) return new Distribution("amazon", amazon);
        foreach (var family in (string[])["oracle", "rocky", "alma", "centos", "fedora", "redhat"])
            if (RedHat(files, family) is { Length: > 0 } version) return new Distribution(family, version);
        return Line(files, "etc/debian_version") is { Length: > 0 } debian ? new Distribution("debian", debian) : null;
    }

    private static IReadOnlyDictionary<string, string> OsRelease(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> files) =>
        files.GetValueOrDefault("etc/os-release") is { Count: > 0 } etc && etc.ContainsKey("ID") ? etc
        : files.Where(file => file.Key.EndsWith("lib/os-release", StringComparison.Ordinal)).OrderBy(file => file.Key.Length).Select(file => file.Value).FirstOrDefault()
        ?? new Dictionary<string, string>();

    private static string Line(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> files, string path) => files.GetValueOrDefault(path)?.GetValueOrDefault("line") ?? "";

    // "Amazon Linux release 2 (Karoo)" is version "2 (Karoo)", "Amazon Linux AMI release 2018.03" in the words of Trivy "AMI release 2018.03".
    private static string Amazon(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> files)
    {
        foreach (var path in (string[])["etc/system-release", "usr/lib/system-release"])
        {
            var line = Line(files, path);
            if (!line.StartsWith("Amazon Linux ", StringComparison.Ordinal)) continue;
            var version = line["Amazon Linux ".Length..].Trim();
            return version.StartsWith("release 2", StringComparison.Ordinal) ? version["release ".Length..] : version;
        }
        return "";
    }

    // "openEuler 22.03 (LTS-SP3)" is version "22.03-LTS-SP3", as its advisories name it; VERSION_ID does not know the service pack.
    private static string OpenEuler(string prettyName)
    {
        var words = prettyName.Split([' ', '(', ')'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 1 && words[0] == "openEuler" ? string.Join('-', words[1..]) : "";
    }

    private static string RedHat(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> files, string family)
    {
        string[] paths = family switch
        {
            "centos" => ["etc/centos-release", "usr/lib/centos-release", "etc/redhat-release"],
            "rocky" => ["etc/rocky-release", "etc/redhat-release"],
            "alma" => ["etc/almalinux-release", "etc/redhat-release"],
            "oracle" => ["etc/oracle-release"],
            "fedora" => ["etc/fedora-release", "usr/lib/fedora-release", "etc/redhat-release"],
            _ => ["etc/redhat-release", "usr/lib/redhat-release"],
        };
        foreach (var path in paths)
        {
            var match = ReleaseLine().Match(Line(files, path));
            if (match.Success && Family(match.Groups[1].Value) == family) return match.Groups[2].Value;
        }
        return "";
    }

    private static string Family(string name) => name.ToLowerInvariant() switch
    {
        "centos" or "centos linux" or "centos stream" => "centos",
        "rocky" or "rocky linux" => "rocky",
        "alma" or "almalinux" or "alma linux" => "alma",
        "oracle" or "oracle linux" or "oracle linux server" => "oracle",
        "fedora" or "fedora linux" => "fedora",
        _ => "redhat",
    };

    [GeneratedRegex(@"^(.*) release (\d[\d.]*)", RegexOptions.NonBacktracking)]
    private static partial Regex ReleaseLine();
}
