namespace Berth.Scanner.Inventory.Layers;

/// <summary>Paths inside an image: no leading slash, no <c>.</c> and <c>..</c>, parts joined by <c>/</c>; empty is the root.</summary>
public static class ImagePath
{
    /// <summary>Cleans a path of an archive; null when it climbs above the root or holds a zero.</summary>
    public static string? Clean(string path)
    {
        if (path.Contains('\0')) return null;
        if (IsClean(path)) return path;
        var parts = new List<string>();
        foreach (var part in path.Split('/'))
        {
            if (part is "" or ".") continue;
            if (part == "..")
            {
                if (parts.Count == 0) return null;
                parts.RemoveAt(parts.Count - 1);
                continue;
            }
            parts.Add(part);
        }
        return string.Join('/', parts);
    }

    /// <summary>Last part.</summary>
    public static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>All but the last part; empty at the root.</summary>
    public static string Directory(string path) => path.LastIndexOf('/') is var at and >= 0 ? path[..at] : "";

    /// <summary>Whether <paramref name="path"/> is <paramref name="top"/> or lies below it.</summary>
    public static bool IsAtOrBelow(string path, string top) =>
        top.Length == 0 || (path.StartsWith(top, StringComparison.Ordinal) && (path.Length == top.Length || path[top.Length] == '/'));

    private static bool IsClean(string path)
    {
        if (path.Length == 0) return true;
        var start = 0;
        for (var i = 0; i <= path.Length; i++)
        {
            if (i < path.Length && path[i] != '/') continue;
            var part = path.AsSpan(start, i - start);
            if (part.IsEmpty || part is "." or "..") return false;
            start = i + 1;
        }
        return true;
    }
}
