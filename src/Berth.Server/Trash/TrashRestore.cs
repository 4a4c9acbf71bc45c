using Berth.Oci;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;

namespace Berth.Server.Trash;

/// <summary>What became of a restore.</summary>
/// <param name="Repository">Where it is again.</param>
/// <param name="Digest">What.</param>
/// <param name="Tags">Tags that lead to it again.</param>
/// <param name="Manifests">Manifests that came back: itself, what it lists, what is about it.</param>
internal sealed record Restored(string Repository, string Digest, IReadOnlyList<string> Tags, int Manifests);

/// <summary>
/// Brings back what was deleted, in one transaction: 1. the entry and what was deleted with it, 2. manifests that it lists, then itself, then what is about it, each with its
/// exact bytes by the same way as a push, so that rights, immutability, references and quota are asked again, 3. tags, but those that somebody has used meanwhile,
/// 4. times, counts and labels as they were.
/// </summary>
internal sealed class TrashRestore(ManifestCommit commit, ArtifactTargets targets, TimeProvider time)
{
    /// <summary>Deepest nesting of indexes and referrers.</summary>
    private const int MaxDepth = 16;

    /// <summary>Restores an entry. After an outcome with an error the transaction must be rolled back.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="request">The caller's request to the entry's repository.</param>
    /// <param name="id">The entry.</param>
    /// <param name="overwrites">Moves a tag that somebody has used meanwhile.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<(Restored? Done, OciError? Error, string? Detail, DomainEvent? Told)> RunAsync(DbSession session, RegistryRequest request, long id, bool overwrites, CancellationToken ct)
    {
        // 1.
        if (await FindAsync(session, id, ct).ConfigureAwait(false) is not { } entry) return (null, OciError.ManifestUnknown, "it is not in the trash any more", null);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (await Rows.FindOrAddRepositoryAsync(session, entry.Repository, request.Rights.Seed, now, ct).ConfigureAwait(false) is not { } repositoryId)
            return (null, OciError.NameUnknown, $"the project of {entry.Repository} is gone", null);
        var tags = new List<string>();
        foreach (var tag in await SiblingsAsync(session, entry, ct).ConfigureAwait(false))
        {
            var at = await TextAsync(session, SelectTag, [repositoryId, tag], ct).ConfigureAwait(false);
            if (at is null || at == entry.Digest || (overwrites && tag == entry.Tag)) tags.Add(tag);
            else if (tag == entry.Tag) return (null, OciError.PreconditionFailed, $"the tag {tag} points to {at} now: restore with overwrite=true to move it", null);
        }

        // 2. and 3.
        var back = new Back(session, request, entry.Repository, repositoryId, now);
        var (error, detail, told) = await RestoreAsync(back, entry.Digest, tags, 0, ct).ConfigureAwait(false);
        if (error is not null) return (null, error, detail, told);
        return (new Restored(entry.Repository, entry.Digest, tags, back.Restored.Count), null, null, null);
    }

    private async Task<(OciError? Error, string? Detail, DomainEvent? Told)> RestoreAsync(Back back, string digest, IReadOnlyList<string> tags, int depth, CancellationToken ct)
    {
        if (depth > MaxDepth || !back.Seen.Add(digest)) return default;
        var kept = await ReadAsync(back.Session, back.Repository, digest, ct).ConfigureAwait(false);
        var content = kept ?? await ReadLiveAsync(back.Session, back.RepositoryId, digest, ct).ConfigureAwait(false);
        if (content is null) return depth == 0 ? (OciError.ManifestUnknown, $"{back.Repository}@{digest} is gone for good", null) : default;
        if (!ManifestReader.TryRead(content.Content, content.MediaType, out var document, out var problem)) throw new InvalidOperationException($"{back.Repository}@{digest} in the trash cannot be read: {problem}");

        foreach (var child in document.Manifests)
        {
            if (await RestoreAsync(back, child.Digest.Value, [], depth + 1, ct).ConfigureAwait(false) is { Error: not null } refusal) return refusal;
        }
        if (kept is not null || tags.Count > 0)
        {
            if (kept is not null) await back.Session.ExecuteAsync(LinkBlobs, [back.RepositoryId, kept.Id, back.Now], ct).ConfigureAwait(false);
            if (await WriteAsync(back, Digest.Parse(digest), document, content.Content, tags, ct).ConfigureAwait(false) is { Error: not null } refusal) return refusal;
            if (kept is not null) await AsItWasAsync(back, digest, kept, ct).ConfigureAwait(false);
        }
        foreach (var tag in tags.Append(null)) await TrashKeeper.TakeOutAsync(back.Session, back.Repository, digest, tag, ct).ConfigureAwait(false);

        // Referrers, and what older clients of cosign put under tags of their own.
        foreach (var referrer in await TextsAsync(back.Session, SelectReferrers, [back.Repository, digest], ct).ConfigureAwait(false))
        {
            if (await RestoreAsync(back, referrer, [], depth + 1, ct).ConfigureAwait(false) is { Error: not null } refusal) return refusal;
        }
        return await RestoreHelpersAsync(back, digest, depth, ct).ConfigureAwait(false);
    }

    private async Task<(OciError? Error, string? Detail, DomainEvent? Told)> RestoreHelpersAsync(Back back, string digest, int depth, CancellationToken ct)
    {
        var prefix = digest.Replace(':', '-');
        foreach (var tag in new[] { prefix, prefix + ".sig", prefix + ".att", prefix + ".sbom" })
        {
            if (await TextAsync(back.Session, SelectByTag, [back.Repository, tag], ct).ConfigureAwait(false) is not { } helper) continue;
            if (await TextAsync(back.Session, SelectTag, [back.RepositoryId, tag], ct).ConfigureAwait(false) is not null) continue;
            if (await RestoreAsync(back, helper, [tag], depth + 1, ct).ConfigureAwait(false) is { Error: not null } refusal) return refusal;
        }
        return default;
    }

    private async Task<(OciError? Error, string? Detail, DomainEvent? Told)> WriteAsync(
        Back back, Digest digest, ManifestDocument document, byte[] content, IReadOnlyList<string> tags, CancellationToken ct)
    {
        var change = new ManifestChange(digest, document, content, tags, new TagCondition(null, false));
        var outcome = await commit.WriteAsync(back.Session, ArtifactTargets.Writing(back.Request) with { KeepsNames = true }, change, targets.Pushed(back.Request, change), ct).ConfigureAwait(false);
        if (outcome.Error is { } error) return (error, outcome.Details.Count > 0 ? outcome.Details[0] : error.Message, outcome.AfterRollback);
        back.Restored.Add(digest.Value);
        return default;
    }

    // 4.
    private static async ValueTask AsItWasAsync(Back back, string digest, KeptManifest kept, CancellationToken ct)
    {
        await back.Session.ExecuteAsync(SetTimes, [back.RepositoryId, digest, kept.PushedAt, kept.CreatedAt, kept.PulledAt, kept.PullCount], ct).ConfigureAwait(false);
        await back.Session.ExecuteAsync(InsertLabels, [back.RepositoryId, digest, kept.Labels, back.Now], ct).ConfigureAwait(false);
    }

    private static async ValueTask<Entry?> FindAsync(DbSession session, long id, CancellationToken ct)
    {
        await using var row = await session.Command(SelectEntry, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? new Entry(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetInt64(3)) : null;
    }

    private static async ValueTask<List<string>> SiblingsAsync(DbSession session, Entry entry, CancellationToken ct) =>
        entry.Tag is null ? [] : await TextsAsync(session, SelectSiblings, [entry.Repository, entry.Digest, entry.DeletedAt], ct).ConfigureAwait(false);

    private static async ValueTask<KeptManifest?> ReadAsync(DbSession session, string repository, string digest, CancellationToken ct)
    {
        await using var row = await session.Command(SelectManifest, repository, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false)
            ? new KeptManifest(row.GetInt64(0), row.GetString(1), row.GetFieldValue<byte[]>(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetString(7))
            : null;
    }

    // A manifest that only lost a tag is still there.
    private static async ValueTask<KeptManifest?> ReadLiveAsync(DbSession session, long repositoryId, string digest, CancellationToken ct)
    {
        await using var row = await session.Command(SelectLive, repositoryId, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? new KeptManifest(0, row.GetString(0), row.GetFieldValue<byte[]>(1), 0, 0, 0, 0, "[]") : null;
    }

    private static async ValueTask<string?> TextAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct) =>
        await session.Command(statement, values).ExecuteScalarAsync(ct).ConfigureAwait(false) as string;

    private static async ValueTask<List<string>> TextsAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct)
    {
        var texts = new List<string>();
        await using var rows = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) texts.Add(rows.GetString(0));
        return texts;
    }

    private sealed record Entry(string Repository, string Digest, string? Tag, long DeletedAt);

    private sealed record KeptManifest(long Id, string MediaType, byte[] Content, long PushedAt, long CreatedAt, long PulledAt, long PullCount, string Labels);

    private sealed record Back(DbSession Session, RegistryRequest Request, string Repository, long RepositoryId, long Now)
    {
        public HashSet<string> Seen { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Restored { get; } = new(StringComparer.Ordinal);
    }

    private const string EntryOf = "SELECT repository, digest, tag, deleted_at FROM trash_entries WHERE id = @0";
    private static readonly Statement SelectEntry = new(EntryOf, EntryOf + " FOR UPDATE");
    private static readonly Statement SelectSiblings = new("SELECT tag FROM trash_entries WHERE repository = @0 AND digest = @1 AND deleted_at = @2 AND tag IS NOT NULL ORDER BY tag");

    private static readonly Statement SelectManifest = new("""
        SELECT id, media_type, content, pushed_at, created_at, pulled_at, pull_count, labels FROM trash_manifests WHERE repository = @0 AND digest = @1
        """);

    private static readonly Statement SelectLive = new("SELECT media_type, content FROM manifests WHERE repository_id = @0 AND digest = @1");
    private static readonly Statement SelectTag = new("SELECT m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @1");
    private static readonly Statement SelectReferrers = new("SELECT digest FROM trash_manifests WHERE repository = @0 AND subject = @1 AND subject IS NOT NULL ORDER BY id");
    private static readonly Statement SelectByTag = new("SELECT digest FROM trash_entries WHERE repository = @0 AND tag = @1 ORDER BY deleted_at DESC LIMIT 1");

    private static readonly Statement LinkBlobs = new("""
        INSERT INTO repository_blobs (repository_id, blob_id, linked_at) SELECT @0, blob_id, @2 FROM trash_blobs WHERE trash_manifest_id = @1 ORDER BY blob_id
        ON CONFLICT (repository_id, blob_id) DO UPDATE SET linked_at = excluded.linked_at
        """);

    private static readonly Statement SetTimes = new("""
        UPDATE manifests SET pushed_at = @2, created_at = @3, pulled_at = @4, pull_count = @5 WHERE repository_id = @0 AND digest = @1
        """);

    private static readonly Statement InsertLabels = new("""
        INSERT INTO manifest_labels (manifest_id, label_id, created_at)
        SELECT m.id, l.id, @3 FROM manifests m JOIN labels l ON l.id IN (SELECT value FROM json_each(@2)) WHERE m.repository_id = @0 AND m.digest = @1 ON CONFLICT DO NOTHING
        """, """
        INSERT INTO manifest_labels (manifest_id, label_id, created_at)
        SELECT m.id, l.id, @3 FROM manifests m JOIN labels l ON l.id IN (SELECT jsonb_array_elements_text(@2::jsonb)::bigint) WHERE m.repository_id = @0 AND m.digest = @1
        ON CONFLICT DO NOTHING
        """);
}
