using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Looks at manifests that may not be needed any more (<see cref="ManifestReview"/>), a batch at a time: 1. reviews that are due are claimed, 2. repository by
/// repository, which is held: a manifest with a tag, one that is archived, one that an index lists, a referrer whose subject is there and one with a tag in the trash stay, as does everything where untagged
/// manifests are kept; what has been untagged for the days of its project goes, what has not yet is put off.
/// </summary>
internal sealed class ManifestReviewer(Database database, ContentCache cache, GarbageOptions options, TimeProvider time)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    /// <summary>Looks at up to a batch; null when nothing is due.</summary>
    public async Task<ReviewedManifests?> RunAsync(int limit, CancellationToken ct)
    {
        // 1.
        var now = time.GetUtcNow();
        var cutoff = (now - options.Delay).ToUnixTimeMilliseconds();
        var claimed = await database.WriteAsync(Durability.Relaxed, (session, token) =>
            ClaimAsync(session, cutoff, now.ToUnixTimeMilliseconds(), (now + Lease).ToUnixTimeMilliseconds(), limit, token), ct).ConfigureAwait(false);
        if (claimed.Count == 0) return null;

        // 2.
        var removed = new List<RemovedManifest>();
        foreach (var group in claimed.GroupBy(c => c.RepositoryId))
        {
            ct.ThrowIfCancellationRequested();
            removed.AddRange(await database.WriteAsync(Durability.Full, (session, token) => ReviewAsync(session, group.Key, [.. group], now, token), ct).ConfigureAwait(false));
        }
        return new ReviewedManifests(claimed.Count, removed);
    }

    private static async Task<List<Claimed>> ClaimAsync(DbSession session, long cutoff, long now, long until, int limit, CancellationToken ct)
    {
        var claimed = new List<Claimed>();
        await using var rows = await session.Command(Claim, cutoff, now, until, (long)limit).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) claimed.Add(new Claimed(rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2)));
        return claimed;
    }

    private async Task<List<RemovedManifest>> ReviewAsync(DbSession session, long repositoryId, List<Claimed> claimed, DateTimeOffset now, CancellationToken ct)
    {
        var removed = new List<RemovedManifest>();
        if (await HoldAsync(session, repositoryId, ct).ConfigureAwait(false) is not var (repository, days)) return removed;
        var nowMs = now.ToUnixTimeMilliseconds();
        var putOff = new List<Claimed>();
        await using (var rows = await session.Command(SelectLoose, repositoryId, Json(claimed)).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                var manifest = new RemovedManifest(rows.GetInt64(0), repository, rows.GetString(1), rows.GetInt64(3));
                var due = UntaggedRule.DueAt(rows.GetInt64(2), days);
                if (due is null) continue;
                if (due <= nowMs) removed.Add(manifest);
                // Looked at again when it is due: the delay counts from LookFrom on.
                else putOff.Add(new Claimed(manifest.Id, repositoryId, due.Value - (long)options.Delay.TotalMilliseconds));
            }
        }
        foreach (var review in putOff) await session.ExecuteAsync(PutOff, [review.ManifestId, review.LookFrom], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteReviews, [Json(claimed)], ct).ConfigureAwait(false);
        await ManifestRemoval.RemoveAsync(session, repositoryId, [.. removed.Select(m => m.Id)], nowMs, ct).ConfigureAwait(false);
        if (removed.Count > 0) session.AfterCommit(() => removed.ForEach(m => cache.RemoveManifest(m.Repository, Digest.Parse(m.Digest))));
        return removed;
    }

    private async ValueTask<(string Name, int Days)?> HoldAsync(DbSession session, long repositoryId, CancellationToken ct)
    {
        await using var row = await session.Command(Hold, repositoryId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false)
            ? (row.GetString(0), UntaggedRule.DaysOf(row.IsDBNull(1) ? null : row.GetString(1), options.UntaggedDays))
            : null;
    }

    private static string Json(IEnumerable<Claimed> reviews) => JsonSerializer.Serialize(reviews);

    private sealed record Claimed(
        [property: JsonPropertyName("m")] long ManifestId, [property: JsonPropertyName("r")] long RepositoryId, [property: JsonPropertyName("l")] long LookFrom);

    private static readonly Statement Claim = new("""
        UPDATE manifest_reviews SET claimed_until = @2
        WHERE manifest_id IN (SELECT manifest_id FROM manifest_reviews WHERE look_from <= @0 AND claimed_until < @1 ORDER BY look_from LIMIT @3)
        RETURNING manifest_id, (SELECT m.repository_id FROM manifests m WHERE m.id = manifest_id), look_from
        """, """
        UPDATE manifest_reviews SET claimed_until = @2
        WHERE manifest_id IN (SELECT manifest_id FROM manifest_reviews WHERE look_from <= @0 AND claimed_until < @1 ORDER BY look_from LIMIT @3 FOR UPDATE SKIP LOCKED)
        RETURNING manifest_id, (SELECT m.repository_id FROM manifests m WHERE m.id = manifest_id), look_from
        """);

    private static readonly Statement Hold = new($"""
        SELECT r.name, (SELECT value FROM project_metadata p WHERE p.project_id = r.project_id AND p.name = '{UntaggedRule.Setting}') FROM repositories r WHERE r.id = @0
        """, $"""
        SELECT r.name, (SELECT value FROM project_metadata p WHERE p.project_id = r.project_id AND p.name = '{UntaggedRule.Setting}') FROM repositories r WHERE r.id = @0
        FOR NO KEY UPDATE OF r
        """);

    private const string IsLoose = """
            m.archive = 0 AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
            AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = @0 AND l.child_digest = m.digest)
            AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repository_id = @0 AND s.digest = m.subject)
            AND NOT EXISTS (SELECT 1 FROM repositories r JOIN trash_entries e ON e.repository = r.name WHERE r.id = @0 AND e.digest = m.digest)
        """;

    // Since when it is untagged: the review says, or a push that came after it.
    private static readonly Statement SelectLoose = new($"""
        SELECT m.id, m.digest, max(v.since, m.pushed_at), m.size FROM json_each(@1) j
        CROSS JOIN manifests m ON m.id = j.value ->> 'm' AND m.repository_id = @0
        CROSS JOIN manifest_reviews v ON v.manifest_id = m.id
        WHERE {IsLoose}
        """, $"""
        SELECT m.id, m.digest, greatest(v.since, m.pushed_at), m.size FROM jsonb_to_recordset(@1::jsonb) AS j(m bigint)
        JOIN manifests m ON m.id = j.m AND m.repository_id = @0
        JOIN manifest_reviews v ON v.manifest_id = m.id
        WHERE {IsLoose}
        ORDER BY m.id
        """);

    private static readonly Statement PutOff = new("UPDATE manifest_reviews SET look_from = @1, claimed_until = 0 WHERE manifest_id = @0");

    // Only as it was claimed: what was put off, or written since then, is another review.
    private static readonly Statement DeleteReviews = new("""
        DELETE FROM manifest_reviews WHERE manifest_id IN (
            SELECT v.manifest_id FROM json_each(@0) j CROSS JOIN manifest_reviews v ON v.manifest_id = j.value ->> 'm' AND v.look_from = j.value ->> 'l')
        """, """
        DELETE FROM manifest_reviews v USING jsonb_to_recordset(@0::jsonb) AS j(m bigint, l bigint) WHERE v.manifest_id = j.m AND v.look_from = j.l
        """);
}

/// <summary>How long manifests without a tag stay.</summary>
internal static class UntaggedRule
{
    /// <summary>Name of the project's setting: a number of days, or -1 to keep them for ever.</summary>
    public const string Setting = "untagged_days";

    /// <summary>Most days.</summary>
    public const int MaxDays = 36_500;

    private const long DayMs = 24L * 60 * 60 * 1000;

    /// <summary>Days of a project; -1 for ever.</summary>
    public static int DaysOf(string? setting, int installation) => int.TryParse(setting, out var days) && days is >= -1 and <= MaxDays ? days : installation;

    /// <summary>When a manifest that is untagged since a time goes, in Unix milliseconds; null when it stays.</summary>
    public static long? DueAt(long since, int days) => days < 0 ? null : since + (days * DayMs);
}

/// <summary>What a batch came to.</summary>
/// <param name="Reviews">How many were looked at.</param>
/// <param name="Removed">The manifests that went.</param>
internal sealed record ReviewedManifests(int Reviews, IReadOnlyList<RemovedManifest> Removed);

/// <summary>A manifest that went.</summary>
/// <param name="Id">Id it had.</param>
/// <param name="Repository">Name of its repository.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its bytes.</param>
internal sealed record RemovedManifest(long Id, string Repository, string Digest, long Size);
