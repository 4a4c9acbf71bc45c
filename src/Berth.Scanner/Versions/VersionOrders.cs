using Berth.Scanner.Inventory;
using Berth.Scanner.Versions.Apk;
using Berth.Scanner.Versions.Composer;
using Berth.Scanner.Versions.Dpkg;
using Berth.Scanner.Versions.Go;
using Berth.Scanner.Versions.Maven;
using Berth.Scanner.Versions.NuGet;
using Berth.Scanner.Versions.Pep440;
using Berth.Scanner.Versions.Rpm;
using Berth.Scanner.Versions.RubyGems;
using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions;

/// <summary>The order of versions for each kind of package. All are without state.</summary>
public static class VersionOrders
{
    public static VersionOrder Dpkg { get; } = new DpkgVersionOrder();

    public static VersionOrder Rpm { get; } = new RpmVersionOrder();

    public static VersionOrder Apk { get; } = new ApkVersionOrder();

    public static VersionOrder Npm { get; } = new NpmVersionOrder();

    /// <summary>Semantic Versioning with plain comparators, for ecosystems without a language of their own.</summary>
    public static VersionOrder Semantic { get; } = new SemanticVersionOrder();

    public static VersionOrder Pep440 { get; } = new Pep440VersionOrder();

    public static VersionOrder Maven { get; } = new MavenVersionOrder();

    public static VersionOrder NuGet { get; } = new NuGetVersionOrder();

    public static VersionOrder RubyGems { get; } = new GemVersionOrder();

    public static VersionOrder Go { get; } = new GoVersionOrder();

    public static VersionOrder Composer { get; } = new ComposerVersionOrder();

    /// <summary>The order of a kind of package.</summary>
    public static VersionOrder Of(PackageType type) => type switch
    {
        PackageType.Dpkg => Dpkg,
        PackageType.Rpm => Rpm,
        PackageType.Apk => Apk,
        PackageType.Npm => Npm,
        PackageType.PyPi => Pep440,
        PackageType.Maven => Maven,
        PackageType.NuGet => NuGet,
        PackageType.RubyGems or PackageType.CocoaPods => RubyGems,
        PackageType.Go => Go,
        PackageType.Composer => Composer,
        _ => Semantic,
    };
}
