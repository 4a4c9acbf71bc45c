using System.Text;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Advisories;

/// <summary>Names of packages as the sources of advisories write them in their keys.</summary>
public static class PackageNames
{
    /// <summary>The name as Trivy's database writes it.</summary>
    public static string ForTrivy(PackageType type, string name) => type switch
    {
        PackageType.PyPi => name.ToLowerInvariant().Replace('_', '-'),
        PackageType.Swift => WithoutScheme(name),
        PackageType.Go or PackageType.CocoaPods or PackageType.Julia => name,
        _ => name.ToLowerInvariant(),
    };

    /// <summary>The name under which advisories of OSV are kept here: Python's names by PEP 503, without case where the ecosystem has none.</summary>
    public static string ForOsv(PackageType type, string name) => type switch
    {
        PackageType.PyPi => Pep503(name),
        PackageType.Swift => WithoutScheme(name).ToLowerInvariant(),
        PackageType.NuGet or PackageType.Composer or PackageType.Npm or PackageType.Bitnami => name.ToLowerInvariant(),
        _ => name,
    };

    private static string WithoutScheme(string name)
    {
        if (name.StartsWith("https://", StringComparison.Ordinal))
            name = name["https://".Length..];
        return name.EndsWith(".git", StringComparison.Ordinal) ? name[..^4] : name;
    }

    /// <summary>Lower case, runs of <c>-_.</c> as one hyphen.</summary>
    private static string Pep503(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (c is not ('-' or '_' or '.'))
                text.Append(char.ToLowerInvariant(c));
            else if (text.Length == 0 || text[^1] != '-')
                text.Append('-');
        }
        return text.ToString();
    }
}
