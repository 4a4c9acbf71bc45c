using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Data;

namespace Berth.Server.Registry;

/// <summary>
/// The one transaction of a manifest push: 1. the repository, which no other push changes meanwhile, 2. conditions on tags, 3. everything that
/// the manifest refers to is there, 4. manifest and references, 5. tags with their history, 6. referrers that a fallback tag lists, 7. the event.
/// </summary>
internal sealed class ManifestCommit(Database database, ManifestPolicy policy, ContentCache cache, RegistryEvents events, TimeProvider time)
{
    public Task<ManifestOutcome> CommitAsync(RegistryRequest request, ManifestChange change)
    {
        return database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            var outcome = await WriteAsync(session, request.Repository, request.Caller.Name, change, time.GetUtcNow().ToUnixTimeMilliseconds(), ct).ConfigureAwait(false);
            if (outcome.Error is not null) session.Rollback();
            // 7.
            else if (events.Wants(RegistryEventAction.Push)) await events.WriteAsync(session, EventOf(request, change), ct).ConfigureAwait(false);
            session.AfterCommit(() => cache.RemoveManifest(request.Repository, change.Digest));
            return outcome;
        }, request.Aborted);
    }

    /// <summary>Steps 1 to 6, for whoever already is in a transaction, such as adoption.</summary>
    public async Task<ManifestOutcome> WriteAsync(DbSession session, string repository, string actor, ManifestChange change, long now, CancellationToken ct)
    {
        // 1.
        var repositoryId = await Rows.FindOrAddRepositoryAsync(session, repository, now, ct).ConfigureAwait(false);
        await session.ScalarAsync(LockRepository, [repositoryId], ct).ConfigureAwait(false);

        // 2.
        var currents = new List<TagState>(change.Tags.Count);
        foreach (var tag in change.Tags)
        {
            var current = await FindTagAsync(session, repositoryId, tag, ct).ConfigureAwait(false);
            if (!change.Condition.Holds(current?.Digest))
                return new ManifestOutcome(OciError.PreconditionFailed, [current is null ? $"tag {tag} does not exist" : $"tag {tag} points to {current.Digest}"]);
            currents.Add(current ?? new TagState(0, null));
        }

        // 3.
        var (blobIds, missing) = await FindReferencesAsync(session, repositoryId, change.Document, ct).ConfigureAwait(false);
        if (missing is not null) return missing;

        // 4.
        var manifestId = await InsertAsync(session, repositoryId, change, blobIds, now, ct).ConfigureAwait(false);

        // 5.
        for (var i = 0; i < currents.Count; i++)
        {
            if (currents[i].ManifestId == manifestId) continue;
            await session.ExecuteAsync(UpsertTag, [repositoryId, change.Tags[i], manifestId, now], ct).ConfigureAwait(false);
            await session.ExecuteAsync(InsertHistory, [repositoryId, change.Tags[i], change.Digest.Value, currents[i].Digest, actor, now], ct).ConfigureAwait(false);
        }

        // 6.
        if (change.Document.IsIndex)
        {
            foreach (var tag in change.Tags)
            {
                if (SubjectOfFallbackTag(tag) is { IsDefault: false } subject)
                    await AdoptReferrersAsync(session, repositoryId, subject, change.Document, ct).ConfigureAwait(false);
            }
        }
        return ManifestOutcome.Written;
    }

    /// <summary>The digest that a tag <c>sha256-&lt;hex&gt;</c> lists referrers of (OCI distribution spec, "Referrers Tag Schema"); default for other tags.</summary>
    internal static Digest SubjectOfFallbackTag(string tag)
    {
        if (tag.Length is not (71 or 135) || tag[6] != '-') return default;
        return Digest.TryParse(string.Concat(tag.AsSpan(0, 6), ":", tag.AsSpan(7)), out var digest) ? digest : default;
    }

    private static async ValueTask<TagState?> FindTagAsync(DbSession session, long repositoryId, string tag, CancellationToken ct)
    {
        await using var reader = await session.Command(SelectTag, repositoryId, tag).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false) ? new TagState(reader.GetInt64(0), reader.GetString(1)) : null;
    }

    private async ValueTask<(IReadOnlyCollection<long> BlobIds, ManifestOutcome? Missing)> FindReferencesAsync(
        DbSession session, long repositoryId, ManifestDocument document, CancellationToken ct)
    {
        List<string> unknown = [];
        List<string> wrong = [];
        var blobs = await LinkedBlobsAsync(session, repositoryId, document, ct).ConfigureAwait(false);
        foreach (var descriptor in document.Config is null ? document.Layers : document.Layers.Prepend(document.Config))
        {
            if (blobs.TryGetValue(descriptor.Digest.Value, out var blob))
            {
                if (blob.Size != descriptor.Size) wrong.Add($"{descriptor.Digest} has {blob.Size} bytes, the manifest says {descriptor.Size}");
            }
            else if (ManifestPolicy.MustExist(descriptor) && MediaTypes.IsKnownManifest(document.MediaType) && !unknown.Contains(descriptor.Digest.Value))
            {
                unknown.Add(descriptor.Digest.Value);
            }
        }
        await AddMissingChildrenAsync(session, repositoryId, document, unknown, ct).ConfigureAwait(false);
        if (unknown.Count > 0) return ([], new ManifestOutcome(OciError.ManifestBlobUnknown, unknown));
        if (wrong.Count > 0) return ([], new ManifestOutcome(OciError.ManifestInvalid, wrong));
        return ([.. blobs.Values.Select(b => b.Id).Distinct()], null);
    }

    private static async ValueTask<Dictionary<string, (long Id, long Size)>> LinkedBlobsAsync(
        DbSession session, long repositoryId, ManifestDocument document, CancellationToken ct)
    {
        var found = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        var digests = document.Layers.Select(l => l.Digest.Value).ToList();
        if (document.Config is { } config) digests.Add(config.Digest.Value);
        if (digests.Count == 0) return found;
        await using var reader = await session.Command(SelectLinkedBlobs, repositoryId, Json(digests)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) found[reader.GetString(0)] = (reader.GetInt64(1), reader.GetInt64(2));
        return found;
    }

    private async ValueTask AddMissingChildrenAsync(DbSession session, long repositoryId, ManifestDocument document, List<string> unknown, CancellationToken ct)
    {
        var wanted = document.Manifests.Where(policy.MustExistInIndex).Select(m => m.Digest.Value).Distinct().ToList();
        if (wanted.Count == 0) return;
        var found = new HashSet<string>(StringComparer.Ordinal);
        await using var reader = await session.Command(SelectManifests, repositoryId, Json(wanted)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) found.Add(reader.GetString(0));
        unknown.AddRange(wanted.Where(digest => !found.Contains(digest)));
    }

    private static async ValueTask<long> InsertAsync(
        DbSession session, long repositoryId, ManifestChange change, IReadOnlyCollection<long> blobIds, long now, CancellationToken ct)
    {
        var document = change.Document;
        var id = await session.ScalarAsync(UpsertManifest,
            [
                repositoryId, change.Digest.Value, document.MediaType, document.ReferrerType, document.Subject?.Digest.Value,
                document.Subject is null ? null : document.AnnotationsJson, now, change.Content.Length, change.Content,
            ], ct).ConfigureAwait(false) ?? throw new InvalidOperationException("the manifest was not written");
        if (blobIds.Count > 0) await session.ExecuteAsync(InsertBlobs, [id, Json(blobIds)], ct).ConfigureAwait(false);
        if (document.Manifests.Count > 0)
            await session.ExecuteAsync(InsertChildren, [id, repositoryId, Json(document.Manifests.Select(m => m.Digest.Value).Distinct())], ct).ConfigureAwait(false);
        return id;
    }

    // Manifests that an older client listed by tag and that do not name their subject themselves.
    internal static async ValueTask AdoptReferrersAsync(DbSession session, long repositoryId, Digest subject, ManifestDocument index, CancellationToken ct)
    {
        foreach (var entry in index.Manifests)
        {
            string mediaType;
            byte[] content;
            await using (var reader = await session.Command(SelectWithoutSubject, repositoryId, entry.Digest.Value).ExecuteReaderAsync(ct).ConfigureAwait(false))
            {
                if (!await reader.ReadAsync(ct).ConfigureAwait(false)) continue;
                mediaType = reader.GetString(0);
                content = reader.GetFieldValue<byte[]>(1);
            }
            var annotations = ManifestReader.TryRead(content, mediaType, out var document, out _) ? document.AnnotationsJson : null;
            await session.ExecuteAsync(SetSubject, [repositoryId, entry.Digest.Value, subject.Value, annotations], ct).ConfigureAwait(false);
        }
    }

    private RegistryEvent EventOf(RegistryRequest request, ManifestChange change) => new()
    {
        Action = RegistryEventAction.Push,
        Repository = request.Repository,
        Digest = change.Digest.Value,
        Tag = change.Tags.Count > 0 ? change.Tags[0] : null,
        MediaType = change.Document.MediaType,
        Size = change.Content.Length,
        References = [.. change.Document.Config is { } config ? [config] : Array.Empty<Descriptor>(), .. change.Document.Layers, .. change.Document.Manifests],
        Actor = request.Caller.Name,
        Request = events.Describe(request),
    };

    private static string Json<T>(IEnumerable<T> values) => JsonSerializer.Serialize(values);

    private sealed record TagState(long ManifestId, string? Digest);

    // SQLite has one writer; PostgreSQL lets pushes to one repository take turns here.
    private static readonly Statement LockRepository = new(
        "SELECT id FROM repositories WHERE id = @0", "SELECT id FROM repositories WHERE id = @0 FOR NO KEY UPDATE");

    private static readonly Statement SelectTag = new("""
        SELECT t.manifest_id, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @1
        """);

    // CROSS JOIN: SQLite keeps the order. Its own choice begins with all that the repository has, for it thinks the list long.
    internal static readonly Statement SelectLinkedBlobs = new("""
        SELECT b.digest, b.id, b.size FROM json_each(@1) j
        CROSS JOIN blobs b ON b.digest = j.value
        CROSS JOIN repository_blobs l ON l.repository_id = @0 AND l.blob_id = b.id
        """, """
        SELECT b.digest, b.id, b.size FROM blobs b
        JOIN repository_blobs l ON l.repository_id = @0 AND l.blob_id = b.id
        WHERE b.digest IN (SELECT jsonb_array_elements_text(@1::jsonb))
        FOR SHARE OF l
        """);

    internal static readonly Statement SelectManifests = new("""
        SELECT m.digest FROM json_each(@1) j CROSS JOIN manifests m ON m.repository_id = @0 AND m.digest = j.value
        """, """
        SELECT m.digest FROM manifests m WHERE m.repository_id = @0 AND m.digest IN (SELECT jsonb_array_elements_text(@1::jsonb))
        """);

    private static readonly Statement UpsertManifest = new("""
        INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, annotations, pushed_at, size, content)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8)
        ON CONFLICT (repository_id, digest) DO UPDATE SET pushed_at = excluded.pushed_at, media_type = excluded.media_type
        RETURNING id
        """);

    private static readonly Statement InsertBlobs = new(
        "INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT @0, value FROM json_each(@1) WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT @0, jsonb_array_elements_text(@1::jsonb)::bigint ON CONFLICT DO NOTHING");

    private static readonly Statement InsertChildren = new(
        "INSERT INTO manifest_children (manifest_id, repository_id, child_digest) SELECT @0, @1, value FROM json_each(@2) WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO manifest_children (manifest_id, repository_id, child_digest) SELECT @0, @1, jsonb_array_elements_text(@2::jsonb) ON CONFLICT DO NOTHING");

    private static readonly Statement UpsertTag = new("""
        INSERT INTO tags (repository_id, name, manifest_id, updated_at) VALUES (@0, @1, @2, @3)
        ON CONFLICT (repository_id, name) DO UPDATE SET manifest_id = excluded.manifest_id, updated_at = excluded.updated_at
        """);

    internal static readonly Statement InsertHistory = new("""
        INSERT INTO tag_history (repository_id, name, digest, previous_digest, actor, at) VALUES (@0, @1, @2, @3, @4, @5)
        """);

    private static readonly Statement SelectWithoutSubject = new(
        "SELECT media_type, content FROM manifests WHERE repository_id = @0 AND digest = @1 AND subject IS NULL");

    private static readonly Statement SetSubject = new(
        "UPDATE manifests SET subject = @2, annotations = @3 WHERE repository_id = @0 AND digest = @1");
}
