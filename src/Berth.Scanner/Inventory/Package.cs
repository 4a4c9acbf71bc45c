namespace Berth.Scanner.Inventory;

/// <summary>One installed or locked package as an analyzer found it.</summary>
/// <param name="Type">Kind of package.</param>
/// <param name="Name">Name as its ecosystem writes it: npm <c>@scope/name</c>, Maven <c>group:artifact</c>, Composer <c>vendor/name</c>.</param>
/// <param name="Version">Version without epoch and, for rpm, without release; dpkg's and apk's with their revision; empty when not pinned.</param>
public sealed record Package(PackageType Type, string Name, string Version)
{
    /// <summary>Epoch of dpkg or rpm; 0 when there is none.</summary>
    public int Epoch { get; init; }

    /// <summary>Release of rpm, such as <c>6.el9</c>; empty otherwise.</summary>
    public string Release { get; init; } = "";

    /// <summary>Architecture as the package database writes it; empty when it says none.</summary>
    public string Architecture { get; init; } = "";

    /// <summary>Name of the source package that advisories of distributions name; equals <see cref="Name"/> when the database names none.</summary>
    public string SourceName { get; init; } = Name;

    /// <summary>Version of the source package in full (epoch, version, release) as advisories write it; empty when it equals the package's own.</summary>
    public string SourceVersion { get; init; } = "";

    /// <summary>rpm's module label <c>name:stream:…</c>; empty for others.</summary>
    public string Modularity { get; init; } = "";

    /// <summary>Path of the file in the image that names the package, without a leading slash.</summary>
    public string Path { get; init; } = "";

    /// <summary>Diff id (digest of the uncompressed layer) of the layer that brought the package in its present form; empty outside images.</summary>
    public string Layer { get; init; } = "";

    /// <summary>Licences as SPDX expressions or as found.</summary>
    public IReadOnlyList<string> Licenses { get; init; } = [];

    /// <summary>SHA-1 of the archive that is the package, in small hex digits, for a look-up by content; empty for others.</summary>
    public string Sha1 { get; init; } = "";

    /// <summary>Namespace of the package URL by which a bill of materials names a package of a distribution; empty otherwise.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Whether a package database names a publisher that is not the distribution: the distribution's advisories do not speak of it.</summary>
    public bool IsThirdParty { get; init; }

    /// <summary>Whether only development needs it.</summary>
    public bool IsDevelopment { get; init; }

    /// <summary>Whether it is the project itself, asked for by it, or needed by another package.</summary>
    public PackageRelationship Relationship { get; init; }

    /// <summary>Names with version (<c>name@version</c>) of the packages it needs, of the same file.</summary>
    public IReadOnlyList<string> DependsOn { get; init; } = [];
}

/// <summary>How a package came into the list.</summary>
public enum PackageRelationship
{
    /// <summary>The file does not say.</summary>
    Unknown,

    /// <summary>The project itself, such as the main module of a Go binary.</summary>
    Root,

    /// <summary>Asked for by the project.</summary>
    Direct,

    /// <summary>Needed by another package.</summary>
    Indirect,
}
