using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>What a collection would do now, to the byte, without doing it. Its cost follows the garbage.</summary>
internal sealed class GarbagePreview(GarbageOptions options, TimeProvider time)
{
    /// <summary>Reads it.</summary>
    public async ValueTask<DueGarbage> ReadAsync(DbSession session, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var cutoff = (now - options.Delay).ToUnixTimeMilliseconds();
        var (blobs, bytes) = await PairAsync(session, SelectBlobs, [cutoff], ct).ConfigureAwait(false);
        var (removals, removalBytes) = await PairAsync(session, SelectRemovals, [], ct).ConfigureAwait(false);
        var (waiting, oldest) = await PairAsync(session, SelectWaiting, [], ct).ConfigureAwait(false);
        return new DueGarbage
        {
            Manifests = await CountManifestsAsync(session, cutoff, now.ToUnixTimeMilliseconds(), ct).ConfigureAwait(false),
            Blobs = blobs,
            Bytes = bytes,
            PendingRemovals = removals,
            PendingBytes = removalBytes,
            Waiting = waiting,
            OldestSince = waiting == 0 ? null : oldest,
        };
    }

    private async ValueTask<long> CountManifestsAsync(DbSession session, long cutoff, long now, CancellationToken ct)
    {
        var count = 0L;
        await using var rows = await session.Command(SelectManifests, cutoff).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (UntaggedRule.DueAt(rows.GetInt64(0), UntaggedRule.DaysOf(rows.IsDBNull(1) ? null : rows.GetString(1), options.UntaggedDays)) <= now) count++;
        }
        return count;
    }

    private static async ValueTask<(long, long)> PairAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct)
    {
        await using var row = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    // A blob of which any link is young, or still waits for its own review, stays; so does one that somebody is committing.
    private static readonly Statement SelectBlobs = new($"""
        SELECT count(*), CAST(COALESCE(SUM(b.size), 0) AS bigint) FROM blobs b
        WHERE b.id IN (SELECT blob_id FROM blob_reviews WHERE since <= @0)
            AND {UnusedBlobs.Condition("@0 + 1")}
            AND NOT EXISTS (SELECT 1 FROM blob_reviews v JOIN repository_blobs l ON l.blob_id = v.blob_id AND l.repository_id = v.repository_id WHERE v.blob_id = b.id AND v.since > @0)
            AND {UnusedBlobs.NotCommitting}
        """);

    private static readonly Statement SelectManifests = new($"""
        SELECT CASE WHEN v.since > m.pushed_at THEN v.since ELSE m.pushed_at END,
            (SELECT value FROM project_metadata p WHERE p.project_id = r.project_id AND p.name = '{UntaggedRule.Setting}')
        FROM manifest_reviews v JOIN manifests m ON m.id = v.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE v.look_from <= @0 AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
            AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = m.repository_id AND l.child_digest = m.digest)
            AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repository_id = m.repository_id AND s.digest = m.subject)
        """);

    private static readonly Statement SelectRemovals = new("SELECT count(*), CAST(COALESCE(SUM(size), 0) AS bigint) FROM blob_removals");

    private static readonly Statement SelectWaiting = new("""
        SELECT (SELECT count(*) FROM blob_reviews) + (SELECT count(*) FROM manifest_reviews), COALESCE((SELECT min(since) FROM blob_reviews), 0)
        """);
}

/// <summary>What is due.</summary>
internal sealed record DueGarbage
{
    /// <summary>Untagged manifests.</summary>
    public long Manifests { get; init; }

    /// <summary>Blobs that nothing needs.</summary>
    public long Blobs { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Objects that are gone from the database and wait to be removed from their stores.</summary>
    public long PendingRemovals { get; init; }

    /// <summary>Their bytes, as recorded.</summary>
    public long PendingBytes { get; init; }

    /// <summary>Reviews that wait, due or not.</summary>
    public long Waiting { get; init; }

    /// <summary>Unix milliseconds of the oldest review of a blob; null when none waits.</summary>
    public long? OldestSince { get; init; }
}
