using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Oci;
using Berth.Scanner.Scan;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Scanning.Bases;

/// <summary>An image whose layers are the lowest layers of another one.</summary>
/// <param name="ManifestId">Its row.</param>
/// <param name="ProjectId">Its project.</param>
/// <param name="Repository">Full name of its repository.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Layers">How many layers it has.</param>
/// <param name="Tags">Its tags, and those of indexes that list it; ordered, the first few.</param>
internal sealed record BaseCandidate(long ManifestId, long ProjectId, string Repository, string Digest, int Layers, IReadOnlyList<string> Tags);

/// <summary>
/// Which stored images others are built on: one whose layers, in order, are a proper beginning of the other's. The sequences are written when an image is scanned; images that came
/// since are caught up with whenever somebody asks, so that a push costs nothing.
/// </summary>
internal sealed class BaseImages(Database database, BlobBytes blobs)
{
    /// <summary>Images that are caught up with for one question.</summary>
    private const int MaxCaughtUp = 200;

    /// <summary>How far below the newest known image one may be and still be caught up with: transactions do not end in the order of their rows.</summary>
    private const long LookBack = 1000;

    private const int MaxCandidates = 100;
    private const int MaxTags = 5;
    private const int MaxConfigBytes = 4 << 20;

    /// <summary>Writes the sequences of an image, in the transaction of its scan.</summary>
    public static async ValueTask WriteAsync(DbSession session, long manifestId, IReadOnlyList<string> diffIds, CancellationToken ct)
    {
        var chain = ChainIds.Of(diffIds);
        var rows = chain.Count == 0 ? [new ChainRow(0, "", false)] : chain.Select((id, at) => new ChainRow(at + 1, id, at == chain.Count - 1)).ToList();
        await session.ExecuteAsync(Insert, [manifestId, JsonSerializer.Serialize(rows, BaseImagesJson.Default.ListChainRow)], ct).ConfigureAwait(false);
    }

    /// <summary>How many of an image's lowest layers are those of a base image that everybody in its project may know of: of the same project, or of a public one.</summary>
    public static async ValueTask<int> CountBaseLayersAsync(DbSession session, long projectId, IReadOnlyList<string> diffIds, CancellationToken ct)
    {
        var chain = ChainIds.Of(diffIds);
        if (chain.Count < 2) return 0;
        return (int)(await session.ScalarAsync(SelectLongest, [JsonSerializer.Serialize(chain.SkipLast(1)), projectId], ct).ConfigureAwait(false) ?? 0);
    }

    /// <summary>The base images of an image, those with the most layers first. The caller looks at who may know of them.</summary>
    public static async ValueTask<List<BaseCandidate>> FindAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var found = new List<BaseCandidate>();
        await using (var rows = await session.Command(SelectBases, manifestId, MaxCandidates).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
                found.Add(new BaseCandidate(rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetString(3), rows.GetInt32(4), []));
        }
        var tags = await TagsAsync(session, found, ct).ConfigureAwait(false);
        return [.. found.Select(one => one with { Tags = [.. tags[one.ManifestId].Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MaxTags)] })];
    }

    /// <summary>Images that are built on an image, the newest first.</summary>
    public static async ValueTask<List<BaseCandidate>> FindDerivedAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var found = new List<BaseCandidate>();
        await using (var rows = await session.Command(SelectDerived, manifestId, MaxCandidates).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
                found.Add(new BaseCandidate(rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetString(3), rows.GetInt32(4), []));
        }
        var tags = await TagsAsync(session, found, ct).ConfigureAwait(false);
        return [.. found.Select(one => one with { Tags = [.. tags[one.ManifestId].Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MaxTags)] })];
    }

    /// <summary>Writes the sequences of images that came since the last time, the newest first, and of the one that is asked about.</summary>
    public async Task CatchUpAsync(long manifestId, CancellationToken ct)
    {
        var missing = await database.ReadAsync(manifestId, static async ValueTask<List<(long Id, string MediaType, byte[] Content)>> (session, id, token) =>
        {
            var found = new List<(long, string, byte[])>();
            var newest = await session.ScalarAsync(SelectNewest, [], token).ConfigureAwait(false) ?? id;
            await using var rows = await session.Command(SelectMissing, newest - LookBack, ArtifactKinds.Image, MaxCaughtUp, id).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetString(1), rows.GetFieldValue<byte[]>(2)));
            return found;
        }, ct).ConfigureAwait(false);
        if (missing.Count == 0) return;
        var chains = new List<(long Id, IReadOnlyList<string> DiffIds)>(missing.Count);
        foreach (var (id, mediaType, content) in missing) chains.Add((id, await DiffIdsAsync(mediaType, content, ct).ConfigureAwait(false)));
        // Lost in a power cut, they are written again by the next question.
        await database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            foreach (var (id, diffIds) in chains.OrderBy(static one => one.Id)) await WriteAsync(session, id, diffIds, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<string>> DiffIdsAsync(string mediaType, byte[] content, CancellationToken ct)
    {
        if (!ManifestReader.TryRead(content, mediaType, out var manifest, out _) || manifest.Config is not { Size: <= MaxConfigBytes } config) return [];
        if (await blobs.ReadAsync(config.Digest, (int)config.Size, ct).ConfigureAwait(false) is not { } bytes) return [];
        try
        {
            return StoredImages.DiffIdsOf(bytes);
        }
        catch (ImageRefusedException)
        {
            // Anybody may push a configuration that is none: such an image is the base of no other.
            return [];
        }
    }

    private static async ValueTask<ILookup<long, string>> TagsAsync(DbSession session, List<BaseCandidate> images, CancellationToken ct)
    {
        var found = new List<(long Id, string Tag)>();
        if (images.Count > 0)
        {
            await using var rows = await session.Command(SelectTags, JsonSerializer.Serialize(images.Select(static one => one.ManifestId))).ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetString(1)));
        }
        return found.Where(static one => !ArtifactKinds.IsHelperTag(one.Tag)).ToLookup(static one => one.Id, static one => one.Tag);
    }

    // The image may have gone meanwhile: then there is nothing to write.
    private static readonly Statement Insert = new("""
        INSERT INTO image_chains (manifest_id, layers, chain_id, is_whole)
        SELECT m.id, json_extract(x.value, '$.l'), json_extract(x.value, '$.c'), json_extract(x.value, '$.w') FROM manifests m, json_each(@1) x WHERE m.id = @0
        ON CONFLICT (manifest_id, layers) DO NOTHING
        """, """
        INSERT INTO image_chains (manifest_id, layers, chain_id, is_whole)
        SELECT m.id, x.l, x.c, x.w FROM manifests m, jsonb_to_recordset(@1::jsonb) AS x(l int, c text, w boolean) WHERE m.id = @0
        ON CONFLICT (manifest_id, layers) DO NOTHING
        """);

    private static readonly Statement SelectLongest = new("""
        SELECT MAX(c.layers) FROM json_each(@0) x JOIN image_chains c ON c.chain_id = x.value AND c.is_whole
        JOIN manifests m ON m.id = c.manifest_id JOIN repositories r ON r.id = m.repository_id JOIN projects p ON p.id = r.project_id WHERE p.id = @1 OR p.is_public
        """, """
        SELECT MAX(c.layers)::bigint FROM image_chains c
        JOIN manifests m ON m.id = c.manifest_id JOIN repositories r ON r.id = m.repository_id JOIN projects p ON p.id = r.project_id
        WHERE c.chain_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb))) AND c.is_whole AND (p.id = @1 OR p.is_public)
        """);

    private static readonly Statement SelectBases = new("""
        SELECT m.id, r.project_id, r.name, m.digest, b.layers FROM image_chains o
        JOIN image_chains b ON b.chain_id = o.chain_id AND b.is_whole AND b.manifest_id <> o.manifest_id
        JOIN manifests m ON m.id = b.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE o.manifest_id = @0 AND NOT o.is_whole AND o.layers > 0 ORDER BY b.layers DESC, m.pushed_at DESC, m.id DESC LIMIT @1
        """);

    private static readonly Statement SelectDerived = new("""
        SELECT m.id, r.project_id, r.name, m.digest, (SELECT MAX(w.layers) FROM image_chains w WHERE w.manifest_id = m.id) FROM image_chains o
        JOIN image_chains d ON d.chain_id = o.chain_id AND NOT d.is_whole
        JOIN manifests m ON m.id = d.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE o.manifest_id = @0 AND o.is_whole ORDER BY m.pushed_at DESC, m.id DESC LIMIT @1
        """);

    private static readonly Statement SelectNewest = new("SELECT MAX(manifest_id) FROM image_chains");

    private static readonly Statement SelectMissing = new("""
        SELECT m.id, m.media_type, m.content FROM manifests m
        WHERE (m.id > @0 OR m.id = @3) AND m.kind = @1 AND m.accessory_kind IS NULL AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.manifest_id = m.id)
            AND NOT EXISTS (SELECT 1 FROM image_chains c WHERE c.manifest_id = m.id) ORDER BY m.id DESC LIMIT @2
        """);

    private static readonly Statement SelectTags = new("""
        SELECT t.manifest_id, t.name FROM json_each(@0) x JOIN tags t ON t.manifest_id = x.value
        UNION ALL SELECT m.id, t.name FROM json_each(@0) x JOIN manifests m ON m.id = x.value
        JOIN manifest_children l ON l.repository_id = m.repository_id AND l.child_digest = m.digest JOIN tags t ON t.manifest_id = l.manifest_id
        """, """
        SELECT t.manifest_id, t.name FROM tags t WHERE t.manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))
        UNION ALL SELECT m.id, t.name FROM manifests m JOIN manifest_children l ON l.repository_id = m.repository_id AND l.child_digest = m.digest
        JOIN tags t ON t.manifest_id = l.manifest_id WHERE m.id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))
        """);
}

/// <summary>A row on its way into the database.</summary>
internal sealed record ChainRow([property: JsonPropertyName("l")] int Layers, [property: JsonPropertyName("c")] string ChainId, [property: JsonPropertyName("w")] bool IsWhole);

[JsonSerializable(typeof(List<ChainRow>))]
internal sealed partial class BaseImagesJson : JsonSerializerContext;
