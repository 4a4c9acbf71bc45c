namespace Berth.Scanner.Matching;

/// <summary>Findings by package (name, version, path), then by id.</summary>
internal sealed class FindingOrder : IComparer<Finding>
{
    public static FindingOrder Instance { get; } = new();

    public int Compare(Finding? x, Finding? y)
    {
        var result = string.CompareOrdinal(x!.Package.Name, y!.Package.Name);
        if (result == 0)
            result = string.CompareOrdinal(x.InstalledVersion, y.InstalledVersion);
        if (result == 0)
            result = string.CompareOrdinal(x.Package.Path, y.Package.Path);
        if (result == 0)
            result = string.CompareOrdinal(x.Id, y.Id);
        if (result == 0)
            result = x.Package.Type.CompareTo(y.Package.Type);
        return result != 0 ? result : string.CompareOrdinal(x.Source.Feed, y.Source.Feed);
    }
}
