namespace Berth.Scanner.Inventory;

/// <summary>Kind of package: decides about the order of versions, the advisories that are asked and the type of the package URL.</summary>
public enum PackageType
{
    /// <summary>Debian and Ubuntu (purl <c>deb</c>).</summary>
    Dpkg,

    /// <summary>Alpine, Wolfi, Chainguard (purl <c>apk</c>).</summary>
    Apk,

    /// <summary>Red Hat and its relatives, SUSE, Amazon, Photon, Azure Linux (purl <c>rpm</c>).</summary>
    Rpm,

    /// <summary>npm, yarn, pnpm, bun (purl <c>npm</c>).</summary>
    Npm,

    /// <summary>Python (purl <c>pypi</c>).</summary>
    PyPi,

    /// <summary>Java archives and build files (purl <c>maven</c>); the name is <c>group:artifact</c>.</summary>
    Maven,

    /// <summary>.NET (purl <c>nuget</c>).</summary>
    NuGet,

    /// <summary>Go modules (purl <c>golang</c>).</summary>
    Go,

    /// <summary>Rust crates (purl <c>cargo</c>).</summary>
    Cargo,

    /// <summary>Ruby gems (purl <c>gem</c>).</summary>
    RubyGems,

    /// <summary>PHP's Composer (purl <c>composer</c>); the name is <c>vendor/package</c>.</summary>
    Composer,

    /// <summary>Dart and Flutter (purl <c>pub</c>).</summary>
    Pub,

    /// <summary>Swift packages (purl <c>swift</c>).</summary>
    Swift,

    /// <summary>CocoaPods (purl <c>cocoapods</c>).</summary>
    CocoaPods,

    /// <summary>C and C++ by Conan (purl <c>conan</c>).</summary>
    Conan,

    /// <summary>Elixir and Erlang by Hex (purl <c>hex</c>).</summary>
    Hex,

    /// <summary>Julia (purl <c>julia</c>).</summary>
    Julia,

    /// <summary>Programs that Bitnami's images describe (purl <c>bitnami</c>).</summary>
    Bitnami,

    /// <summary>Haskell, R, Conda and others that are listed and have no advisories here (purl <c>generic</c> or their own).</summary>
    Other,

    /// <summary>Parts of Kubernetes itself, which bills of materials of clusters name (purl <c>k8s</c>).</summary>
    Kubernetes,
}
