using System.Data.Common;
using System.Text.Json;
using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>What a caller wants to see of artifacts beside their rows.</summary>
internal readonly record struct ArtifactParts(bool Tags, bool Labels, bool Accessories, bool ImmutableStatus, bool ScanOverview = false, bool SbomOverview = false)
{
    /// <summary>Whether an overview is wanted.</summary>
    public bool Wants(ArtifactOverview about) => about == ArtifactOverview.Scan ? ScanOverview : SbomOverview;
}

/// <summary>Puts rows together with their tags, labels, accessories and references: one query a part for a whole page.</summary>
internal sealed class ArtifactAssembly(Database database, ArtifactDetails details, IEnumerable<IArtifactOverviews> overviews)
{
    private readonly IArtifactOverviews[] _overviews = [.. overviews];

    /// <summary>The artifacts of ids, in their order.</summary>
    public async Task<IReadOnlyList<ArtifactJson>> ReadAsync(IReadOnlyList<long> ids, ArtifactParts parts, CancellationToken ct)
    {
        if (ids.Count == 0) return [];
        var rows = await database.ReadAsync(ids, static (s, all, t) => ArtifactRows.ReadAsync(s, all, t), ct).ConfigureAwait(false);
        var filled = await details.FillAsync(rows, ct).ConfigureAwait(false);
        var artifacts = await database.ReadAsync((filled, parts), static (s, q, t) => PutTogetherAsync(s, q.filled, q.parts, t), ct).ConfigureAwait(false);
        foreach (var source in _overviews.Where(source => parts.Wants(source.About)))
        {
            var found = await database.ReadAsync((source, ids), static (s, q, t) => q.source.ReadAsync(s, q.ids, t), ct).ConfigureAwait(false);
            artifacts = [.. artifacts.Select(artifact => found.TryGetValue(artifact.Id, out var overview) ? With(artifact, source.About, overview) : artifact)];
        }
        return artifacts;
    }

    private static ArtifactJson With(ArtifactJson artifact, ArtifactOverview about, RawJson overview) =>
        about == ArtifactOverview.Scan ? artifact with { ScanOverview = overview } : artifact with { SbomOverview = overview };

    private static async ValueTask<IReadOnlyList<ArtifactJson>> PutTogetherAsync(DbSession session, IReadOnlyList<ArtifactRow> rows, ArtifactParts parts, CancellationToken ct)
    {
        var ids = JsonSerializer.Serialize(rows.Select(r => r.Id));
        var tags = parts.Tags ? await TagsAsync(session, rows, ids, parts.ImmutableStatus, ct).ConfigureAwait(false) : null;
        var labels = parts.Labels ? await LabelsAsync(session, ids, ct).ConfigureAwait(false) : null;
        var accessories = parts.Accessories ? await Accessories.ReadAsync(session, rows, ct).ConfigureAwait(false) : null;
        var artifacts = new List<ArtifactJson>(rows.Count);
        foreach (var row in rows)
        {
            var (extra, references) = await ReadDetailsAsync(session, row, ct).ConfigureAwait(false);
            artifacts.Add(new ArtifactJson
            {
                Id = row.Id,
                Type = row.Kind,
                MediaType = row.ConfigType,
                ManifestMediaType = row.MediaType,
                ArtifactType = row.ArtifactType,
                ProjectId = row.ProjectId,
                RepositoryId = row.RepositoryId,
                RepositoryName = row.Repository,
                Digest = row.Digest,
                Size = row.TotalSize,
                Icon = Icons.DigestOf(row.Kind),
                PushTime = HarborTime.Of(row.PushedAt),
                PullTime = HarborTime.Of(row.PulledAt),
                ExtraAttrs = extra,
                Annotations = row.Annotations is { } annotations ? new RawJson(annotations) : null,
                References = references,
                Tags = tags?.GetValueOrDefault(row.Id),
                AdditionLinks = ArtifactAdditions.LinksOf(row),
                Labels = labels?.GetValueOrDefault(row.Id),
                Accessories = accessories?.GetValueOrDefault(row.Id),
                Archive = row.Archive switch { ArchiveState.Archived => "archived", ArchiveState.Withheld => "withheld", _ => null },
            });
        }
        return artifacts;
    }

    private static async ValueTask<Dictionary<long, List<TagJson>>> TagsAsync(
        DbSession session, IReadOnlyList<ArtifactRow> rows, string ids, bool withImmutableStatus, CancellationToken ct)
    {
        var found = new Dictionary<long, List<TagJson>>();
        await using (var reader = await session.Command(SelectTags, ids).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false))
            {
                var tag = Tag(reader);
                if (!found.TryGetValue(tag.ArtifactId, out var list)) found.Add(tag.ArtifactId, list = []);
                list.Add(tag);
            }
        }
        if (!withImmutableStatus) return found;
        foreach (var row in rows)
        {
            if (found.TryGetValue(row.Id, out var list)) found[row.Id] = await WithImmutableStatusAsync(session, row.ProjectId, row.Repository, list, ct).ConfigureAwait(false);
        }
        return found;
    }

    /// <summary>Tags with whether a rule of the project makes them immutable.</summary>
    public static async ValueTask<List<TagJson>> WithImmutableStatusAsync(DbSession session, long projectId, string repository, List<TagJson> tags, CancellationToken ct)
    {
        var marked = new List<TagJson>(tags.Count);
        foreach (var tag in tags)
        {
            var isImmutable = await ImmutableTags.IsImmutableAsync(session, projectId, ProjectName.WithoutProject(repository), tag.Name, ct).ConfigureAwait(false);
            marked.Add(isImmutable ? tag with { Immutable = true } : tag);
        }
        return marked;
    }

    /// <summary>A tag of a row with manifest, repository, name, time of the last move, time of the last pull and end.</summary>
    public static TagJson Tag(DbDataReader row) => new()
    {
        Id = TagIds.Of(row.GetInt64(1), row.GetString(2)),
        ArtifactId = row.GetInt64(0),
        RepositoryId = row.GetInt64(1),
        Name = row.GetString(2),
        PushTime = HarborTime.Of(row.GetInt64(3)),
        PullTime = HarborTime.Of(row.IsDBNull(4) ? null : row.GetInt64(4)),
        ExpiresAt = row.IsDBNull(5) ? null : UtcText.Of(row.GetInt64(5)),
    };

    private static async ValueTask<Dictionary<long, List<ArtifactLabelJson>>> LabelsAsync(DbSession session, string ids, CancellationToken ct)
    {
        var found = new Dictionary<long, List<ArtifactLabelJson>>();
        await using var reader = await session.Command(SelectLabels, ids).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!found.TryGetValue(reader.GetInt64(0), out var list)) found.Add(reader.GetInt64(0), list = []);
            list.Add(new ArtifactLabelJson
            {
                Id = reader.GetInt64(1),
                Name = reader.GetString(2),
                Description = reader.GetString(3),
                Color = reader.GetString(4),
                Scope = reader.IsDBNull(5) ? "g" : "p",
                ProjectId = reader.IsDBNull(5) ? null : reader.GetInt64(5),
                CreationTime = HarborTime.Of(reader.GetInt64(6)),
                UpdateTime = HarborTime.Of(reader.GetInt64(7)),
            });
        }
        return found;
    }

    private static async ValueTask<(RawJson? Extra, IReadOnlyList<ReferenceJson>? References)> ReadDetailsAsync(DbSession session, ArtifactRow row, CancellationToken ct)
    {
        if (row.Details is null or "{}") return (null, null);
        using var document = JsonDocument.Parse(row.Details);
        var extra = document.RootElement.TryGetProperty("extra_attrs", out var value) ? new RawJson(value.GetRawText()) : null;
        if (!document.RootElement.TryGetProperty("references", out var entries)) return (extra, null);
        var ids = await ChildIdsAsync(session, row, ct).ConfigureAwait(false);
        var references = new List<ReferenceJson>();
        foreach (var entry in entries.EnumerateArray())
        {
            var digest = entry.GetProperty("child_digest").GetString() ?? "";
            references.Add(new ReferenceJson
            {
                ParentId = row.Id,
                ChildId = ids.GetValueOrDefault(digest),
                ChildDigest = digest,
                Platform = Raw(entry, "platform"),
                Annotations = Raw(entry, "annotations"),
                Urls = Raw(entry, "urls"),
            });
        }
        return (extra, references);
    }

    private static async ValueTask<Dictionary<string, long>> ChildIdsAsync(DbSession session, ArtifactRow row, CancellationToken ct)
    {
        var ids = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var reader = await session.Command(SelectChildren, row.Id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) ids[reader.GetString(0)] = reader.GetInt64(1);
        return ids;
    }

    private static RawJson? Raw(JsonElement from, string name) => from.TryGetProperty(name, out var value) ? new RawJson(value.GetRawText()) : null;

    // Lock 8 keeps a tag out of lists (TagLocks.List).
    private static readonly Statement SelectTags = new("""
        SELECT t.manifest_id, t.repository_id, t.name, t.updated_at, t.pulled_at, t.expires_at FROM json_each(@0) j JOIN tags t ON t.manifest_id = j.value
        WHERE (t.locks & 8) = 0 ORDER BY t.updated_at DESC, t.name DESC
        """, """
        SELECT t.manifest_id, t.repository_id, t.name, t.updated_at, t.pulled_at, t.expires_at FROM tags t
        WHERE t.manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint)) AND (t.locks & 8) = 0
        ORDER BY t.updated_at DESC, t.name DESC
        """);

    private static readonly Statement SelectLabels = new("""
        SELECT l.manifest_id, b.id, b.name, b.description, b.color, b.project_id, b.created_at, b.updated_at
        FROM json_each(@0) j JOIN manifest_labels l ON l.manifest_id = j.value JOIN labels b ON b.id = l.label_id ORDER BY b.id
        """, """
        SELECT l.manifest_id, b.id, b.name, b.description, b.color, b.project_id, b.created_at, b.updated_at
        FROM manifest_labels l JOIN labels b ON b.id = l.label_id
        WHERE l.manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint)) ORDER BY b.id
        """);

    private static readonly Statement SelectChildren = new("""
        SELECT c.digest, c.id FROM manifest_children l JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest WHERE l.manifest_id = @0
        """);
}

/// <summary>Numbers of tags for clients that expect one: tags are found by name, and the number is made from repository and name.</summary>
internal static class TagIds
{
    /// <summary>The same for the same name in the same repository; 53 bits, which JavaScript can hold.</summary>
    public static long Of(long repositoryId, string name)
    {
        // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), which stays the same over processes and versions.
        var hash = 14695981039346656037UL ^ (ulong)repositoryId;
        foreach (var c in name) hash = (hash ^ c) * 1099511628211UL;
        return (long)((hash ^ (hash >> 53)) & ((1UL << 53) - 1));
    }
}
