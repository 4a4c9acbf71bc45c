using System.Text.Json;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;
using Berth.Server.Quotas;

namespace Berth.Server.Registry;

/// <summary>
/// The one transaction of a manifest push: 1. the repository, which no other push changes meanwhile, 2. what tags allow: conditions, rights, locks,
/// immutability and names, 3. everything that the manifest refers to is there, 4. manifest and references, 5. tags with their history, 6. referrers that a fallback
/// tag lists, 7. what lists of artifacts show, 8. reviews, 9. the event, 10. the quota, last because it makes other pushes of the project wait.
/// </summary>
internal sealed class ManifestCommit(
    Database database, ManifestReferences references, ContentCache cache, RegistryEvents events, DomainEvents domainEvents, RuntimeSettings settings,
    TimeProvider time)
{
    public Task<ManifestOutcome> CommitAsync(RegistryRequest request, ManifestChange change)
    {
        var target = new ManifestTarget(request.Rights, request.Caller.Name, request.Address, RegistryEvents.ActorOf(request));
        return database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            var outcome = await WriteAsync(session, target, change, events.Wants(RegistryEventAction.Push) ? EventOf(request, change) : null, ct).ConfigureAwait(false);
            if (outcome.Error is not null) session.Rollback();
            return outcome;
        }, request.Aborted);
    }

    /// <summary>All steps, for whoever already is in a transaction. After an outcome with an error the transaction must be rolled back.</summary>
    public async Task<ManifestOutcome> WriteAsync(DbSession session, ManifestTarget target, ManifestChange change, RegistryEvent? registryEvent, CancellationToken ct)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var repository = target.Rights.Repository;

        // 1.
        if (await HoldRepositoryAsync(session, repository, target.Rights.Seed, now, ct).ConfigureAwait(false) is not { } held)
            return new ManifestOutcome(OciError.NameUnknown, [$"there is no project {ProjectName.Of(repository)}"]);
        var (repositoryId, projectId) = held;

        // 2.
        var (currents, names) = (new List<TagState>(change.Tags.Count), PushNames.Of(target));
        foreach (var tag in change.Tags)
        {
            var current = await FindTagAsync(session, repositoryId, tag, ct).ConfigureAwait(false);
            if (await CheckTagAsync(session, target, projectId, tag, current, change, ct).ConfigureAwait(false) is { } refusal) return refusal;
            if (current?.Digest != change.Digest.Value && names?.Check(projectId, tag, current is not null) is { } misnamed) return misnamed;
            currents.Add(current ?? new TagState(0, null, TagLocks.None, null));
        }

        // 3.
        var (blobs, missing) = await references.FindAsync(session, repositoryId, change.Document, ct).ConfigureAwait(false);
        if (missing is not null) return missing;

        // 4.
        var written = await InsertAsync(session, projectId, repositoryId, change, blobs, now, ct).ConfigureAwait(false);
        session.AfterCommit(() => cache.RemoveManifest(repository, change.Digest));

        // 5.
        for (var i = 0; i < currents.Count; i++)
        {
            var end = change.ExpiresAt is { } asked && await MayEndAsync(session, target, projectId, written.Id, change.Tags[i], currents[i], ct).ConfigureAwait(false) ? asked : (long?)null;
            if (currents[i].ManifestId == written.Id)
            {
                // The same again: only its end is set anew.
                if (end != currents[i].ExpiresAt) await session.ExecuteAsync(SetExpiry, [repositoryId, change.Tags[i], end], ct).ConfigureAwait(false);
                continue;
            }
            await session.ExecuteAsync(UpsertTag, [repositoryId, change.Tags[i], written.Id, now, end], ct).ConfigureAwait(false);
            await session.ExecuteAsync(InsertHistory, [repositoryId, change.Tags[i], change.Digest.Value, currents[i].Digest, target.Actor, now, target.Address], ct).ConfigureAwait(false);
        }

        // 6.
        if (change.Document.IsIndex) await AdoptReferrersAsync(session, repositoryId, change, ct).ConfigureAwait(false);

        // 7. A new row says it of itself; others change with it only when its tags pointed to them or when it lists them.
        var others = currents.Where(c => c.ManifestId != 0).Select(c => c.ManifestId).ToList();
        if (written.IsNew && others.Count == 0 && change.Document.Manifests.Count == 0)
            await ListedManifests.AddAsync(session, repositoryId, written.IsListed, now, ct).ConfigureAwait(false);
        else
            await ListedManifests.RefreshAsync(session, repositoryId, [written.Id, .. others], written.IsListed ? 1 : 0, now, ct).ConfigureAwait(false);

        // 8. What may not be needed any more: manifests that lost a tag, one that came without.
        await ReviewAsync(session, written, change, others, now, ct).ConfigureAwait(false);

        // 9.
        if (registryEvent is not null) await events.WriteAsync(session, registryEvent, ct).ConfigureAwait(false);
        if (names?.Told(projectId) is { } told) await domainEvents.RaiseAsync(session, told, ct).ConfigureAwait(false);

        // 10.
        var outcome = await ChangeUsageAsync(session, target, projectId, written.Bytes, ct).ConfigureAwait(false);
        return names is null || outcome.Error is not null ? outcome : outcome with { Warnings = names.Warnings };
    }

    private static async ValueTask ReviewAsync(DbSession session, WrittenManifest written, ManifestChange change, List<long> tagged, long now, CancellationToken ct)
    {
        foreach (var lost in tagged)
        {
            if (lost != written.Id) await Reviews.AddManifestAsync(session, lost, now, ct).ConfigureAwait(false);
        }
        if (change.Tags.Count == 0) await Reviews.AddManifestAsync(session, written.Id, now, ct).ConfigureAwait(false);
    }

    private static async ValueTask<ManifestOutcome?> CheckTagAsync(
        DbSession session, ManifestTarget target, long projectId, string tag, TagState? current, ManifestChange change, CancellationToken ct)
    {
        if (!change.Condition.Holds(current?.Digest))
            return new ManifestOutcome(OciError.PreconditionFailed, [current is null ? $"tag {tag} does not exist" : $"tag {tag} points to {current.Digest}"]);
        var moves = current is not null && current.Digest != change.Digest.Value;
        if ((moves || current is null) && !target.Rights.MayWrite(tag, exists: current is not null))
            return new ManifestOutcome(OciError.Denied, [moves ? $"a rule of the project keeps {target.Actor} from moving the tag {tag}" : $"a rule of the project keeps {target.Actor} from writing the tag {tag}"]);
        if (!moves || ArtifactKinds.IsHelperTag(tag)) return null;
        if (current!.Locks.HasFlag(TagLocks.Write)) return new ManifestOutcome(OciError.TagImmutable, [$"the tag {tag} is locked"]);
        return await ImmutableTags.IsImmutableAsync(session, projectId, ProjectName.WithoutProject(target.Rights.Repository), tag, ct).ConfigureAwait(false)
            ? new ManifestOutcome(OciError.TagImmutable, [$"Failed to process request due to '{target.Rights.Repository}:{tag}' configured as immutable."])
            : null;
    }

    // What may not be deleted does not end by itself either. Asked only where a manifest says when its tags end.
    private static async ValueTask<bool> MayEndAsync(DbSession session, ManifestTarget target, long projectId, long manifestId, string tag, TagState current, CancellationToken ct) =>
        !ArtifactKinds.IsHelperTag(tag) && await TagExpiry.KeptByAsync(session, projectId, target.Rights.Repository, manifestId, tag, current.Locks, ct).ConfigureAwait(false) is null;

    private async ValueTask<ManifestOutcome> ChangeUsageAsync(DbSession session, ManifestTarget target, long projectId, long delta, CancellationToken ct)
    {
        var usage = await ProjectUsage.ChangeAsync(
            session, projectId, delta, await settings.ReadAsync(RuntimeSettingTable.QuotaPerProjectEnable, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
        if (!usage.IsDone)
        {
            var refused = QuotaEvents.Exceeded(projectId, ProjectName.Of(target.Rights.Repository), target.Rights.Repository, usage, target.EventActor);
            // The push is rolled back: what tells of it needs a transaction of its own.
            return new ManifestOutcome(OciError.QuotaExceeded, [refused.Description]) { AfterRollback = refused };
        }
        if (usage.IsWarning)
            await domainEvents.RaiseAsync(session, QuotaEvents.Warning(projectId, ProjectName.Of(target.Rights.Repository), target.Rights.Repository, usage, target.EventActor), ct).ConfigureAwait(false);
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
        return await reader.ReadAsync(ct).ConfigureAwait(false) ? new TagState(reader.GetInt64(0), reader.GetString(1), (TagLocks)reader.GetInt32(2), reader.IsDBNull(3) ? null : reader.GetInt64(3)) : null;
    }

    // SQLite has one writer; PostgreSQL lets pushes to one repository take turns here.
    private static async ValueTask<(long Id, long ProjectId)?> HoldRepositoryAsync(DbSession session, string name, ProjectSeed? seed, long now, CancellationToken ct)
    {
        if (await FindAsync().ConfigureAwait(false) is { } known) return known;
        if (await Rows.FindOrAddRepositoryAsync(session, name, seed, now, ct).ConfigureAwait(false) is null) return null;
        return await FindAsync().ConfigureAwait(false) ?? throw new InvalidOperationException($"repository {name} is gone");

        async ValueTask<(long, long)?> FindAsync()
        {
            await using var row = await session.Command(HoldRepository, name).ExecuteReaderAsync(ct).ConfigureAwait(false);
            return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.GetInt64(1)) : null;
        }
    }

    private static async ValueTask<WrittenManifest> InsertAsync(
        DbSession session, long projectId, long repositoryId, ManifestChange change, IReadOnlyCollection<LinkedBlob> blobs, long now, CancellationToken ct)
    {
        var document = change.Document;
        var accessory = ArtifactKinds.AccessoryOf(document, change.Tags);
        if (await InsertRowAsync(session, repositoryId, change, accessory, now, ct).ConfigureAwait(false) is not { } added)
        {
            var known = await session.ScalarAsync(UpdateManifest, [repositoryId, change.Digest.Value, now, document.MediaType, accessory], ct).ConfigureAwait(false)
                ?? throw new InvalidOperationException("the manifest was neither written nor found");
            return new WrittenManifest(known, IsNew: false, IsListed: false, Bytes: 0);
        }
        var bytes = (long)change.Content.Length;
        if (blobs.Count > 0)
        {
            var ids = Json(blobs.Select(b => b.Id));
            await session.ExecuteAsync(InsertBlobs, [added.Id, ids], ct).ConfigureAwait(false);
            bytes += await ProjectUsage.AddBlobsAsync(session, projectId, blobs, ids, ct).ConfigureAwait(false);
        }
        if (document.Manifests.Count > 0)
        {
            await session.ExecuteAsync(InsertChildren, [added.Id, repositoryId, Json(document.Manifests.Select(m => m.Digest.Value).Distinct())], ct).ConfigureAwait(false);
            await session.ExecuteAsync(AddChildSizes, [added.Id, repositoryId], ct).ConfigureAwait(false);
        }
        return new WrittenManifest(added.Id, IsNew: true, added.IsListed, bytes);
    }

    // Null when the repository has it already.
    private static async ValueTask<(long Id, bool IsListed)?> InsertRowAsync(
        DbSession session, long repositoryId, ManifestChange change, string? accessory, long now, CancellationToken ct)
    {
        var document = change.Document;
        await using var row = await session.Command(InsertManifest,
            repositoryId, change.Digest.Value, document.MediaType, document.ReferrerType, document.Subject?.Digest.Value,
            document.AnnotationsJson, now, change.Content.Length, change.Content,
            TotalSizeOf(change), ArtifactKinds.Of(document), accessory, ArtifactKinds.ConfigTypeOf(document),
            accessory is null && change.Tags.Any(ListedManifests.IsForPeople), accessory is null && change.Tags.Count == 0).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.GetBoolean(1)) : null;
    }

    private static long TotalSizeOf(ManifestChange change)
    {
        var size = (long)change.Content.Length + (change.Document.Config?.Size ?? 0);
        var seen = new HashSet<Digest>();
        foreach (var layer in change.Document.Layers)
        {
            if (seen.Add(layer.Digest)) size += layer.Size;
        }
        return size;
    }

    private static async ValueTask AdoptReferrersAsync(DbSession session, long repositoryId, ManifestChange change, CancellationToken ct)
    {
        foreach (var tag in change.Tags)
        {
            if (SubjectOfFallbackTag(tag) is { IsDefault: false } subject) await AdoptReferrersAsync(session, repositoryId, subject, change.Document, ct).ConfigureAwait(false);
        }
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

    private readonly record struct WrittenManifest(long Id, bool IsNew, bool IsListed, long Bytes);

    private sealed record TagState(long ManifestId, string? Digest, TagLocks Locks, long? ExpiresAt);

    private static readonly Statement HoldRepository = new(
        "SELECT id, project_id FROM repositories WHERE name = @0", "SELECT id, project_id FROM repositories WHERE name = @0 FOR NO KEY UPDATE");

    private static readonly Statement SelectTag = new("""
        SELECT t.manifest_id, m.digest, t.locks, t.expires_at FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @1
        """);

    private static readonly Statement UpdateManifest = new("""
        UPDATE manifests SET pushed_at = @2, media_type = @3, accessory_kind = COALESCE(accessory_kind, @4) WHERE repository_id = @0 AND digest = @1 RETURNING id
        """);

    // @13: listed, whatever indexes there are; @14: listed, unless an index names it.
    private static readonly Statement InsertManifest = new("""
        INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, annotations, pushed_at, created_at, size, content,
            total_size, kind, accessory_kind, config_type, is_listed, pull_count)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @6, @7, @8, @9, @10, @11, @12,
            @13 OR @14 AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = @0 AND l.child_digest = @1), 0)
        ON CONFLICT (repository_id, digest) DO NOTHING
        RETURNING id, is_listed
        """);

    // Of those manifests that are there: an index may be sparse.
    private static readonly Statement AddChildSizes = new("""
        UPDATE manifests SET total_size = total_size + COALESCE((
            SELECT SUM(c.total_size) FROM manifest_children l JOIN manifests c ON c.repository_id = @1 AND c.digest = l.child_digest WHERE l.manifest_id = @0), 0)
        WHERE id = @0
        """);

    private static readonly Statement InsertBlobs = new(
        "INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT @0, value FROM json_each(@1) WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT @0, jsonb_array_elements_text(@1::jsonb)::bigint ON CONFLICT DO NOTHING");

    private static readonly Statement InsertChildren = new(
        "INSERT INTO manifest_children (manifest_id, repository_id, child_digest) SELECT @0, @1, value FROM json_each(@2) WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO manifest_children (manifest_id, repository_id, child_digest) SELECT @0, @1, jsonb_array_elements_text(@2::jsonb) ON CONFLICT DO NOTHING");

    private static readonly Statement UpsertTag = new("""
        INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks, expires_at) VALUES (@0, @1, @2, @3, 0, @4)
        ON CONFLICT (repository_id, name) DO UPDATE SET manifest_id = excluded.manifest_id, updated_at = excluded.updated_at, expires_at = excluded.expires_at, is_expiry_told = FALSE
        """);

    private static readonly Statement SetExpiry = new("UPDATE tags SET expires_at = @2, is_expiry_told = FALSE WHERE repository_id = @0 AND name = @1");

    internal static readonly Statement InsertHistory = new("""
        INSERT INTO tag_history (repository_id, name, digest, previous_digest, actor, at, address) VALUES (@0, @1, @2, @3, @4, @5, @6)
        """);

    private static readonly Statement SelectWithoutSubject = new(
        "SELECT media_type, content FROM manifests WHERE repository_id = @0 AND digest = @1 AND subject IS NULL");

    private static readonly Statement SetSubject = new(
        "UPDATE manifests SET subject = @2, annotations = @3 WHERE repository_id = @0 AND digest = @1");
}

/// <summary>Where a manifest is written, and for whom.</summary>
/// <param name="Rights">What the caller may do in the repository.</param>
/// <param name="Actor">Name in the history of tags.</param>
/// <param name="Address">Address that the request came from; empty for the server itself.</param>
/// <param name="EventActor">The same for events.</param>
internal sealed record ManifestTarget(RepositoryRights Rights, string Actor, string Address, EventActor EventActor)
{
    /// <summary>What is written was there before under the same names: they are not held against the naming policy.</summary>
    public bool KeepsNames { get; init; }
}
