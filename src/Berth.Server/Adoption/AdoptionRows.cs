using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;

namespace Berth.Server.Adoption;

/// <summary>
/// Writes what was found, many rows with one statement: the rows go in as one JSON text. Rows that are there already stay as they are, so
/// that everything here may be done twice. <see cref="Registry.ManifestCommit"/> is not used: it refuses manifests whose layers are missing,
/// which Docker Registry serves, moves the time of a manifest that is there, and asks the database a dozen times for each.
/// </summary>
internal static class AdoptionRows
{
    /// <summary>Records blobs; the number of new ones and their bytes. <paramref name="differing"/> gets those recorded with another size.</summary>
    public static async ValueTask<(int Count, long Bytes)> AddBlobsAsync(
        DbSession session, IReadOnlyCollection<BlobRow> blobs, List<(string Digest, long Size)> differing, CancellationToken ct)
    {
        var (count, bytes, json) = (0, 0L, JsonSerializer.Serialize(blobs));
        await using (var reader = await session.Command(InsertBlobs, json).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            for (; await reader.ReadAsync(ct).ConfigureAwait(false); count++) bytes += reader.GetInt64(0);
        }
        differing.Clear();
        await using (var reader = await session.Command(SelectOtherSizes, json).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) differing.Add((reader.GetString(0), reader.GetInt64(1)));
        }
        return (count, bytes);
    }

    /// <summary>Lets a repository hold blobs; the number of new links, and the digests that are no blob.</summary>
    public static async ValueTask<(int Count, List<string> Dangling)> AddLinksAsync(
        DbSession session, long repositoryId, IReadOnlyCollection<LinkRow> links, CancellationToken ct)
    {
        var json = JsonSerializer.Serialize(links);
        var added = await session.ExecuteAsync(InsertLinks, [repositoryId, json], ct).ConfigureAwait(false);
        var dangling = new List<string>();
        await using var reader = await session.Command(SelectNoBlobs, json).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) dangling.Add(reader.GetString(0));
        return (added, dangling);
    }

    /// <summary>
    /// Records manifests with what they refer to; the number of new ones. A manifest also refers to the blob that Docker Registry keeps its own
    /// bytes in: garbage collection frees that with the manifest, not before.
    /// </summary>
    public static async ValueTask<int> AddManifestsAsync(DbSession session, long repositoryId, ManifestRows rows, CancellationToken ct)
    {
        var added = await session.ExecuteAsync(InsertManifests, [repositoryId, JsonSerializer.Serialize(rows.Manifests)], ct).ConfigureAwait(false);
        await session.ExecuteAsync(InsertReferences, [repositoryId, JsonSerializer.Serialize(rows.References)], ct).ConfigureAwait(false);
        if (rows.Children.Count > 0)
            await session.ExecuteAsync(InsertChildren, [repositoryId, JsonSerializer.Serialize(rows.Children)], ct).ConfigureAwait(false);
        return added;
    }

    /// <summary>Gives indexes the size of all that they list, once all of a repository's manifests are there. Twice is as good as once.</summary>
    public static ValueTask<int> AddIndexSizesAsync(DbSession session, long repositoryId, CancellationToken ct) =>
        session.ExecuteAsync(SumIndexes, [repositoryId], ct);

    /// <summary>All projects.</summary>
    public static async ValueTask<List<long>> ProjectsAsync(DbSession session, CancellationToken ct)
    {
        var ids = new List<long>();
        await using var reader = await session.Command(SelectProjects).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) ids.Add(reader.GetInt64(0));
        return ids;
    }

    /// <summary>References that cannot be served as the manifests say.</summary>
    public static async ValueTask<List<BrokenReference>> FindBrokenAsync(DbSession session, long repositoryId, ManifestRows rows, CancellationToken ct)
    {
        var broken = new List<BrokenReference>();
        var json = JsonSerializer.Serialize(rows.References.Where(r => r.Size is not null));
        await using var reader = await session.Command(SelectBroken, repositoryId, json).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            broken.Add(new BrokenReference(
                reader.GetString(0), reader.GetString(1), reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetInt64(3), !reader.IsDBNull(4)));
        }
        return broken;
    }

    /// <summary>What is known of tags, and of the manifests that they are to point to.</summary>
    public static async ValueTask<Dictionary<string, TagState>> FindTagsAsync(
        DbSession session, long repositoryId, IReadOnlyCollection<TagRow> tags, CancellationToken ct)
    {
        var found = new Dictionary<string, TagState>(StringComparer.Ordinal);
        await using var reader = await session.Command(SelectTags, repositoryId, JsonSerializer.Serialize(tags)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            found[reader.GetString(0)] = new TagState(
                reader.IsDBNull(1) ? null : reader.GetInt64(1),
                reader.IsDBNull(2) ? null : reader.GetString(2),
                reader.IsDBNull(3) ? 0 : reader.GetInt64(3),
                reader.IsDBNull(4) ? 0 : reader.GetInt64(4));
        }
        return found;
    }

    /// <summary>Sets tags and writes their history.</summary>
    public static async ValueTask SetTagsAsync(DbSession session, long repositoryId, IReadOnlyCollection<TagMove> moves, CancellationToken ct)
    {
        if (moves.Count == 0) return;
        var json = JsonSerializer.Serialize(moves);
        await session.ExecuteAsync(UpsertTags, [repositoryId, json], ct).ConfigureAwait(false);
        await session.ExecuteAsync(InsertHistory, [repositoryId, json, Actor], ct).ConfigureAwait(false);
    }

    /// <summary>The bytes and type of a manifest.</summary>
    public static async ValueTask<(string MediaType, byte[] Content)?> FindManifestAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        await using var reader = await session.Command(SelectManifest, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false) ? (reader.GetString(0), reader.GetFieldValue<byte[]>(1)) : null;
    }

    /// <summary>Sizes of those blobs of a list that are recorded.</summary>
    public static async ValueTask<Dictionary<string, long>> SizesAsync(DbSession session, IEnumerable<string> digests, CancellationToken ct)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var reader = await session.Command(SelectSizes, JsonSerializer.Serialize(digests)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) sizes[reader.GetString(0)] = reader.GetInt64(1);
        return sizes;
    }

    /// <summary>The bytes of those manifests of a list that the repository has.</summary>
    public static async ValueTask<Dictionary<string, byte[]>> ContentsAsync(DbSession session, long repositoryId, IEnumerable<string> digests, CancellationToken ct)
    {
        var contents = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        await using var reader = await session.Command(SelectContents, repositoryId, JsonSerializer.Serialize(digests)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) contents[reader.GetString(0)] = reader.GetFieldValue<byte[]>(1);
        return contents;
    }

    /// <summary>Whether the database knows neither a repository nor a blob.</summary>
    public static async ValueTask<bool> IsEmptyAsync(DbSession session, CancellationToken ct) =>
        await session.ScalarAsync(SelectAny, [], ct).ConfigureAwait(false) is null;

    /// <summary>A change that is none, so that its durable commit takes all earlier commits along.</summary>
    public static ValueTask<int> TouchAsync(DbSession session, CancellationToken ct) => session.ExecuteAsync(Touch, [], ct);

    /// <summary>Name in the history of tags.</summary>
    private const string Actor = "adoption";

    private static readonly Statement InsertBlobs = new("""
        INSERT INTO blobs (digest, size, created_at)
        SELECT value ->> 'd', value ->> 's', value ->> 't' FROM json_each(@0) WHERE true
        ON CONFLICT (digest) DO NOTHING RETURNING size
        """, """
        INSERT INTO blobs (digest, size, created_at)
        SELECT d, s, t FROM jsonb_to_recordset(@0::jsonb) AS j(d text, s bigint, t bigint) ORDER BY d
        ON CONFLICT (digest) DO NOTHING RETURNING size
        """);

    private static readonly Statement SelectOtherSizes = new("""
        SELECT b.digest, b.size FROM json_each(@0) j JOIN blobs b ON b.digest = j.value ->> 'd' WHERE b.size <> j.value ->> 's'
        """, """
        SELECT b.digest, b.size FROM jsonb_to_recordset(@0::jsonb) AS j(d text, s bigint) JOIN blobs b ON b.digest = j.d WHERE b.size <> j.s
        """);

    private static readonly Statement InsertLinks = new("""
        INSERT INTO repository_blobs (repository_id, blob_id, linked_at)
        SELECT @0, b.id, j.value ->> 't' FROM json_each(@1) j JOIN blobs b ON b.digest = j.value ->> 'd' WHERE true
        ON CONFLICT (repository_id, blob_id) DO NOTHING
        """, """
        INSERT INTO repository_blobs (repository_id, blob_id, linked_at)
        SELECT @0, b.id, j.t FROM jsonb_to_recordset(@1::jsonb) AS j(d text, t bigint) JOIN blobs b ON b.digest = j.d ORDER BY b.id
        ON CONFLICT (repository_id, blob_id) DO NOTHING
        """);

    private static readonly Statement SelectNoBlobs = new("""
        SELECT j.value ->> 'd' FROM json_each(@0) j LEFT JOIN blobs b ON b.digest = j.value ->> 'd' WHERE b.id IS NULL
        """, """
        SELECT j.d FROM jsonb_to_recordset(@0::jsonb) AS j(d text) LEFT JOIN blobs b ON b.digest = j.d WHERE b.id IS NULL
        """);

    private static readonly Statement InsertManifests = new("""
        INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, annotations, pushed_at, created_at, size, content,
            total_size, kind, accessory_kind, config_type, is_listed, pull_count)
        SELECT @0, value ->> 'd', value ->> 'm', value ->> 'a', value ->> 's', value ->> 'n', value ->> 't', value ->> 't', value ->> 'z', unhex(value ->> 'c'),
            value ->> 'w', value ->> 'k', value ->> 'y', value ->> 'g', false, 0
        FROM json_each(@1) WHERE true
        ON CONFLICT (repository_id, digest) DO NOTHING
        """, """
        INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, annotations, pushed_at, created_at, size, content,
            total_size, kind, accessory_kind, config_type, is_listed, pull_count)
        SELECT @0, d, m, a, s, n, t, t, z, decode(c, 'hex'), w, k, y, g, false, 0
        FROM jsonb_to_recordset(@1::jsonb) AS j(d text, m text, a text, s text, n text, t bigint, z integer, c text, w bigint, k text, y text, g text) ORDER BY d
        ON CONFLICT (repository_id, digest) DO NOTHING
        """);

    private static readonly Statement SumIndexes = new("""
        UPDATE manifests SET total_size = size + COALESCE((
            SELECT SUM(c.total_size) FROM manifest_children l JOIN manifests c ON c.repository_id = @0 AND c.digest = l.child_digest
            WHERE l.manifest_id = manifests.id), 0)
        WHERE repository_id = @0 AND EXISTS (SELECT 1 FROM manifest_children l WHERE l.manifest_id = manifests.id)
        """);

    private static readonly Statement SelectProjects = new("SELECT id FROM projects ORDER BY id");

    private static readonly Statement InsertReferences = new("""
        INSERT INTO manifest_blobs (manifest_id, blob_id)
        SELECT m.id, b.id FROM json_each(@1) j
        JOIN manifests m ON m.repository_id = @0 AND m.digest = j.value ->> 'm'
        JOIN blobs b ON b.digest = j.value ->> 'b' WHERE true
        ON CONFLICT (manifest_id, blob_id) DO NOTHING
        """, """
        INSERT INTO manifest_blobs (manifest_id, blob_id)
        SELECT m.id, b.id FROM jsonb_to_recordset(@1::jsonb) AS j(m text, b text)
        JOIN manifests m ON m.repository_id = @0 AND m.digest = j.m
        JOIN blobs b ON b.digest = j.b
        ON CONFLICT (manifest_id, blob_id) DO NOTHING
        """);

    private static readonly Statement InsertChildren = new("""
        INSERT INTO manifest_children (manifest_id, repository_id, child_digest)
        SELECT m.id, @0, j.value ->> 'c' FROM json_each(@1) j
        CROSS JOIN manifests m ON m.repository_id = @0 AND m.digest = j.value ->> 'm' WHERE true
        ON CONFLICT (manifest_id, child_digest) DO NOTHING
        """, """
        INSERT INTO manifest_children (manifest_id, repository_id, child_digest)
        SELECT m.id, @0, j.c FROM jsonb_to_recordset(@1::jsonb) AS j(m text, c text)
        JOIN manifests m ON m.repository_id = @0 AND m.digest = j.m
        ON CONFLICT (manifest_id, child_digest) DO NOTHING
        """);

    private static readonly Statement SelectBroken = new("""
        SELECT j.value ->> 'm', j.value ->> 'b', j.value ->> 's', b.size, l.blob_id FROM json_each(@1) j
        LEFT JOIN blobs b ON b.digest = j.value ->> 'b'
        LEFT JOIN repository_blobs l ON l.repository_id = @0 AND l.blob_id = b.id
        WHERE l.blob_id IS NULL OR b.size <> j.value ->> 's'
        """, """
        SELECT j.m, j.b, j.s, b.size, l.blob_id FROM jsonb_to_recordset(@1::jsonb) AS j(m text, b text, s bigint)
        LEFT JOIN blobs b ON b.digest = j.b
        LEFT JOIN repository_blobs l ON l.repository_id = @0 AND l.blob_id = b.id
        WHERE l.blob_id IS NULL OR b.size <> j.s
        """);

    private static readonly Statement SelectTags = new("""
        SELECT j.value ->> 'n', m.id, c.digest, t.updated_at,
            (SELECT max(h.at) FROM tag_history h WHERE h.repository_id = @0 AND h.name = j.value ->> 'n' AND h.digest IS NULL)
        FROM json_each(@1) j
        LEFT JOIN manifests m ON m.repository_id = @0 AND m.digest = j.value ->> 'd'
        LEFT JOIN tags t ON t.repository_id = @0 AND t.name = j.value ->> 'n'
        LEFT JOIN manifests c ON c.id = t.manifest_id
        """, """
        SELECT j.n, m.id, c.digest, t.updated_at,
            (SELECT max(h.at) FROM tag_history h WHERE h.repository_id = @0 AND h.name = j.n AND h.digest IS NULL)
        FROM jsonb_to_recordset(@1::jsonb) AS j(n text, d text)
        LEFT JOIN manifests m ON m.repository_id = @0 AND m.digest = j.d
        LEFT JOIN tags t ON t.repository_id = @0 AND t.name = j.n
        LEFT JOIN manifests c ON c.id = t.manifest_id
        """);

    private static readonly Statement UpsertTags = new("""
        INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks)
        SELECT @0, value ->> 'n', value ->> 'i', value ->> 't', 0 FROM json_each(@1) WHERE true
        ON CONFLICT (repository_id, name) DO UPDATE SET manifest_id = excluded.manifest_id, updated_at = excluded.updated_at
        """, """
        INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks)
        SELECT @0, n, i, t, 0 FROM jsonb_to_recordset(@1::jsonb) AS j(n text, i bigint, t bigint) ORDER BY n
        ON CONFLICT (repository_id, name) DO UPDATE SET manifest_id = excluded.manifest_id, updated_at = excluded.updated_at
        """);

    private static readonly Statement InsertHistory = new("""
        INSERT INTO tag_history (repository_id, name, digest, previous_digest, actor, at, address)
        SELECT @0, value ->> 'n', value ->> 'd', value ->> 'p', @2, value ->> 't', '' FROM json_each(@1)
        """, """
        INSERT INTO tag_history (repository_id, name, digest, previous_digest, actor, at, address)
        SELECT @0, n, d, p, @2, t, '' FROM jsonb_to_recordset(@1::jsonb) AS j(n text, d text, p text, t bigint)
        """);

    private static readonly Statement SelectManifest = new("SELECT media_type, content FROM manifests WHERE id = @0");

    private static readonly Statement SelectSizes = new(
        "SELECT b.digest, b.size FROM json_each(@0) j JOIN blobs b ON b.digest = j.value",
        "SELECT b.digest, b.size FROM jsonb_array_elements_text(@0::jsonb) AS j(d) JOIN blobs b ON b.digest = j.d");

    private static readonly Statement SelectContents = new(
        "SELECT m.digest, m.content FROM json_each(@1) j JOIN manifests m ON m.repository_id = @0 AND m.digest = j.value",
        "SELECT m.digest, m.content FROM jsonb_array_elements_text(@1::jsonb) AS j(d) JOIN manifests m ON m.repository_id = @0 AND m.digest = j.d");

    private static readonly Statement SelectAny = new("SELECT 1 WHERE EXISTS (SELECT 1 FROM repositories) OR EXISTS (SELECT 1 FROM blobs)");

    private static readonly Statement Touch = new("UPDATE blobs SET size = size WHERE id = (SELECT min(id) FROM blobs)");
}

/// <summary>A blob to record: digest, size in bytes, time in Unix milliseconds.</summary>
internal sealed record BlobRow([property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("s")] long Size, [property: JsonPropertyName("t")] long At);

/// <summary>A link to record: digest, time.</summary>
internal sealed record LinkRow([property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("t")] long At);

/// <summary>A tag as the folder has it: name, digest, time.</summary>
internal sealed record TagRow([property: JsonPropertyName("n")] string Name, [property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("t")] long At);

/// <summary>A tag to set: name, manifest, its digest, the digest before, time.</summary>
internal sealed record TagMove(
    [property: JsonPropertyName("n")] string Name, [property: JsonPropertyName("i")] long ManifestId, [property: JsonPropertyName("d")] string Digest,
    [property: JsonPropertyName("p")] string? Previous, [property: JsonPropertyName("t")] long At);

/// <summary>A tag as the database has it.</summary>
/// <param name="TargetId">The manifest that it is to point to; null when the repository lacks it.</param>
/// <param name="Digest">Where it points; null when there is no such tag.</param>
/// <param name="UpdatedAt">When it was moved last.</param>
/// <param name="DeletedAt">When it was deleted last; 0 for never.</param>
internal sealed record TagState(long? TargetId, string? Digest, long UpdatedAt, long DeletedAt);

/// <summary>A layer or configuration that is not there as its manifest says.</summary>
/// <param name="Manifest">Digest of the manifest.</param>
/// <param name="Blob">Digest of the layer or configuration.</param>
/// <param name="Expected">Size that the manifest says.</param>
/// <param name="Actual">Size of the blob; null when there is none.</param>
/// <param name="IsLinked">Whether the repository holds it.</param>
internal sealed record BrokenReference(string Manifest, string Blob, long Expected, long? Actual, bool IsLinked);
