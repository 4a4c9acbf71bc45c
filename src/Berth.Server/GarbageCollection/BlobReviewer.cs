using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Looks at blobs that a repository may not need any more (<see cref="BlobReview"/>), a batch at a time: 1. reviews that are due are claimed, 2. what a manifest of the
/// project names needs no locks: its review goes, 3. for the others, under the locks of <see cref="BlobSweep"/>: the project's repositories let go of the blob,
/// unless one of them got it only now, and a blob that no repository holds and no manifest names goes.
/// </summary>
internal sealed class BlobReviewer(Database database, GarbageOptions options, TimeProvider time)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    /// <summary>Looks at up to a batch; null when nothing is due.</summary>
    public async Task<ReviewedBlobs?> RunAsync(int limit, CancellationToken ct)
    {
        // 1.
        var now = time.GetUtcNow();
        var cutoff = (now - options.Delay).ToUnixTimeMilliseconds();
        var claimed = await database.WriteAsync(Durability.Relaxed, (session, token) =>
            ClaimAsync(session, cutoff, now.ToUnixTimeMilliseconds(), (now + Lease).ToUnixTimeMilliseconds(), limit, token), ct).ConfigureAwait(false);
        if (claimed.Count == 0) return null;

        // 2. A manifest that goes meanwhile writes the review anew, with a time of its own.
        var loose = await database.WriteAsync(Durability.Relaxed, (session, token) => DropKeptAsync(session, claimed, token), ct).ConfigureAwait(false);
        if (loose.Count == 0) return new ReviewedBlobs(claimed.Count, []);

        // 3.
        var removed = await database.WriteAsync(Durability.Full, (session, token) => SweepAsync(session, loose, cutoff, now.ToUnixTimeMilliseconds(), token), ct).ConfigureAwait(false);
        return new ReviewedBlobs(claimed.Count, removed);
    }

    private static async Task<List<Claimed>> ClaimAsync(DbSession session, long cutoff, long now, long until, int limit, CancellationToken ct)
    {
        var claimed = new List<Claimed>();
        await using var rows = await session.Command(Claim, cutoff, now, until, (long)limit).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) claimed.Add(new Claimed(rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2)));
        return claimed;
    }

    private static async Task<List<Loose>> DropKeptAsync(DbSession session, List<Claimed> claimed, CancellationToken ct)
    {
        var (kept, loose) = (new List<Claimed>(), new List<Loose>());
        await using (var rows = await session.Command(SelectFacts, Json(claimed)).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                var review = new Claimed(rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2));
                // A blob that is gone needs no review, nor one that a manifest of the project names.
                if (rows.IsDBNull(3) || rows.GetBoolean(4)) kept.Add(review);
                else loose.Add(new Loose(review, rows.GetString(3)));
            }
        }
        if (kept.Count > 0) await session.ExecuteAsync(DeleteReviews, [Json(kept)], ct).ConfigureAwait(false);
        return loose;
    }

    private static async Task<List<RemovedBlob>> SweepAsync(DbSession session, List<Loose> loose, long cutoff, long now, CancellationToken ct)
    {
        var held = await BlobSweep.HoldAsync(session, loose.Select(l => l.Digest).Distinct(), ct).ConfigureAwait(false);
        // What somebody is committing is looked at again: the commit writes a review of its own.
        var reviews = Json(loose.Select(l => l.Review).Where(r => held.Contains(r.BlobId)));
        await session.ExecuteAsync(DeleteLinks, [reviews, cutoff], ct).ConfigureAwait(false);
        await session.ExecuteAsync(PutOff, [reviews, cutoff], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteReviews, [reviews], ct).ConfigureAwait(false);
        return await BlobSweep.RemoveAsync(session, held, long.MinValue, now, ct).ConfigureAwait(false);
    }

    private static string Json(IEnumerable<Claimed> reviews) => JsonSerializer.Serialize(reviews);

    private sealed record Claimed(
        [property: JsonPropertyName("b")] long BlobId, [property: JsonPropertyName("r")] long RepositoryId, [property: JsonPropertyName("s")] long Since);

    private sealed record Loose(Claimed Review, string Digest);

    private const string Sqlite = "json_each(@0) j";
    private const string Postgres = "jsonb_to_recordset(@0::jsonb) AS j(b bigint, r bigint, s bigint)";

    private static readonly Statement Claim = new("""
        UPDATE blob_reviews SET claimed_until = @2
        WHERE rowid IN (SELECT rowid FROM blob_reviews WHERE since <= @0 AND claimed_until < @1 ORDER BY since LIMIT @3)
        RETURNING blob_id, repository_id, since
        """, """
        UPDATE blob_reviews SET claimed_until = @2
        WHERE (blob_id, repository_id) IN (
            SELECT blob_id, repository_id FROM blob_reviews WHERE since <= @0 AND claimed_until < @1 ORDER BY since LIMIT @3 FOR UPDATE SKIP LOCKED)
        RETURNING blob_id, repository_id, since
        """);

    private const string Facts = """
            b.digest, EXISTS (SELECT 1 FROM repositories p JOIN project_blobs c ON c.project_id = p.project_id AND c.blob_id = b.id WHERE p.id =
        """;

    private static readonly Statement SelectFacts = new(
        $"SELECT j.value ->> 'b', j.value ->> 'r', j.value ->> 's', {Facts} j.value ->> 'r') FROM {Sqlite} LEFT JOIN blobs b ON b.id = j.value ->> 'b'",
        $"SELECT j.b, j.r, j.s, {Facts} j.r) FROM {Postgres} LEFT JOIN blobs b ON b.id = j.b");

    // All repositories of the project, because the last of its manifests that named the blob may have been in another one. Under the locks nobody can name or
    // link the blob; what was counted or linked in the last moment stays.
    private const string StaleLinks = """
        EXISTS (SELECT 1 FROM repositories r JOIN repositories p ON p.project_id = r.project_id WHERE p.id = repository_blobs.repository_id AND r.id =
        """;

    private const string Unnamed = """
        AND repository_blobs.linked_at <= @1 AND NOT EXISTS (
            SELECT 1 FROM repositories p JOIN project_blobs c ON c.project_id = p.project_id AND c.blob_id = repository_blobs.blob_id WHERE p.id = repository_blobs.repository_id)
        """;

    private static readonly Statement DeleteLinks = new($"""
        DELETE FROM repository_blobs WHERE rowid IN (
            SELECT repository_blobs.rowid FROM {Sqlite} CROSS JOIN repository_blobs ON repository_blobs.blob_id = j.value ->> 'b'
            WHERE {StaleLinks} j.value ->> 'r') {Unnamed})
        """, $"""
        DELETE FROM repository_blobs USING {Postgres} WHERE repository_blobs.blob_id = j.b AND {StaleLinks} j.r) {Unnamed}
        """);

    // A link that is younger than its review is looked at when it is old enough.
    private static readonly Statement PutOff = new($"""
        UPDATE blob_reviews SET since = l.linked_at, claimed_until = 0 FROM {Sqlite}, repository_blobs l
        WHERE blob_reviews.blob_id = j.value ->> 'b' AND blob_reviews.repository_id = j.value ->> 'r'
            AND l.blob_id = blob_reviews.blob_id AND l.repository_id = blob_reviews.repository_id AND l.linked_at > @1 AND blob_reviews.since <= @1
        """, $"""
        UPDATE blob_reviews SET since = l.linked_at, claimed_until = 0 FROM {Postgres}, repository_blobs l
        WHERE blob_reviews.blob_id = j.b AND blob_reviews.repository_id = j.r
            AND l.blob_id = blob_reviews.blob_id AND l.repository_id = blob_reviews.repository_id AND l.linked_at > @1 AND blob_reviews.since <= @1
        """);

    // Only as it was claimed: what was written since then is another review.
    private static readonly Statement DeleteReviews = new($"""
        DELETE FROM blob_reviews WHERE rowid IN (
            SELECT v.rowid FROM {Sqlite} CROSS JOIN blob_reviews v ON v.blob_id = j.value ->> 'b' AND v.repository_id = j.value ->> 'r' AND v.since = j.value ->> 's')
        """, $"DELETE FROM blob_reviews v USING {Postgres} WHERE v.blob_id = j.b AND v.repository_id = j.r AND v.since = j.s");
}

/// <summary>What a batch came to.</summary>
/// <param name="Reviews">How many were looked at.</param>
/// <param name="Removed">The blobs that went.</param>
internal sealed record ReviewedBlobs(int Reviews, IReadOnlyList<RemovedBlob> Removed);
