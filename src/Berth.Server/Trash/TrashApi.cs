using System.Data.Common;
using System.Globalization;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Text;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Trash;

/// <summary>The trash of a project: what is in it, back again, gone for good, and for how long it keeps things.</summary>
internal sealed class TrashApi(Database database, TrashRestore restore, ArtifactTargets targets, DomainEvents events, TrashOptions options, TimeProvider time)
{
    private const string Path = "/projects/{project_name_or_id}/trash";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(TrashApi api) =>
    [
        new(HttpMethods.Get, Path, "listTrash", "trash", ApiNeed.Project(ProjectPermissions.RepositoryPush), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "What is in the trash, the latest first.", Answer = typeof(TrashJson), Query = ["before", "page_size", "repository"],
        },
        new(HttpMethods.Post, Path + "/{entry_id}/restore", "restoreTrash", "trash", ApiNeed.Project(ProjectPermissions.RepositoryPush), api.RestoreAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(RestoredJson), Query = ["overwrite"],
            Summary = "Brings an entry back with the tags that were deleted with it, what it lists and what is about it.",
        },
        new(HttpMethods.Delete, Path + "/{entry_id}", "purgeTrashEntry", "trash", ApiNeed.Project(ProjectPermissions.ProjectUpdate), api.PurgeAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Lets an entry go for good.",
        },
        new(HttpMethods.Delete, Path, "emptyTrash", "trash", ApiNeed.Project(ProjectPermissions.ProjectUpdate), api.EmptyAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Lets everything in the trash go for good.",
        },
        new(HttpMethods.Get, Path + "/window", "getTrashWindow", "trash", ApiNeed.Project(ProjectPermissions.MetadataRead), api.GetWindowAsync)
        {
            Surface = ApiSurface.Berth, Summary = "For how many days the project keeps what was deleted.", Answer = typeof(TrashWindowJson),
        },
        new(HttpMethods.Put, Path + "/window", "setTrashWindow", "trash", ApiNeed.Project(ProjectPermissions.MetadataUpdate), api.SetWindowAsync)
        {
            Surface = ApiSurface.Berth, Body = typeof(TrashWindowJson), Answer = typeof(TrashWindowJson),
            Summary = "Sets for how many days the project keeps what is deleted from now on: 0 for no trash, null as the installation.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal, 50)) return refusal!;
        var before = long.MaxValue;
        if (call.Query("before") is { Length: > 0 } text && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out before)) return ApiResult.BadRequest("before must be a number");
        var repository = call.Query("repository") is { Length: > 0 } name ? $"{call.Project!.Name}/{name}" : "";
        var entries = await database.ReadAsync((call.Project!.Id, before, page.Size, repository), static async (session, q, token) =>
        {
            var found = new List<TrashEntryJson>();
            await using var rows = await session.Command(SelectPage, q.Id, q.before, q.Size + 1L, q.repository).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false)) found.Add(JsonOf(rows));
            return found;
        }, ct).ConfigureAwait(false);
        var hasMore = entries.Count > page.Size;
        if (hasMore) entries.RemoveAt(page.Size);
        return ApiResult.Ok(new TrashJson { Items = entries, Next = hasMore ? entries[^1].Id : null }, TrashJsonContext.Default.TrashJson);
    }

    private async Task<ApiResult> RestoreAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("entry_id") is not { } id) return NotFound(call);
        var project = call.Project!;
        var found = await database.ReadAsync((project.Id, id), static async (session, q, token) =>
            await session.Command(SelectRepository, q.Id, q.id).ExecuteScalarAsync(token).ConfigureAwait(false) as string, ct).ConfigureAwait(false);
        if (found is not { } repository) return NotFound(call);
        var request = await targets.RequestAsync(call, project, repository, ProjectPermissions.RepositoryPush, ct).ConfigureAwait(false);
        if (!request.Rights.May(RepositoryAction.Push)) return ApiResult.Forbidden($"a rule of the project keeps {call.Caller.Name} from pushing to {repository}");
        var (done, error, detail, told) = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var outcome = await restore.RunAsync(session, request, id, call.Flag("overwrite"), token).ConfigureAwait(false);
            if (outcome.Error is not null) session.Rollback();
            else await RaiseAsync(session, call, "restore", $"restored {outcome.Done!.Repository}@{outcome.Done.Digest} {string.Join(", ", outcome.Done.Tags)}".TrimEnd(), token).ConfigureAwait(false);
            return outcome;
        }, ct).ConfigureAwait(false);
        if (told is not null) await events.RaiseAsync(told, ct).ConfigureAwait(false);
        return done is null
            ? ArtifactTargets.Answer(error!, detail ?? error!.Message)
            : ApiResult.Ok(new RestoredJson { Repository = done.Repository, Digest = done.Digest, Tags = done.Tags, Manifests = done.Manifests }, TrashJsonContext.Default.RestoredJson);
    }

    private async Task<ApiResult> PurgeAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("entry_id") is not { } id) return NotFound(call);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(SelectOne, [call.Project!.Id, id], token).ConfigureAwait(false) is null) return NotFound(call);
            await TrashPurge.PurgeAsync(session, [id], time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", $"purged entry {id} of the trash", token).ConfigureAwait(false);
            return ApiResult.NoContent;
        }, ct).ConfigureAwait(false);
    }

    // The purge itself takes as long as it takes: from here on everything is due.
    private async Task<ApiResult> EmptyAsync(ApiCall call, CancellationToken ct)
    {
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var count = await session.ExecuteAsync(SetDue, [call.Project!.Id, time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", $"emptied the trash: {count} entries", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Accepted();
    }

    private async Task<ApiResult> GetWindowAsync(ApiCall call, CancellationToken ct)
    {
        var days = await database.ReadAsync(call.Project!.Id, static (session, id, token) => session.ScalarAsync(SelectDays, [id], token), ct).ConfigureAwait(false);
        return ApiResult.Ok(new TrashWindowJson { Days = (int?)days, InForce = (int?)days ?? options.Days }, TrashJsonContext.Default.TrashWindowJson);
    }

    private async Task<ApiResult> SetWindowAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(TrashJsonContext.Default.TrashWindowJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (request.Days is < 0 or > TrashWindow.MaxDays) return ApiResult.BadRequest($"days must be between 0 and {TrashWindow.MaxDays}");
        var project = call.Project!;
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (request.Days is { } days) await session.ExecuteAsync(UpsertDays, [project.Id, days.ToString(CultureInfo.InvariantCulture)], token).ConfigureAwait(false);
            else await session.ExecuteAsync(DeleteDays, [project.Id], token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", $"trash of {project.Name}: {request.Days switch { null => "as the installation", 0 => "off", var n => $"{n} days" }}", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok(new TrashWindowJson { Days = request.Days, InForce = request.Days ?? options.Days }, TrashJsonContext.Default.TrashWindowJson);
    }

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string description, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "trash",
        Resource = call.Project!.Name,
        ProjectId = call.Project.Id,
        ProjectName = call.Project.Name,
        Actor = call.Actor,
        Description = description,
    }, ct);

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"the trash has no entry {call.Route("entry_id")}");

    private static TrashEntryJson JsonOf(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Repository = row.GetString(1),
        Digest = row.GetString(2),
        Tag = row.IsDBNull(3) ? null : row.GetString(3),
        Actor = row.GetString(4),
        DeletedAt = UtcText.Of(row.GetInt64(5)),
        PurgeAt = UtcText.Of(row.GetInt64(6)),
        SizeBytes = row.IsDBNull(7) ? null : row.GetInt64(7),
    };

    private static readonly Statement SelectPage = new("""
        SELECT e.id, e.repository, e.digest, e.tag, e.actor, e.deleted_at, e.purge_at, m.total_size FROM trash_entries e
        LEFT JOIN trash_manifests m ON m.repository = e.repository AND m.digest = e.digest
        WHERE e.project_id = @0 AND e.id < @1 AND (@3 = '' OR e.repository = @3) AND (e.tag IS NOT NULL OR m.id IS NOT NULL) ORDER BY e.id DESC LIMIT @2
        """);

    private static readonly Statement SelectRepository = new("SELECT repository FROM trash_entries WHERE project_id = @0 AND id = @1");
    private static readonly Statement SelectOne = new("SELECT id FROM trash_entries WHERE project_id = @0 AND id = @1");
    private static readonly Statement SetDue = new("UPDATE trash_entries SET purge_at = @1 WHERE project_id = @0 AND purge_at > @1");
    private static readonly Statement SelectDays = new($"SELECT CAST(value AS integer) FROM project_metadata WHERE project_id = @0 AND name = '{TrashWindow.Setting}'");
    private static readonly Statement DeleteDays = new($"DELETE FROM project_metadata WHERE project_id = @0 AND name = '{TrashWindow.Setting}'");

    private static readonly Statement UpsertDays = new($"""
        INSERT INTO project_metadata (project_id, name, value) VALUES (@0, '{TrashWindow.Setting}', @1) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value
        """);
}

/// <summary>A page of the trash.</summary>
public sealed record TrashJson
{
    public IReadOnlyList<TrashEntryJson> Items { get; init; } = [];

    /// <summary>Give it as <c>before</c> for the next page; null on the last.</summary>
    public long? Next { get; init; }
}

/// <summary>A deleted tag, or a deleted manifest without one.</summary>
public sealed record TrashEntryJson
{
    public long Id { get; init; }
    public string Repository { get; init; } = "";
    public string Digest { get; init; } = "";
    public string? Tag { get; init; }
    public string Actor { get; init; } = "";
    public string DeletedAt { get; init; } = "";

    /// <summary>When it goes for good.</summary>
    public string PurgeAt { get; init; } = "";

    /// <summary>Bytes of the manifest with its blobs; null where only the tag was deleted.</summary>
    public long? SizeBytes { get; init; }
}

/// <summary>What came back.</summary>
public sealed record RestoredJson
{
    public string Repository { get; init; } = "";
    public string Digest { get; init; } = "";
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Manifests that came back, what it lists and what is about it among them.</summary>
    public int Manifests { get; init; }
}

/// <summary>For how long the trash keeps things.</summary>
public sealed record TrashWindowJson
{
    /// <summary>What the project says: days, 0 for no trash, null as the installation.</summary>
    public int? Days { get; init; }

    /// <summary>What holds; read only.</summary>
    public int? InForce { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TrashJson))]
[JsonSerializable(typeof(RestoredJson))]
[JsonSerializable(typeof(TrashWindowJson))]
internal sealed partial class TrashJsonContext : JsonSerializerContext;
