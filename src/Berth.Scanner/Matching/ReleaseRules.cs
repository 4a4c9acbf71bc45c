using Berth.Scanner.Inventory;

namespace Berth.Scanner.Matching;

/// <summary>How the advisories of a distribution are found and compared.</summary>
/// <param name="Scope">Name of the release for indexes, the same for all sources: <c>debian:12</c>.</param>
/// <param name="TrivyBuckets">Names of buckets in Trivy's words.</param>
/// <param name="OsvEcosystems">Ecosystems of OSV; one that ends with <c>*</c> is a prefix.</param>
/// <param name="Key">Which name of the package the advisories write.</param>
/// <param name="Installed">Which version is compared.</param>
internal sealed record ReleaseRules(string Scope, string[] TrivyBuckets, string[] OsvEcosystems, NameKey Key, InstalledSide Installed)
{
    /// <summary>Whether an advisory without a fixed version means that all versions have the flaw.</summary>
    public bool UnfixedCounts { get; init; }

    /// <summary>Whether the advisories' epochs of zero are left out when they are shown.</summary>
    public bool TrimsEpoch { get; init; }

    /// <summary>Whether the advisories leave out the epochs of versions, so that they say nothing.</summary>
    public bool HasNoEpochs { get; init; }

    /// <summary>Who gives the severity of an advisory for that very package; empty when it is of the flaw.</summary>
    public string SeveritySource { get; init; } = "";

    /// <summary>Whether the advisories speak of packages of other publishers too.</summary>
    public bool JudgesThirdParty { get; init; }

    /// <summary>Whether only the first of the buckets that the database knows counts.</summary>
    public bool PrefersFirstBucket { get; init; }

    public ReleaseQuirk Quirk { get; init; }

    /// <summary>The rules of a release; null for distributions that no source knows.</summary>
    public static ReleaseRules? Of(Distribution distribution, string repositoryRelease)
    {
        var version = distribution.Version.Trim();
        return distribution.Family.Trim().ToLowerInvariant() switch
        {
            "debian" => Debian(Major(version)),
            "ubuntu" when version.EndsWith("-ESM", StringComparison.OrdinalIgnoreCase) => Ubuntu(Minor(version[..^4]), isExtended: true),
            "ubuntu" => Ubuntu(Minor(version), distribution.IsExtended),
            "echo" => new("echo", ["echo"], ["Echo"], NameKey.Source, InstalledSide.Source)
            {
                UnfixedCounts = true,
                SeveritySource = "echo",
                JudgesThirdParty = true,
            },
            "bottlerocket" => new("bottlerocket", ["bottlerocket"], [], NameKey.Binary, InstalledSide.Binary),
            "alpine" => Alpine(AlpineStream(version, repositoryRelease)),
            "wolfi" => new("wolfi", ["wolfi"], ["Wolfi"], NameKey.Source, InstalledSide.Binary),
            "chainguard" => new("chainguard", ["chainguard"], ["Chainguard"], NameKey.Source, InstalledSide.Binary),
            "minimos" => new("minimos", ["minimos"], ["MinimOS"], NameKey.Source, InstalledSide.Binary),
            "alma" or "almalinux" => new($"alma:{Major(version)}", [$"alma {Major(version)}"], [$"AlmaLinux:{Major(version)}"], NameKey.Modular, InstalledSide.Binary)
            {
                TrimsEpoch = true,
                Quirk = ReleaseQuirk.SkipsUnlabelledModules,
            },
            "rocky" => new($"rocky:{Major(version)}", [$"rocky {Major(version)}"], [$"Rocky Linux:{Major(version)}"], NameKey.Modular, InstalledSide.Binary)
            {
                TrimsEpoch = true,
            },
            "oracle" => new($"oracle:{Major(version)}", [$"Oracle Linux {Major(version)}"], [], NameKey.Binary, InstalledSide.Binary)
            {
                Quirk = ReleaseQuirk.ComparesFlavours,
            },
            "redhat" or "rhel" or "centos" or "centos-stream" => new("redhat", ["Red Hat"], [$"Red Hat:enterprise_linux:{Major(version)}::*"], NameKey.Modular, InstalledSide.Binary)
            {
                Quirk = ReleaseQuirk.RedHatProducts,
            },
            "amazon" => Amazon(version),
            "photon" => new($"photon:{version}", [$"Photon OS {version}"], [$"Photon OS:{version}"], NameKey.Source, InstalledSide.Binary),
            "cbl-mariner" or "mariner" => new($"azure:{Minor(version)}", [$"CBL-Mariner {Minor(version)}"], [], NameKey.Source, InstalledSide.Source)
            {
                UnfixedCounts = true,
                TrimsEpoch = true,
            },
            "azurelinux" or "azure" => new($"azure:{Minor(version)}", [$"Azure Linux {Minor(version)}"], [$"Azure Linux:{Major(version)}"], NameKey.Source, InstalledSide.Source)
            {
                UnfixedCounts = true,
                TrimsEpoch = true,
            },
            "openeuler" => new($"openeuler:{version}", [], [$"openEuler:{version}"], NameKey.Source, InstalledSide.Source) { HasNoEpochs = true },
            var family => Suse(family, version),
        };
    }

    /// <summary>The first number.</summary>
    public static string Major(string version) => version.Split('.', ' ', '-')[0];

    private static string Minor(string version)
    {
        var parts = version.Split('.');
        return parts.Length <= 2 ? version : $"{parts[0]}.{parts[1]}";
    }

    private static ReleaseRules Debian(string major) => new($"debian:{major}", [$"debian {major}"], [$"Debian:{major}"], NameKey.Source, InstalledSide.Source)
    {
        UnfixedCounts = true,
        SeveritySource = "debian",
    };

    // There are advisories for extended support only once the release itself has reached its end.
    private static ReleaseRules Ubuntu(string version, bool isExtended) => new(
        $"ubuntu:{version}", isExtended ? [$"ubuntu {version}-ESM", $"ubuntu {version}"] : [$"ubuntu {version}"],
        isExtended ? [$"Ubuntu:Pro:{version}:LTS"] : [$"Ubuntu:{version}", $"Ubuntu:{version}:LTS"],
        NameKey.Source, InstalledSide.Source)
    {
        UnfixedCounts = true,
        PrefersFirstBucket = true,
    };

    private static ReleaseRules Alpine(string stream) => new(
        $"alpine:{stream}", [$"alpine {stream}"], [stream == "edge" ? "Alpine:edge" : $"Alpine:v{stream}"], NameKey.Source, InstalledSide.Source)
    {
        UnfixedCounts = true,
    };

    private static string AlpineStream(string version, string repositoryRelease)
    {
        var release = repositoryRelease.TrimStart('v');
        // Versions such as 3.20_alpha20240329 are those of edge.
        return release.Length > 0 ? Minor(release) : version.Contains('_') ? "edge" : Minor(version);
    }

    private static ReleaseRules Amazon(string version)
    {
        var release = Major(version) is "2" or "2022" or "2023" ? Major(version) : "1";
        return new($"amazon:{release}", [$"amazon linux {release}"], [], NameKey.Binary, InstalledSide.Binary);
    }

    private static ReleaseRules? Suse(string family, string version)
    {
        var pack = version.Split('.') is [var major, var minor] && minor != "0" ? $"{major} SP{minor}" : Major(version);
        return family switch
        {
            "sles" or "suse linux enterprise server" or "suse" or "sled" or "sles_sap" => new(
                $"sles:{version}", [$"SUSE Linux Enterprise {version}", $"SUSE Linux Enterprise {pack.Replace(' ', '-')}"],
                [$"SUSE:Linux Enterprise Server {pack}"], NameKey.Binary, InstalledSide.Binary),
            "slem" or "sle-micro" or "suse linux enterprise micro" or "sl-micro" => new(
                $"slem:{version}", [$"SUSE Linux Enterprise Micro {version}"], [$"SUSE:Linux Enterprise Micro {version}"], NameKey.Binary, InstalledSide.Binary),
            "opensuse-leap" or "opensuse.leap" or "opensuse leap" or "opensuse" => new(
                $"opensuse-leap:{version}", [$"openSUSE Leap {version}"], [$"openSUSE:Leap {version}"], NameKey.Binary, InstalledSide.Binary),
            "opensuse-tumbleweed" or "opensuse.tumbleweed" or "opensuse tumbleweed" => new(
                "opensuse-tumbleweed", ["openSUSE Tumbleweed"], ["openSUSE:Tumbleweed"], NameKey.Binary, InstalledSide.Binary),
            _ => null,
        };
    }
}

/// <summary>Which name of a package the advisories of a distribution write.</summary>
internal enum NameKey
{
    Binary,

    /// <summary>The source package's.</summary>
    Source,

    /// <summary>The package's own, behind <c>module:stream::</c> when it is part of a module.</summary>
    Modular,
}

/// <summary>Which version of a package is compared.</summary>
internal enum InstalledSide
{
    Binary,
    Source,
}

/// <summary>What a distribution does that no other does.</summary>
internal enum ReleaseQuirk
{
    None,

    /// <summary>A package whose release says that it comes from a module, but without the module's label, cannot be judged.</summary>
    SkipsUnlabelledModules,

    /// <summary>Only versions of one flavour (normal, ksplice, fips) are compared.</summary>
    ComparesFlavours,

    /// <summary>Advisories are for products that the image's content sets decide.</summary>
    RedHatProducts,
}
