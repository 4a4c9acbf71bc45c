using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Constraints;
using Berth.Scanner.Advisories.Osv;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Matching;

/// <summary>
/// Where a package and the advisories about it meet: an index of packages stores the keys of each package, and a new advisory asks for its one key. Every package
/// that the advisory can be about has that key; whether it really is decides <see cref="Matcher.Judge(MatchSubject, Package, AdvisoryBucket, string, Advisory)"/>.
/// </summary>
/// <param name="Scope">Release of a distribution (<c>debian:12</c>, <c>redhat</c>) or ecosystem (<c>npm</c>).</param>
/// <param name="Name">Name of the package, in lower case where the ecosystem has no case.</param>
public readonly record struct MatchKey(string Scope, string Name)
{
    /// <summary>The keys of a package: its own name and, for distributions, that of its source package and of its module.</summary>
    public static IReadOnlyList<MatchKey> Of(MatchSubject subject, Package package)
    {
        if (package.Type is not (PackageType.Dpkg or PackageType.Apk or PackageType.Rpm))
            return LanguageScope(package.Type) is { } scope ? [new MatchKey(scope, Canonical(package.Type, package.Name))] : [];
        if (subject.Distribution is null || ReleaseRules.Of(subject.Distribution, subject.RepositoryRelease) is not { } rules)
            return [];
        string[] names = [package.Name, package.SourceName, ReleaseJudge.Modular(package)];
        return [.. names.Where(static n => n.Length > 0).Distinct(StringComparer.Ordinal).Select(n => new MatchKey(rules.Scope, n))];
    }

    /// <summary>The key of an advisory; its scope is empty when no package can have it.</summary>
    public static MatchKey Of(AdvisoryBucket bucket, string package)
    {
        if (bucket.Name.StartsWith("osv::", StringComparison.Ordinal))
        {
            var ecosystem = bucket.Name["osv::".Length..];
            if (OsvEcosystems.TypeOf(ecosystem) is not { } type)
                return default;
            return OsvEcosystems.IsDistribution(ecosystem)
                ? new MatchKey(ScopeOfEcosystem(ecosystem), package)
                : new MatchKey(LanguageScope(type) ?? "", Canonical(type, package));
        }
        var colons = bucket.Name.IndexOf("::", StringComparison.Ordinal);
        if (colons < 0)
            return new MatchKey(ScopeOfBucket(bucket.Name), package);
        foreach (var type in Enum.GetValues<PackageType>())
        {
            if (ConstraintImport.Prefix(type) == bucket.Name[..colons])
                return new MatchKey(LanguageScope(type)!, Canonical(type, package));
        }
        return default;
    }

    private static string? LanguageScope(PackageType type) => ConstraintImport.Prefix(type);

    private static string Canonical(PackageType type, string name) => type switch
    {
        PackageType.Go or PackageType.CocoaPods or PackageType.Julia => name,
        _ => PackageNames.ForOsv(type, name).ToLowerInvariant(),
    };

    private static string ScopeOfBucket(string name)
    {
        foreach (var (prefix, family) in Families)
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            var version = name[prefix.Length..].Replace("-SP", ".", StringComparison.Ordinal);
            return ReleaseRules.Of(new Distribution(family, version), "")?.Scope ?? "";
        }
        return name == "Red Hat" ? "redhat" : ReleaseRules.Of(new Distribution(name, ""), "")?.Scope ?? "";
    }

    private static readonly (string Prefix, string Family)[] Families =
    [
        ("debian ", "debian"), ("ubuntu ", "ubuntu"), ("alpine ", "alpine"), ("alma ", "alma"), ("rocky ", "rocky"), ("Oracle Linux ", "oracle"),
        ("amazon linux ", "amazon"), ("Photon OS ", "photon"), ("CBL-Mariner ", "cbl-mariner"), ("Azure Linux ", "azurelinux"),
        ("SUSE Linux Enterprise Micro ", "slem"), ("SUSE Linux Enterprise ", "sles"), ("openSUSE Leap ", "opensuse-leap"), ("openSUSE Tumbleweed", "opensuse-tumbleweed"),
    ];

    private static string ScopeOfEcosystem(string ecosystem)
    {
        var parts = ecosystem.Split(':');
        var release = parts.Length > 1 ? parts[1] : "";
        var (family, version) = parts[0] switch
        {
            "Debian" => ("debian", release),
            "Ubuntu" => release == "Pro" && parts.Length > 2 ? ("ubuntu", parts[2] + "-ESM") : ("ubuntu", release),
            "Alpine" => ("alpine", release.TrimStart('v')),
            "AlmaLinux" => ("alma", release),
            "Rocky Linux" => ("rocky", release),
            "Photon OS" => ("photon", release),
            "Azure Linux" => ("azurelinux", release),
            "openEuler" => ("openeuler", release),
            "Red Hat" => ("redhat", ""),
            "SUSE" when release.StartsWith("Linux Enterprise Server ", StringComparison.Ordinal) => ("sles", release["Linux Enterprise Server ".Length..].Replace(" SP", ".", StringComparison.Ordinal)),
            "SUSE" when release.StartsWith("Linux Enterprise Micro ", StringComparison.Ordinal) => ("slem", release["Linux Enterprise Micro ".Length..]),
            "openSUSE" when release.StartsWith("Leap ", StringComparison.Ordinal) => ("opensuse-leap", release["Leap ".Length..]),
            "openSUSE" => ("opensuse-tumbleweed", ""),
            var other => (other.ToLowerInvariant(), ""),
        };
        return ReleaseRules.Of(new Distribution(family, version), "")?.Scope ?? "";
    }
}
