using System.Text.Json;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Findings;

/// <summary>An image that has a version of a package.</summary>
internal sealed record FoundPackage(long PackageId, string Scope, string Name, string Version, long ManifestId, long ProjectId, string Repository, string Digest)
{
    /// <summary>Where the next page begins behind it.</summary>
    public string Key => $"{PackageId}.{ManifestId}.{Version}";
}

/// <summary>Which images have a package: the package index, asked by people.</summary>
internal static class PackageSearch
{
    private const int MaxNames = 1000;

    /// <summary>A page of images, in the order of the index.</summary>
    /// <param name="session">The database.</param>
    /// <param name="name">Name; <c>*</c> at its beginning or end stands for anything.</param>
    /// <param name="scope">Ecosystem or release (<see cref="Berth.Scanner.Matching.MatchKey"/>); empty for all.</param>
    /// <param name="version">Version in full; empty for all.</param>
    /// <param name="projects">Projects; null for all.</param>
    /// <param name="after">Key of the last one of the page before; empty for the first page.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<List<FoundPackage>> ReadAsync(
        DbSession session, string name, string scope, string version, IReadOnlyList<long>? projects, (long Package, long Manifest, string Version) after, int limit, CancellationToken ct)
    {
        var ids = await NamesAsync(session, name, scope, ct).ConfigureAwait(false);
        var found = new List<FoundPackage>();
        if (ids.Count == 0) return found;
        await using var rows = await session.Command(
            Select, JsonSerializer.Serialize(ids, FindingRowJson.Default.ListInt64), version, projects is null ? "" : JsonSerializer.Serialize(projects, FindingRowJson.Default.IReadOnlyListInt64),
            after.Package, after.Manifest, after.Version, (long)limit).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            found.Add(new FoundPackage(rows.GetInt64(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetInt64(4), rows.GetInt64(5), rows.GetString(6), rows.GetString(7)));
        return found;
    }

    /// <summary>Reads such a key; false when it is none.</summary>
    public static bool TryReadKey(string text, out (long Package, long Manifest, string Version) key)
    {
        key = (0, 0, "");
        if (text.Length == 0) return true;
        var parts = text.Split('.', 3);
        if (parts.Length != 3 || !long.TryParse(parts[0], out var package) || !long.TryParse(parts[1], out var manifest)) return false;
        key = (package, manifest, parts[2]);
        return true;
    }

    private static async ValueTask<List<long>> NamesAsync(DbSession session, string name, string scope, CancellationToken ct)
    {
        var found = new List<long>();
        var command = name.StartsWith('*') || name.EndsWith('*')
            ? session.Command(SelectLike, $"{(name.StartsWith('*') ? "%" : "")}{ListSql.Containing(name.Trim('*'))[1..^1]}{(name.EndsWith('*') ? "%" : "")}", scope, (long)MaxNames)
            // Languages without a case have their names in small letters.
            : session.Command(SelectNamed, name, name.ToLowerInvariant(), scope);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
        return found;
    }

    private static readonly Statement SelectNamed = new("SELECT id FROM packages WHERE name IN (@0, @1) AND (@2 = '' OR scope = @2) ORDER BY id");

    private static readonly Statement SelectLike = new("SELECT id FROM packages WHERE LOWER(name) LIKE @0 ESCAPE '!' AND (@1 = '' OR scope = @1) ORDER BY id LIMIT @2");

    private static readonly Statement Select = new("""
        SELECT a.package_id, p.scope, p.name, a.version, a.manifest_id, r.project_id, r.name, m.digest
        FROM artifact_packages a JOIN packages p ON p.id = a.package_id JOIN manifests m ON m.id = a.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE a.package_id IN (SELECT value FROM json_each(@0)) AND (@1 = '' OR a.version = @1)
            AND (@2 = '' OR r.project_id IN (SELECT value FROM json_each(CASE WHEN @2 = '' THEN '[]' ELSE @2 END)))
            AND (a.package_id, a.manifest_id, a.version) > (@3, @4, @5)
        ORDER BY a.package_id, a.manifest_id, a.version LIMIT @6
        """, """
        SELECT a.package_id, p.scope, p.name, a.version, a.manifest_id, r.project_id, r.name, m.digest
        FROM artifact_packages a JOIN packages p ON p.id = a.package_id JOIN manifests m ON m.id = a.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE a.package_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint)) AND (@1 = '' OR a.version = @1)
            AND (@2 = '' OR r.project_id = ANY(ARRAY(SELECT jsonb_array_elements_text((CASE WHEN @2 = '' THEN '[]' ELSE @2 END)::jsonb)::bigint)))
            AND (a.package_id, a.manifest_id, a.version) > (@3, @4, @5)
        ORDER BY a.package_id, a.manifest_id, a.version LIMIT @6
        """);
}
