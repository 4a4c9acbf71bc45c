using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Text;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Lifecycle;

/// <summary>
/// The archive: what is in it does not go, not by rules, not by expiry, not by hand; it may be withheld, so that nobody pulls it until it is reactivated. A replica that has just served a manifest
/// believes for some seconds that it still may.
/// </summary>
internal sealed class ArchiveApi(Database database, ContentCache cache, DomainEvents events, TimeProvider time)
{
    private const string Path = "/projects/{project_name_or_id}/repositories/{repository_name}/artifacts/{reference}/archive";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ArchiveApi api) =>
    [
        new(HttpMethods.Get, Path, "getArchive", "lifecycle", ApiNeed.Project(ProjectPermissions.ArtifactRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Whether an artifact is archived.", Answer = typeof(ArchiveJson),
        },
        new(HttpMethods.Put, Path, "archiveArtifact", "lifecycle", ApiNeed.Project(ProjectPermissions.ImmutableTagUpdate), api.SetAsync)
        {
            Surface = ApiSurface.Berth, Body = typeof(ArchiveJson), Answer = typeof(ArchiveJson),
            Summary = "Archives an artifact: neither rules nor expiry nor people delete it or its tags; with withheld nobody pulls it either, until it is set again without.",
        },
        new(HttpMethods.Delete, Path, "unarchiveArtifact", "lifecycle", ApiNeed.Project(ProjectPermissions.ImmutableTagUpdate), api.ClearAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Takes an artifact out of the archive.",
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (repository, row, state) = await database.ReadAsync((name, reference), static async (session, q, token) =>
        {
            var (path, found) = await ArtifactRows.FindAsync(session, q.name, q.reference, token).ConfigureAwait(false);
            return (path, found, found is null ? null : await ReadAsync(session, found.Id, token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        return row is null ? ArtifactApi.NotFound(repository, name, reference) : ApiResult.Ok(state!, LifecycleJson.Default.ArchiveJson);
    }

    private async Task<ApiResult> SetAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(LifecycleJson.Default.ArchiveJson, ct).ConfigureAwait(false);
        return isRead ? await ChangeAsync(call, body.Withheld ? ArchiveState.Withheld : ArchiveState.Archived, ct).ConfigureAwait(false) : refusal!;
    }

    private Task<ApiResult> ClearAsync(ApiCall call, CancellationToken ct) => ChangeAsync(call, ArchiveState.None, ct);

    private async Task<ApiResult> ChangeAsync(ApiCall call, ArchiveState state, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var (repository, row) = await ArtifactRows.FindAsync(session, name, reference, token).ConfigureAwait(false);
            if (row is null) return ArtifactApi.NotFound(repository, name, reference);
            if (row.AccessoryKind is not null) return ApiResult.Fail(ArtifactTargets.Denied, "what belongs to another artifact is kept with it: archive that");
            await SetAsync(session, row, state, token).ConfigureAwait(false);
            await events.ByAsync(
                session, call, state == ArchiveState.None ? "unarchive" : "archive", "artifact", $"{row.Repository}@{row.Digest}",
                state switch { ArchiveState.None => "taken out of the archive", ArchiveState.Withheld => "archived, and withheld from pulls", _ => "archived" }, token).ConfigureAwait(false);
            return state == ArchiveState.None ? ApiResult.NoContent : ApiResult.Ok((await ReadAsync(session, row.Id, token).ConfigureAwait(false))!, LifecycleJson.Default.ArchiveJson);
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Sets the state of a manifest, for whoever is in a transaction: its tags do not expire while it is archived; out of the archive it has not the stage of that name either.</summary>
    internal async ValueTask SetAsync(DbSession session, ArtifactRow row, ArchiveState state, CancellationToken ct)
    {
        await Rows.LockRepositoryAsync(session, row.RepositoryId, ct).ConfigureAwait(false);
        await session.ExecuteAsync(Update, [row.Id, (int)state, state == ArchiveState.None ? null : time.GetUtcNow().ToUnixTimeMilliseconds()], ct).ConfigureAwait(false);
        if (state != ArchiveState.None) await session.ExecuteAsync(ClearExpiry, [row.Id], ct).ConfigureAwait(false);
        else await Stages.RemoveAsync(session, row.Id, Stages.Archived, ct).ConfigureAwait(false);
        session.AfterCommit(() => cache.RemoveManifest(row.Repository, Digest.Parse(row.Digest)));
    }

    /// <summary>The state of a manifest.</summary>
    internal static async ValueTask<ArchiveJson?> ReadAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        await using var row = await session.Command(Select, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        var state = (ArchiveState)row.GetInt32(0);
        return new ArchiveJson { Archived = state != ArchiveState.None, Withheld = state == ArchiveState.Withheld, ArchivedAt = row.IsDBNull(1) ? null : UtcText.Of(row.GetInt64(1)) };
    }
    private static readonly Statement Select = new("SELECT archive, archived_at FROM manifests WHERE id = @0");
    private static readonly Statement Update = new("UPDATE manifests SET archive = @1, archived_at = CASE WHEN archive <> 0 AND @1 <> 0 THEN archived_at ELSE @2 END WHERE id = @0");
    private static readonly Statement ClearExpiry = new("UPDATE tags SET expires_at = NULL, is_expiry_told = FALSE WHERE manifest_id = @0 AND expires_at IS NOT NULL");
}

/// <summary>Whether an artifact is archived.</summary>
public sealed record ArchiveJson
{
    /// <summary>Read only: setting it archives.</summary>
    public bool Archived { get; init; }

    /// <summary>Nobody pulls it until it is set again without this.</summary>
    public bool Withheld { get; init; }

    /// <summary>Since when; read only.</summary>
    public string? ArchivedAt { get; init; }
}
