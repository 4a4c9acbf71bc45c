using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Quotas;

namespace Berth.Server.Registry;

/// <summary>
/// Removes manifests with everything that is counted from them: what the project uses, what lists show. Whoever calls holds the repository, and has taken
/// away the tags that pointed to them. What they named, listed or were the subject of is looked at later (<see cref="Reviews"/>).
/// </summary>
internal static class ManifestRemoval
{
    /// <summary>Removes manifests of one repository by id.</summary>
    public static async ValueTask RemoveAsync(DbSession session, long repositoryId, IReadOnlyCollection<long> ids, long now, CancellationToken ct)
    {
        if (ids.Count == 0) return;
        var projectId = await session.ScalarAsync(SelectProject, [repositoryId], ct).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"repository {repositoryId} is gone");
        var json = JsonSerializer.Serialize(ids);
        var children = new List<long>();
        await using (var reader = await session.Command(SelectChildren, repositoryId, json).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) children.Add(reader.GetInt64(0));
        }
        var orphans = new HashSet<long>(children);
        await using (var reader = await session.Command(SelectReferrers, repositoryId, json).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) orphans.Add(reader.GetInt64(0));
        }
        orphans.ExceptWith(ids);
        await Reviews.AddBlobsOfManifestsAsync(session, repositoryId, json, now, ct).ConfigureAwait(false);
        var (bytes, listed) = await SumAsync(session, json, ct).ConfigureAwait(false);
        foreach (var id in ids) bytes += await ProjectUsage.RemoveBlobsAsync(session, projectId, id, ct).ConfigureAwait(false);
        // Their references go with them (foreign keys cascade); a tag would make this fail.
        await session.ExecuteAsync(Delete, [json], ct).ConfigureAwait(false);
        await Reviews.AddManifestsAsync(session, orphans, now, ct).ConfigureAwait(false);
        await ListedManifests.RefreshAsync(session, repositoryId, children, -listed, now, ct).ConfigureAwait(false);
        await ProjectUsage.ChangeAsync(session, projectId, -bytes, isEnforced: false, ct).ConfigureAwait(false);
    }

    private static async ValueTask<(long Bytes, long Listed)> SumAsync(DbSession session, string ids, CancellationToken ct)
    {
        await using var row = await session.Command(Sum, ids).ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    private static readonly Statement SelectProject = new("SELECT project_id FROM repositories WHERE id = @0");

    internal static readonly Statement SelectChildren = new("""
        SELECT c.id FROM json_each(@1) j CROSS JOIN manifest_children l ON l.manifest_id = j.value
        CROSS JOIN manifests c ON c.repository_id = @0 AND c.digest = l.child_digest
        """, """
        SELECT c.id FROM manifest_children l JOIN manifests c ON c.repository_id = @0 AND c.digest = l.child_digest
        WHERE l.manifest_id IN (SELECT jsonb_array_elements_text(@1::jsonb)::bigint)
        """);

    private static readonly Statement SelectReferrers = new("""
        SELECT r.id FROM json_each(@1) j CROSS JOIN manifests s ON s.id = j.value
        CROSS JOIN manifests r ON r.repository_id = @0 AND r.subject = s.digest
        """, """
        SELECT r.id FROM manifests s JOIN manifests r ON r.repository_id = @0 AND r.subject = s.digest
        WHERE s.id IN (SELECT jsonb_array_elements_text(@1::jsonb)::bigint)
        """);

    private static readonly Statement Sum = new("""
        SELECT COALESCE(SUM(size), 0), COALESCE(SUM(CASE WHEN is_listed THEN 1 ELSE 0 END), 0) FROM manifests WHERE id IN (SELECT value FROM json_each(@0))
        """, """
        SELECT COALESCE(SUM(size), 0)::bigint, COALESCE(SUM(CASE WHEN is_listed THEN 1 ELSE 0 END), 0)::bigint
        FROM manifests WHERE id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint)
        """);

    private static readonly Statement Delete = new(
        "DELETE FROM manifests WHERE id IN (SELECT value FROM json_each(@0))",
        "DELETE FROM manifests WHERE id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint)");
}
