using System.Data.Common;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>
/// What a repository or an artifact takes: all the bytes that it names, and those that nothing else of the project names, which its deletion would free for the quota.
/// Added up when it is asked for.
/// </summary>
internal sealed class UsageApi(Database database)
{
    private const string Repository = "/projects/{project_name}/repositories/{repository_name}";

    public static IEnumerable<ApiOperation> Operations(UsageApi api) =>
    [
        new("GET", Repository + "/usage", "getRepositoryUsage", "usage", ApiNeed.Project(ProjectPermissions.RepositoryRead), api.OfRepositoryAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Adds up the bytes of a repository, unique and shared.", Answer = typeof(UsageJson),
        },
        new("GET", Repository + "/artifacts/{reference}/usage", "getArtifactUsage", "usage", ApiNeed.Project(ProjectPermissions.ArtifactRead), api.OfArtifactAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Adds up the bytes of an artifact with its children, unique and shared.", Answer = typeof(UsageJson),
        },
    ];

    private async Task<ApiResult> OfRepositoryAsync(ApiCall call, CancellationToken ct)
    {
        var name = RepositoryPath.NameOf(call);
        var usage = await database.ReadAsync(name, static async (session, n, t) =>
            await RepositoryPath.FindAsync(session, n, t).ConfigureAwait(false) is { } repository
                ? await ReadAsync(session.Command(SelectOfRepository, repository.Id, repository.ProjectId), t).ConfigureAwait(false)
                : null, ct).ConfigureAwait(false);
        return usage is null ? ApiResult.NotFound($"repository {name} not found") : ApiResult.Ok(usage, ArtifactsJsonContext.Default.UsageJson);
    }

    private async Task<ApiResult> OfArtifactAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (repository, usage) = await database.ReadAsync((name, reference), static async (session, q, t) =>
        {
            var (path, row) = await ArtifactRows.FindAsync(session, q.name, q.reference, t).ConfigureAwait(false);
            return (path, row is null ? null : await ReadAsync(session.Command(SelectOfArtifact, row.Id, row.ProjectId), t).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        return usage is null ? ArtifactApi.NotFound(repository, name, reference) : ApiResult.Ok(usage, ArtifactsJsonContext.Default.UsageJson);
    }

    private static async ValueTask<UsageJson> ReadAsync(DbCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        var (manifests, manifestBytes, uniqueManifestBytes) = (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
        var (blobs, blobBytes, uniqueBlobBytes) = (row.GetInt64(3), row.GetInt64(4), row.GetInt64(5));
        var (total, unique) = (manifestBytes + blobBytes, uniqueManifestBytes + uniqueBlobBytes);
        return new UsageJson { TotalBytes = total, UniqueBytes = unique, SharedBytes = total - unique, BlobCount = blobs, ManifestCount = manifests };
    }

    // CROSS JOIN: SQLite keeps the order of the tables, which begins with the few rows; what it knows of the tables can make it begin with a million.
    // With manifests s(id, size, goes): those of the whole, and whether a deletion takes each along.
    private const string Sums = """
        , b AS (
            SELECT l.blob_id, SUM(CASE WHEN s.goes THEN 1 ELSE 0 END) AS n FROM s CROSS JOIN manifest_blobs l WHERE l.manifest_id = s.id GROUP BY l.blob_id),
        c AS (
            SELECT COUNT(*) AS blobs, SUM(x.size) AS bytes, SUM(CASE WHEN p.manifest_count <= b.n THEN x.size ELSE 0 END) AS freed
            FROM b CROSS JOIN blobs x CROSS JOIN project_blobs p WHERE x.id = b.blob_id AND p.project_id = @1 AND p.blob_id = b.blob_id)
        SELECT CAST((SELECT COUNT(*) FROM s) AS bigint), CAST((SELECT COALESCE(SUM(size), 0) FROM s) AS bigint),
            CAST((SELECT COALESCE(SUM(CASE WHEN goes THEN size ELSE 0 END), 0) FROM s) AS bigint),
            CAST(blobs AS bigint), CAST(COALESCE(bytes, 0) AS bigint), CAST(COALESCE(freed, 0) AS bigint) FROM c
        """;

    private static readonly Statement SelectOfRepository = new($"""
        WITH s AS (SELECT id, size, true AS goes FROM manifests WHERE repository_id = @0)
        {Sums}
        """);

    // A child that has a tag, or another index, stays when the artifact goes.
    private static readonly Statement SelectOfArtifact = new($"""
        WITH RECURSIVE t(id) AS (
            SELECT m.id FROM manifests m WHERE m.id = @0
            UNION SELECT d.id FROM t JOIN manifest_children l ON l.manifest_id = t.id JOIN manifests d ON d.repository_id = l.repository_id AND d.digest = l.child_digest),
        s AS (
            SELECT m.id, m.size, (m.id = @0 OR NOT EXISTS (SELECT 1 FROM tags g WHERE g.manifest_id = m.id) AND NOT EXISTS (
                SELECT 1 FROM manifest_children l WHERE l.repository_id = m.repository_id AND l.child_digest = m.digest
                    AND l.manifest_id NOT IN (SELECT id FROM t))) AS goes
            FROM t CROSS JOIN manifests m WHERE m.id = t.id)
        {Sums}
        """);
}
