using Berth.Scanner.Inventory;

namespace Berth.Scanner.Exceptions;

/// <summary>A package URL in an exception: what it leaves out (version, qualifiers) may be anything.</summary>
internal static class PackagePattern
{
    /// <summary>Whether the pattern names the package; a pattern that is no package URL names nothing.</summary>
    public static bool Names(string pattern, Package package, Distribution? distribution) =>
        PackageUrls.Parse(pattern) is { } wanted && PackageUrls.Parse(PackageUrls.Of(package, distribution)) is { } actual && Names(wanted, actual);

    public static bool Names(PackageUrl wanted, PackageUrl actual)
    {
        if (wanted.Type != actual.Type || !Same(wanted.Namespace, actual.Namespace) || !Same(wanted.Name, actual.Name))
            return false;
        if (wanted.Version.Length > 0 && wanted.Version != actual.Version && wanted.Version != Full(actual))
            return false;
        if (wanted.Subpath.Length > 0 && wanted.Subpath != actual.Subpath)
            return false;
        return wanted.Qualifiers.All(q => actual.Qualifiers.TryGetValue(q.Key, out var value) && value == q.Value);
    }

    private static string Full(PackageUrl url) => url.Qualifiers.TryGetValue("epoch", out var epoch) ? $"{epoch}:{url.Version}" : url.Version;

    private static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
