using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Trash;

/// <summary>How long the trash of a project keeps what was deleted.</summary>
internal static class TrashWindow
{
    /// <summary>Name of the project's setting: a number of days, 0 for no trash.</summary>
    public const string Setting = "trash_days";

    /// <summary>Most days.</summary>
    public const int MaxDays = 3650;

    private const long DayMs = 24L * 60 * 60 * 1000;

    /// <summary>Days of a project; those of the installation where it says nothing.</summary>
    public static async ValueTask<int> DaysAsync(DbSession session, long projectId, int installation, CancellationToken ct) =>
        (int)(await session.ScalarAsync(Select, [projectId], ct).ConfigureAwait(false) ?? installation);

    /// <summary>When something that is deleted now goes for good, Unix milliseconds.</summary>
    public static long EndOf(long now, int days) => now + (days * DayMs);

    private static readonly Statement Select = new($"SELECT CAST(value AS integer) FROM project_metadata WHERE project_id = @0 AND name = '{Setting}'");
}

/// <summary>
/// Puts into the trash what is deleted, and takes out what is pushed again or belonged to a project that is gone; follows repositories and projects to new names. Always in the
/// transaction of what happens.
/// </summary>
internal sealed class TrashKeeper(TrashOptions options) : IDeletionKeeper, IRegistryEventWriter, IDomainEventWriter
{
    /// <inheritdoc/>
    public async ValueTask KeepAsync(DbSession session, DeletedContent content, CancellationToken ct)
    {
        var days = await TrashWindow.DaysAsync(session, content.ProjectId, options.Days, ct).ConfigureAwait(false);
        if (days == 0) return;
        await LockAsync(session, content.Repository, content.Digest, ct).ConfigureAwait(false);
        var end = TrashWindow.EndOf(content.At, days);
        if (content.IsManifest)
        {
            var labels = new List<long>();
            await using (var rows = await session.Command(SelectLabels, content.ManifestId).ExecuteReaderAsync(ct).ConfigureAwait(false))
            {
                while (await rows.ReadAsync(ct).ConfigureAwait(false)) labels.Add(rows.GetInt64(0));
            }
            await session.ExecuteAsync(DeleteGuards, [content.Repository, content.Digest], ct).ConfigureAwait(false);
            var id = await session.ScalarAsync(InsertManifest, [content.ManifestId, content.ProjectId, content.Repository, JsonSerializer.Serialize(labels)], ct).ConfigureAwait(false);
            await session.ExecuteAsync(InsertBlobs, [id, content.ManifestId], ct).ConfigureAwait(false);
            await session.ExecuteAsync(InsertGuards, [content.ManifestId, content.ProjectId, content.Repository, content.Actor, content.At, end], ct).ConfigureAwait(false);
        }
        foreach (var tag in content.Tags.Count == 0 ? [null] : content.Tags.Cast<string?>())
        {
            await session.ExecuteAsync(
                InsertEntry, [content.ProjectId, content.Repository, content.Digest, tag, content.Actor, content.At, end], ct).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => action == RegistryEventAction.Push;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        if (registryEvent.IsBlob || registryEvent.Action != RegistryEventAction.Push || registryEvent.Digest is not { } digest) return;
        // Most pushes are of something new: one look at an index.
        if (await session.ScalarAsync(SelectAny, [registryEvent.Repository, digest], ct).ConfigureAwait(false) is null) return;
        await TakeOutAsync(session, registryEvent.Repository, digest, registryEvent.Tag, ct).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, DomainEvent domainEvent, CancellationToken ct)
    {
        switch (domainEvent)
        {
            case { Operation: "delete", ResourceType: "project", ProjectId: { } project, IsSuccessful: true }:
                await session.ExecuteAsync(EndOfProject, [project], ct).ConfigureAwait(false);
                break;
            case { Operation: "rename", ResourceType: "repository", Detail: RenameDetail names, ProjectId: { } project }:
                await session.ExecuteAsync(MoveEntries, [names.From, names.To, project], ct).ConfigureAwait(false);
                await session.ExecuteAsync(DropSame, [names.From, names.To], ct).ConfigureAwait(false);
                await session.ExecuteAsync(MoveManifests, [names.From, names.To, project], ct).ConfigureAwait(false);
                break;
            case { Operation: "rename", ResourceType: "project", Detail: RenameDetail names, ProjectId: { } project }:
                await session.ExecuteAsync(RenameEntries, [project, names.To, (long)names.From.Length + 1], ct).ConfigureAwait(false);
                await session.ExecuteAsync(RenameManifests, [project, names.To, (long)names.From.Length + 1], ct).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>Whoever puts a thing into the trash and whoever lets go of it take turns, to the end of their transactions. On SQLite there is one writer anyway.</summary>
    internal static async ValueTask LockAsync(DbSession session, string repository, string digest, CancellationToken ct)
    {
        if (session.Kind == DatabaseKind.Postgres) await session.ExecuteAsync(LockThing, [$"{repository}@{digest}"], ct).ConfigureAwait(false);
    }

    /// <summary>The manifest is there again, and a tag with it: they are no longer in the trash. Its other tags are.</summary>
    internal static async ValueTask TakeOutAsync(DbSession session, string repository, string digest, string? tag, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteEntries, [repository, digest, tag ?? ""], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteManifest, [repository, digest], ct).ConfigureAwait(false);
    }

    private static readonly Statement SelectLabels = new("SELECT label_id FROM manifest_labels WHERE manifest_id = @0 ORDER BY label_id");

    // One of the same digest that was deleted before is the same.
    private static readonly Statement InsertManifest = new("""
        INSERT INTO trash_manifests (project_id, repository, digest, media_type, content, subject, total_size, pushed_at, created_at, pulled_at, pull_count, labels)
        SELECT @1, @2, digest, media_type, content, subject, total_size, pushed_at, created_at, pulled_at, pull_count, @3 FROM manifests WHERE id = @0
        ON CONFLICT (repository, digest) DO UPDATE SET project_id = excluded.project_id, labels = excluded.labels, pushed_at = excluded.pushed_at RETURNING id
        """);

    private static readonly Statement InsertBlobs = new(
        "INSERT INTO trash_blobs (trash_manifest_id, blob_id) SELECT @0, blob_id FROM manifest_blobs WHERE manifest_id = @1 ORDER BY blob_id ON CONFLICT DO NOTHING");

    private static readonly Statement InsertEntry = new("""
        INSERT INTO trash_entries (project_id, repository, digest, tag, actor, deleted_at, purge_at) VALUES (@0, @1, @2, @3, @4, @5, @6)
        """);

    // What it lists and what is about it stays as long as it can come back, although nothing live needs it any more: an entry without a deleted manifest, which no list shows.
    private static readonly Statement InsertGuards = new("""
        INSERT INTO trash_entries (project_id, repository, digest, tag, actor, deleted_at, purge_at)
        SELECT @1, @2, c.digest, NULL, @3, @4, @5 FROM (
            SELECT c.id, c.digest FROM manifest_children l JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest WHERE l.manifest_id = @0
            UNION SELECT c.id, c.digest FROM manifests d JOIN manifests c ON c.repository_id = d.repository_id AND c.subject = d.digest WHERE d.id = @0
        ) AS c
        WHERE NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = c.id)
        """);

    private static readonly Statement DeleteGuards = new("DELETE FROM trash_entries WHERE repository = @0 AND digest = @1 AND tag IS NULL");
    private static readonly Statement LockThing = new("SELECT @0", "SELECT pg_advisory_xact_lock(hashtextextended(@0, 1))");
    private static readonly Statement SelectAny = new("SELECT id FROM trash_entries WHERE repository = @0 AND digest = @1 LIMIT 1");
    private static readonly Statement DeleteEntries = new("DELETE FROM trash_entries WHERE repository = @0 AND digest = @1 AND (tag IS NULL OR tag = @2)");
    private static readonly Statement DeleteManifest = new("DELETE FROM trash_manifests WHERE repository = @0 AND digest = @1");
    private static readonly Statement EndOfProject = new("UPDATE trash_entries SET purge_at = 0 WHERE project_id = @0");
    private static readonly Statement MoveEntries = new("UPDATE trash_entries SET repository = @1, project_id = @2 WHERE repository = @0");
    // The same manifest may have been deleted under both names.
    private static readonly Statement DropSame = new("DELETE FROM trash_manifests WHERE repository = @0 AND digest IN (SELECT digest FROM trash_manifests WHERE repository = @1)");
    private static readonly Statement MoveManifests = new("UPDATE trash_manifests SET repository = @1, project_id = @2 WHERE repository = @0");
    private static readonly Statement RenameEntries = Rename("trash_entries");
    private static readonly Statement RenameManifests = Rename("trash_manifests");

    private static Statement Rename(string table) => new(
        $"UPDATE {table} SET repository = @1 || SUBSTR(repository, @2) WHERE project_id = @0", $"UPDATE {table} SET repository = @1 || SUBSTR(repository, @2::int) WHERE project_id = @0");
}
