using Berth.Scanner.Inventory;

namespace Berth.Scanner.Matching;

/// <summary>Versions of packages as advisories and reports write them.</summary>
public static class PackageVersions
{
    /// <summary>Epoch, version and release; an epoch of zero is left out.</summary>
    public static string Full(Package package)
    {
        var version = package.Release.Length > 0 ? $"{package.Version}-{package.Release}" : package.Version;
        return package.Epoch > 0 ? $"{package.Epoch}:{version}" : version;
    }

    /// <summary>The version of the source package in full, which is the package's own when the database names none.</summary>
    public static string Source(Package package) => package.SourceVersion.Length > 0 ? package.SourceVersion : Full(package);
}
