using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>Says why a blob or manifest is still there, or when it goes.</summary>
internal sealed class WhyKept(Database database, GarbageOptions options)
{
    /// <summary>Most reasons of a kind in one answer.</summary>
    public const int MaxReasons = 100;

    /// <summary>Looks; null when neither a blob nor a manifest has the digest.</summary>
    public ValueTask<KeptJson?> AskAsync(Digest digest, CancellationToken ct) =>
        database.ReadAsync((digest.Value, options), static async (session, q, token) =>
        {
            var manifests = await ReadManifestsAsync(session, q.Value, q.options, token).ConfigureAwait(false);
            var blob = await ReadBlobAsync(session, q.Value, q.options, token).ConfigureAwait(false);
            return manifests.Count == 0 && blob is null ? null : new KeptJson { Digest = q.Value, Manifests = manifests, Blob = blob };
        }, ct);

    private static async ValueTask<List<KeptManifestJson>> ReadManifestsAsync(DbSession session, string digest, GarbageOptions options, CancellationToken ct)
    {
        var found = new List<(long Id, long RepositoryId, KeptManifestJson Json, long? Since, int Days)>();
        await using (var rows = await session.Command(SelectManifests, digest).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                found.Add((rows.GetInt64(0), rows.GetInt64(1), new KeptManifestJson { Repository = rows.GetString(2), Subject = rows.IsDBNull(3) ? null : rows.GetString(3) },
                    rows.IsDBNull(4) ? null : rows.GetInt64(4), UntaggedRule.DaysOf(rows.IsDBNull(5) ? null : rows.GetString(5), options.UntaggedDays)));
            }
        }
        var kept = new List<KeptManifestJson>();
        foreach (var (id, repositoryId, json, since, days) in found)
        {
            var tags = await TextsAsync(session, SelectTags, [id], ct).ConfigureAwait(false);
            var indexes = await TextsAsync(session, SelectIndexes, [repositoryId, digest], ct).ConfigureAwait(false);
            var isLoose = tags.Count == 0 && indexes.Count == 0 && json.Subject is null;
            var due = isLoose && since is { } from ? UntaggedRule.DueAt(from, days) is { } at ? Math.Max(at, from + (long)options.Delay.TotalMilliseconds) : (long?)null : null;
            kept.Add(json with { Tags = tags, Indexes = indexes, DueAt = due is { } ms ? UtcText.Of(ms) : null, Sentence = SentenceOf(json, tags, indexes, due, days) });
        }
        return kept;
    }

    private static string SentenceOf(KeptManifestJson json, List<string> tags, List<string> indexes, long? due, int days)
    {
        if (tags.Count > 0) return $"kept by tag{(tags.Count > 1 ? "s" : "")} {string.Join(", ", tags)} in repository {json.Repository}";
        if (indexes.Count > 0) return $"kept in repository {json.Repository} by the index {indexes[0]} that lists it";
        if (json.Subject is { } subject) return $"kept in repository {json.Repository} with {subject}, which it refers to";
        if (due is { } at) return $"untagged in repository {json.Repository}: due on {UtcText.Of(at)}";
        return days < 0 ? $"untagged in repository {json.Repository}, where untagged manifests are kept" : $"untagged in repository {json.Repository}: due at the next run that deletes untagged manifests";
    }

    private static async ValueTask<KeptBlobJson?> ReadBlobAsync(DbSession session, string digest, GarbageOptions options, CancellationToken ct)
    {
        (long Id, KeptBlobJson Json) blob;
        await using (var row = await session.Command(SelectBlob, digest).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
            blob = (row.GetInt64(0), new KeptBlobJson { SizeBytes = row.GetInt64(1), Store = row.GetString(2), IsQuarantined = !row.IsDBNull(3) });
        }
        var named = await TextsAsync(session, SelectNaming, [blob.Id], ct).ConfigureAwait(false);
        if (named.Count > 0) return blob.Json with { Manifests = named, Sentence = $"kept by {named.Count}{(named.Count == MaxReasons ? " or more" : "")} manifest{(named.Count > 1 ? "s" : "")}, {named[0]} first" };
        var links = new List<string>();
        var last = 0L;
        await using (var rows = await session.Command(SelectLinks, blob.Id).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                links.Add(rows.GetString(0));
                last = Math.Max(last, rows.GetInt64(1));
            }
        }
        var due = last == 0 ? null : UtcText.Of(last + (long)options.Delay.TotalMilliseconds);
        return blob.Json with
        {
            Repositories = links,
            DueAt = due,
            Sentence = due is null ? "no manifest names it and no repository holds it: due at the next collection" : $"no manifest names it: due on {due}",
        };
    }

    private static async ValueTask<List<string>> TextsAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct)
    {
        var texts = new List<string>();
        await using var rows = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) texts.Add(rows.GetString(0));
        return texts;
    }

    private static readonly Statement SelectManifests = new($"""
        SELECT m.id, m.repository_id, r.name, (SELECT s.digest FROM manifests s WHERE s.repository_id = m.repository_id AND s.digest = m.subject),
            (SELECT CASE WHEN v.since > m.pushed_at THEN v.since ELSE m.pushed_at END FROM manifest_reviews v WHERE v.manifest_id = m.id),
            (SELECT value FROM project_metadata p WHERE p.project_id = r.project_id AND p.name = '{UntaggedRule.Setting}')
        FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE m.digest = @0 ORDER BY r.name LIMIT 100
        """);

    private static readonly Statement SelectTags = new("""
        SELECT name FROM tags WHERE manifest_id = @0
        UNION SELECT COALESCE(e.tag, e.digest) || ' (in the trash)' FROM manifests m JOIN repositories r ON r.id = m.repository_id
            JOIN trash_entries e ON e.repository = r.name AND e.digest = m.digest WHERE m.id = @0
        ORDER BY 1 LIMIT 100
        """);

    private static readonly Statement SelectIndexes = new("""
        SELECT m.digest FROM manifest_children l JOIN manifests m ON m.id = l.manifest_id WHERE l.repository_id = @0 AND l.child_digest = @1 ORDER BY m.digest LIMIT 100
        """);

    private static readonly Statement SelectBlob = new("SELECT id, size, store, quarantined_at FROM blobs WHERE digest = @0");

    private static readonly Statement SelectNaming = new("""
        SELECT r.name || '@' || m.digest FROM (SELECT manifest_id FROM manifest_blobs WHERE blob_id = @0 LIMIT 100) b
        JOIN manifests m ON m.id = b.manifest_id JOIN repositories r ON r.id = m.repository_id
        UNION SELECT t.repository || '@' || t.digest || ' (in the trash)' FROM trash_blobs b JOIN trash_manifests t ON t.id = b.trash_manifest_id WHERE b.blob_id = @0
        UNION SELECT 'the advisory database of release ' || a.id FROM advisory_releases a WHERE a.blob_id = @0
        ORDER BY 1
        """);

    private static readonly Statement SelectLinks = new("""
        SELECT r.name, COALESCE(v.since, l.linked_at) FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id
        LEFT JOIN blob_reviews v ON v.blob_id = l.blob_id AND v.repository_id = l.repository_id WHERE l.blob_id = @0 ORDER BY r.name LIMIT 100
        """);
}

/// <summary>Why something is there.</summary>
public sealed record KeptJson
{
    public string Digest { get; init; } = "";

    /// <summary>One for each repository that has a manifest of the digest.</summary>
    public IReadOnlyList<KeptManifestJson> Manifests { get; init; } = [];

    /// <summary>The blob of the digest, if there is one.</summary>
    public KeptBlobJson? Blob { get; init; }
}

/// <summary>Why a manifest is there.</summary>
public sealed record KeptManifestJson
{
    public string Repository { get; init; } = "";
    public string Sentence { get; init; } = "";
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Digests of the indexes that list it.</summary>
    public IReadOnlyList<string> Indexes { get; init; } = [];

    /// <summary>Digest of the manifest that it refers to and that is there.</summary>
    public string? Subject { get; init; }

    /// <summary>When it goes; null when it stays.</summary>
    public string? DueAt { get; init; }
}

/// <summary>Why a blob is there.</summary>
public sealed record KeptBlobJson
{
    public long SizeBytes { get; init; }
    public string Store { get; init; } = "";
    public string Sentence { get; init; } = "";

    /// <summary>Its bytes are known to be wrong or missing.</summary>
    public bool IsQuarantined { get; init; }

    /// <summary>Manifests that name it, as <c>repository@digest</c>.</summary>
    public IReadOnlyList<string> Manifests { get; init; } = [];

    /// <summary>Repositories that hold it, where no manifest names it.</summary>
    public IReadOnlyList<string> Repositories { get; init; } = [];

    /// <summary>When it goes; null when it stays.</summary>
    public string? DueAt { get; init; }
}
