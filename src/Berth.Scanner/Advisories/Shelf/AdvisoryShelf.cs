using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Advisories.Shelf;

/// <summary>
/// A folder with advisory databases: one that is used, named in the file <c>current</c>, and the older ones for the way back. Files are never written again, so that a scan that has one open
/// is not disturbed; several processes may use the folder.
/// </summary>
/// <param name="folder">The folder; made when the first database comes.</param>
public sealed class AdvisoryShelf(string folder)
{
    private const string CurrentName = "current";
    private const string Suffix = ".advisories.db";
    private const int Kept = 3;

    /// <summary>The database that is used; null when there is none yet.</summary>
    public string? Current
    {
        get
        {
            var file = Path.Combine(folder, CurrentName);
            if (!File.Exists(file)) return null;
            // Only a name of this folder counts, whatever somebody wrote into the file.
            var path = Path.Combine(folder, Path.GetFileName(File.ReadAllText(file).Trim()));
            return path.EndsWith(Suffix, StringComparison.Ordinal) && File.Exists(path) ? path : null;
        }
    }

    /// <summary>Since when the database is used that is used now (UTC); null when there is none yet.</summary>
    public DateTimeOffset? UsedAt => Path.Combine(folder, CurrentName) is var file && File.Exists(file) ? File.GetLastWriteTimeUtc(file) : null;

    /// <summary>All databases, the newest first.</summary>
    public IReadOnlyList<string> All =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*" + Suffix).OrderDescending(StringComparer.Ordinal)] : [];

    /// <summary>Name for a database that is about to come; sorts behind those that are there.</summary>
    public string NewPath(DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        for (var at = now.ToUnixTimeMilliseconds(); ; at++)
        {
            var path = Path.Combine(folder, $"{at:D14}{Suffix}");
            if (!File.Exists(path)) return path;
        }
    }

    /// <summary>Uses a database of the folder from now on. It is opened once before; the oldest ones beyond those that are kept go.</summary>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    public DatabaseMetadata Use(string path)
    {
        DatabaseMetadata metadata;
        using (var database = AdvisoryDatabase.Open(path)) metadata = database.Metadata;
        var part = Path.Combine(folder, $"{CurrentName}.{Path.GetRandomFileName()}");
        File.WriteAllText(part, Path.GetFileName(path) + "\n");
        File.Move(part, Path.Combine(folder, CurrentName), overwrite: true);
        foreach (var old in All.Where(one => one != path).Skip(Kept - 1)) File.Delete(old);
        return metadata;
    }

    /// <summary>Goes back to the database before the one that is used; null when there is none.</summary>
    public string? Rollback()
    {
        var current = Current;
        var before = All.FirstOrDefault(path => current is null || string.CompareOrdinal(path, current) < 0);
        if (before is not null) Use(before);
        return before;
    }
}
