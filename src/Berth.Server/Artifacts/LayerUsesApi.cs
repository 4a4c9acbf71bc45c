using System.Globalization;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Artifacts;

/// <summary>
/// What has a layer: 1. the blob, which the project of the path must name, or it is not known here, 2. manifests that name it, by their number, in whatever project, 3. but only
/// those of projects in which the caller may list artifacts.
/// </summary>
internal sealed class LayerUsesApi(Database database, ApiRights rights)
{
    /// <summary>Most manifests that one question looks at: those of other people's projects are passed over.</summary>
    private const int MaxSeen = 2_000;

    private const int Batch = 200;
    private const int MaxTags = 3;

    public static IEnumerable<ApiOperation> Operations(LayerUsesApi api) =>
    [
        new("GET", "/projects/{project_name}/blobs/{digest}/uses", "listLayerUses", "usage", ApiNeed.Project(ProjectPermissions.ArtifactList), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Artifacts that have a layer, in all projects that the caller may look into, by their number.", Answer = typeof(LayerUsesJson), Query = ["after", "page_size"],
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal, 50)) return refusal!;
        var after = 0L;
        if (call.Query("after") is { Length: > 0 } text && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out after)) return ApiResult.BadRequest("after must be a number");
        if (!Digest.TryParse(call.Route("digest"), out var digest)) return ApiResult.BadRequest("digest must be one, such as sha256:…");

        // 1.
        var blob = await database.ReadAsync((digest.Value, call.Project!.Id), static (session, q, token) => session.ScalarAsync(SelectBlob, [q.Value, q.Id], token), ct).ConfigureAwait(false);
        if (blob is null) return ApiResult.NotFound($"nothing in {call.Project.Name} has the layer {digest}");

        // 2. and 3.
        var (found, seen, projects) = (new List<Use>(), 0, new Dictionary<long, ProjectFacts?>());
        var hasMore = true;
        while (hasMore && found.Count <= page.Size && seen < MaxSeen)
        {
            var batch = await database.ReadAsync((blob.Value, after), static (session, q, token) => ReadAsync(session, q.Value, q.after, token), ct).ConfigureAwait(false);
            hasMore = batch.Count == Batch;
            foreach (var use in batch)
            {
                if (found.Count > page.Size) break;
                (after, seen) = (use.Id, seen + 1);
                if (await VisibleAsync(call, projects, use.ProjectId, ct).ConfigureAwait(false) is { } project) found.Add(use with { Project = project.Name });
            }
        }
        var next = found.Count > page.Size ? found[page.Size - 1].Id : hasMore ? after : (long?)null;
        if (found.Count > page.Size) found.RemoveAt(page.Size);
        var tags = await database.ReadAsync(found, static (session, uses, token) => TagsAsync(session, uses, token), ct).ConfigureAwait(false);
        return ApiResult.Ok(new LayerUsesJson { Items = [.. found.Select(u => JsonOf(u, tags))], Next = next }, ArtifactsJsonContext.Default.LayerUsesJson);
    }

    // The facts of a project that the caller may look into; asked once for each.
    private async ValueTask<ProjectFacts?> VisibleAsync(ApiCall call, Dictionary<long, ProjectFacts?> known, long id, CancellationToken ct)
    {
        if (known.TryGetValue(id, out var project)) return project;
        project = id == call.Project!.Id ? call.Project : await rights.FindProjectAsync(id, ct).ConfigureAwait(false);
        if (project is not null && !await call.MayAsync(project, ProjectPermissions.ArtifactList, ct).ConfigureAwait(false)) project = null;
        known.Add(id, project);
        return project;
    }

    private static async ValueTask<List<Use>> ReadAsync(DbSession session, long blob, long after, CancellationToken ct)
    {
        var found = new List<Use>();
        await using var rows = await session.Command(SelectUses, blob, after, (long)Batch).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(new Use(rows.GetInt64(0), rows.GetInt64(1), "", rows.GetString(2), rows.GetString(3), rows.GetInt64(4), rows.GetInt64(5)));
        return found;
    }

    private static async ValueTask<ILookup<long, string>> TagsAsync(DbSession session, List<Use> uses, CancellationToken ct)
    {
        var found = new List<(long Manifest, string Tag)>();
        await using var rows = await session.Command(SelectTags, JsonSerializer.Serialize(uses.Select(u => u.Id)), (long)MaxTags).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetString(1)));
        return found.ToLookup(t => t.Manifest, t => t.Tag);
    }

    private static LayerUseJson JsonOf(Use use, ILookup<long, string> tags) => new()
    {
        Project = use.Project,
        Repository = use.Repository,
        Digest = use.Digest,
        Tags = [.. tags[use.Id]],
        Size = use.Size,
        PushTime = HarborTime.Of(use.PushedAt),
    };

    private sealed record Use(long Id, long ProjectId, string Project, string Repository, string Digest, long Size, long PushedAt);

    private static readonly Statement SelectBlob = new("SELECT b.id FROM blobs b JOIN project_blobs p ON p.project_id = @1 AND p.blob_id = b.id WHERE b.digest = @0");

    private static readonly Statement SelectUses = new("""
        SELECT m.id, r.project_id, r.name, m.digest, m.total_size, m.pushed_at FROM manifest_blobs l JOIN manifests m ON m.id = l.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE l.blob_id = @0 AND l.manifest_id > @1 ORDER BY l.manifest_id LIMIT @2
        """);

    // The first tags of each by name.
    private static readonly Statement SelectTags = new("""
        SELECT t.manifest_id, t.name FROM (SELECT manifest_id, name, row_number() OVER (PARTITION BY manifest_id ORDER BY name) AS n FROM tags WHERE manifest_id IN (SELECT value FROM json_each(@0))) t
        WHERE t.n <= @1 ORDER BY t.manifest_id, t.name
        """, """
        SELECT t.manifest_id, t.name FROM (
            SELECT manifest_id, name, row_number() OVER (PARTITION BY manifest_id ORDER BY name) AS n FROM tags WHERE manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))) t
        WHERE t.n <= @1 ORDER BY t.manifest_id, t.name
        """);
}

/// <summary>Artifacts that have a layer.</summary>
public sealed record LayerUsesJson
{
    public IReadOnlyList<LayerUseJson> Items { get; init; } = [];

    /// <summary>Give it as <c>after</c> for the next page; null on the last. A page may be shorter than was asked for.</summary>
    public long? Next { get; init; }
}

/// <summary>An artifact that has a layer.</summary>
public sealed record LayerUseJson
{
    public string Project { get; init; } = "";

    /// <summary>Full name.</summary>
    public string Repository { get; init; } = "";

    public string Digest { get; init; } = "";

    /// <summary>The first of its tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Bytes of the artifact.</summary>
    public long Size { get; init; }

    public string PushTime { get; init; } = "";
}
