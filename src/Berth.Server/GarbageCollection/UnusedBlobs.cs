namespace Berth.Server.GarbageCollection;

/// <summary>When a blob (<c>b</c> in the statements) is one that nothing needs: the one place where the condition stands.</summary>
internal static class UnusedBlobs
{
    /// <summary>Somebody is not about to commit the same content.</summary>
    public const string NotCommitting = "NOT EXISTS (SELECT 1 FROM uploads u WHERE u.committing_digest = b.digest)";

    /// <summary>No manifest names it, in the trash or out of it, no advisory database lies in it, and no repository holds it since a time.</summary>
    /// <param name="since">The time in SQL, Unix milliseconds: a link of then or later keeps the blob.</param>
    public static string Condition(string since) => Condition(since, "");

    /// <summary>The same, where only manifests of the table <c>kept</c> count.</summary>
    /// <param name="since">As above.</param>
    public static string ConditionOfKept(string since) => Condition(since, " AND m.manifest_id IN (SELECT id FROM kept)");

    private static string Condition(string since, string manifests) => $"""
        NOT EXISTS (SELECT 1 FROM manifest_blobs m WHERE m.blob_id = b.id{manifests})
            AND NOT EXISTS (SELECT 1 FROM trash_blobs t WHERE t.blob_id = b.id)
            AND NOT EXISTS (SELECT 1 FROM advisory_releases a WHERE a.blob_id = b.id)
            AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id AND l.linked_at >= {since})
        """;
}
