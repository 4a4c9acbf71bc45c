using Berth.Scanner.Inventory;

namespace Berth.Scanner.Advisories.Osv;

/// <summary>Ecosystems of OSV and the kinds of packages that they are about.</summary>
public static class OsvEcosystems
{
    private static readonly Dictionary<string, PackageType> Types = new(StringComparer.Ordinal)
    {
        ["npm"] = PackageType.Npm,
        ["PyPI"] = PackageType.PyPi,
        ["Maven"] = PackageType.Maven,
        ["NuGet"] = PackageType.NuGet,
        ["Go"] = PackageType.Go,
        ["crates.io"] = PackageType.Cargo,
        ["RubyGems"] = PackageType.RubyGems,
        ["Packagist"] = PackageType.Composer,
        ["Pub"] = PackageType.Pub,
        ["SwiftURL"] = PackageType.Swift,
        ["Hex"] = PackageType.Hex,
        ["ConanCenter"] = PackageType.Conan,
        ["Julia"] = PackageType.Julia,
        ["Bitnami"] = PackageType.Bitnami,
        ["Debian"] = PackageType.Dpkg,
        ["Ubuntu"] = PackageType.Dpkg,
        ["Echo"] = PackageType.Dpkg,
        ["Alpine"] = PackageType.Apk,
        ["Wolfi"] = PackageType.Apk,
        ["Chainguard"] = PackageType.Apk,
        ["MinimOS"] = PackageType.Apk,
        ["AlmaLinux"] = PackageType.Rpm,
        ["Rocky Linux"] = PackageType.Rpm,
        ["Red Hat"] = PackageType.Rpm,
        ["SUSE"] = PackageType.Rpm,
        ["openSUSE"] = PackageType.Rpm,
        ["Photon OS"] = PackageType.Rpm,
        ["Azure Linux"] = PackageType.Rpm,
        ["Mageia"] = PackageType.Rpm,
        ["openEuler"] = PackageType.Rpm,
    };

    /// <summary>The kind of package of an ecosystem, with or without its suffix (<c>Debian:12</c>); null for those that no scanner sees (Android, GIT …).</summary>
    public static PackageType? TypeOf(string ecosystem)
    {
        var colon = ecosystem.IndexOf(':');
        return Types.TryGetValue(colon < 0 ? ecosystem : ecosystem[..colon], out var type) ? type : null;
    }

    /// <summary>The ecosystem of a kind of package of a programming language; null when OSV has none.</summary>
    public static string? OfLanguage(PackageType type) => type switch
    {
        PackageType.Npm => "npm",
        PackageType.PyPi => "PyPI",
        PackageType.Maven => "Maven",
        PackageType.NuGet => "NuGet",
        PackageType.Go => "Go",
        PackageType.Cargo => "crates.io",
        PackageType.RubyGems => "RubyGems",
        PackageType.Composer => "Packagist",
        PackageType.Pub => "Pub",
        PackageType.Swift => "SwiftURL",
        PackageType.Hex => "Hex",
        PackageType.Conan => "ConanCenter",
        PackageType.Julia => "Julia",
        PackageType.Bitnami => "Bitnami",
        _ => null,
    };

    /// <summary>Whether packages of the ecosystem come with a distribution.</summary>
    public static bool IsDistribution(string ecosystem) => TypeOf(ecosystem) is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm;

    /// <summary>Id and name of the source that an advisory comes from, by the prefix of its id.</summary>
    public static (string Id, string Name) SourceOf(string advisoryId)
    {
        var dash = advisoryId.IndexOf('-');
        return (dash < 0 ? advisoryId : advisoryId[..dash]) switch
        {
            "GHSA" => ("ghsa", "GitHub Security Advisories"),
            "GO" => ("govulndb", "The Go Vulnerability Database"),
            "PYSEC" => ("pypa", "Python Packaging Advisory Database"),
            "RUSTSEC" => ("rustsec", "RustSec Advisory Database"),
            "BIT" => ("bitnami", "Bitnami Vulnerability Database"),
            "DEBIAN" or "DSA" or "DLA" or "DTSA" => ("debian", "Debian Security Tracker"),
            "ALPINE" => ("alpine", "Alpine Secdb"),
            "ALSA" or "ALBA" or "ALEA" => ("alma", "AlmaLinux Product Errata"),
            "RLSA" or "RXSA" => ("rocky", "Rocky Linux updateinfo"),
            "RHSA" or "RHBA" or "RHEA" => ("redhat", "Red Hat errata"),
            "UBUNTU" or "USN" or "LSN" => ("ubuntu", "Ubuntu CVE Tracker"),
            "SUSE" or "openSUSE" => ("suse-cvrf", "SUSE CVRF"),
            "CGA" => ("chainguard", "Chainguard Security Data"),
            "OESA" => ("openeuler", "openEuler Security Advisories"),
            "JLSEC" => ("julia", "Julia Security Advisories"),
            "MAL" => ("malicious-packages", "Malicious Packages"),
            "CVE" => ("nvd", "National Vulnerability Database"),
            _ => ("osv", "Open Source Vulnerabilities"),
        };
    }
}
