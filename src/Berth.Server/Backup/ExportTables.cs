using Berth.Server.Platform.Data;
using Microsoft.EntityFrameworkCore;

namespace Berth.Server.Backup;

/// <summary>The tables of a backup in an order in which no row refers to one that comes later.</summary>
internal static class ExportTables
{
    /// <summary>Tables that no backup holds, and why.</summary>
    public static readonly IReadOnlyDictionary<string, string> Excluded = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["uploads"] = "the bytes of unfinished uploads are in no backup: clients send them again",
        ["blob_removals"] = "names bytes of the store that was, to be removed there",
        ["data_keys"] = "open the bytes of the stores that were; a restore writes them anew, under keys of its own",
        ["rate_limits"] = "counts a minute",
        ["gc_holds"] = "holds of processes that are gone",
        ["audit_forward_leases"] = "leases of processes that are gone",
        ["user_sessions"] = "browsers sign in again",
        ["installation_facts"] = "says what the schema is, and the restored database has its own",
    };

    /// <summary>All tables of a backup.</summary>
    public static IReadOnlyList<ExportTable> Of(BerthContext context)
    {
        var left = context.Model.GetRelationalModel().Tables.Where(t => !Excluded.ContainsKey(t.Name)).OrderBy(t => t.Name, StringComparer.Ordinal).ToList();
        var sorted = new List<ExportTable>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        while (left.Count > 0)
        {
            var next = left.FindIndex(t => t.ForeignKeyConstraints.All(k => k.PrincipalTable == t || done.Contains(k.PrincipalTable.Name)));
            if (next < 0) throw new InvalidOperationException($"tables refer to each other in a ring: {string.Join(", ", left.Select(t => t.Name))}");
            var table = left[next];
            left.RemoveAt(next);
            done.Add(table.Name);
            sorted.Add(new ExportTable(
                table.Name, [.. table.Columns.Select(c => new ExportColumn(c.Name, c.StoreType == "boolean")).OrderBy(c => c.Name, StringComparer.Ordinal)],
                [.. table.PrimaryKey!.Columns.Select(c => c.Name)]));
        }
        return sorted;
    }
}

/// <summary>A table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Key">Columns of its primary key.</param>
internal sealed record ExportTable(string Name, IReadOnlyList<ExportColumn> Columns, IReadOnlyList<string> Key);

/// <summary>A column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsBoolean">Whether this database has a type of its own for true and false; SQLite has numbers.</param>
internal sealed record ExportColumn(string Name, bool IsBoolean);
