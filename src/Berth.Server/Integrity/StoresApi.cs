using System.Globalization;
using System.Text.Json;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Storage;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Integrity;

/// <summary>What lies in which blob store, and moves between them.</summary>
internal sealed class StoresApi(Database database, BlobStores stores, JobQueue queue, DomainEvents events, TimeProvider time)
{
    private const string Moves = "/stores/moves";
    private const string OneMove = Moves + "/{move_id}";
    private const int MaxProjects = 1000;

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(StoresApi api) => new ApiOperation[]
    {
        new(HttpMethods.Get, "/stores", "listStores", "stores", ApiNeed.Admin, api.ListAsync) { Answer = typeof(StoreJson), IsList = true, Summary = "Blobs and bytes of each blob store." },
        new(HttpMethods.Post, Moves, "moveStore", "stores", ApiNeed.Admin, api.MoveAsync)
        {
            Body = typeof(StoreMoveRequest), Answer = typeof(StoreMoveJson),
            Summary = "Moves blobs from one store to another in the background; from = to encrypts or decrypts after encryption was switched.",
        },
        new(HttpMethods.Get, Moves, "listStoreMoves", "stores", ApiNeed.Admin, api.ListMovesAsync) { Answer = typeof(StoreMoveJson), IsList = true, Summary = "Moves, the newest first." },
        new(HttpMethods.Get, OneMove, "getStoreMove", "stores", ApiNeed.Admin, api.GetMoveAsync) { Answer = typeof(StoreMoveJson), Summary = "How far a move is." },
        new(HttpMethods.Delete, OneMove, "stopStoreMove", "stores", ApiNeed.Admin, api.StopAsync) { Summary = "Stops a move; what is moved stays moved." },
    }.Select(o => o with { Surface = ApiSurface.Berth });

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        var used = await database.ReadAsync(0, static async (session, _, token) =>
        {
            var found = new List<StoreJson>();
            await using var rows = await session.Command(SelectUsage).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false))
                found.Add(new StoreJson { Name = rows.GetString(0), Blobs = rows.GetInt64(1), Bytes = rows.GetInt64(2), EncryptedBlobs = rows.GetInt64(3), QuarantinedBlobs = rows.GetInt64(4) });
            return found;
        }, ct).ConfigureAwait(false);
        var all = used.Select(s => s with { IsConfigured = stores.Has(s.Name) })
            .Concat(stores.Names.Where(name => used.All(s => s.Name != name)).Select(name => new StoreJson { Name = name, IsConfigured = true }))
            .OrderBy(s => s.Name, StringComparer.Ordinal).ToArray();
        return ApiResult.List(all, all.Length, IntegrityJson.Default.StoreJsonArray);
    }

    private async Task<ApiResult> MoveAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, move, refusal) = await call.ReadAsync(IntegrityJson.Default.StoreMoveRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        foreach (var name in new[] { move.From, move.To })
        {
            if (!stores.Has(name)) return ApiResult.BadRequest($"there is no store \"{name}\" in the settings: they have {string.Join(", ", stores.Names)}");
        }
        if (move.Projects?.Count > MaxProjects) return ApiResult.BadRequest($"at most {MaxProjects} projects can be named");
        var job = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var added = await queue.EnqueueAsync(session, NewJob.Of(StoreMoveJob.JobKind, move, IntegrityJson.Default.StoreMoveRequest) with { GroupKey = StoreMoveJob.JobKind, MaxAttempts = StoreMoveJob.MaxAttempts }, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "move", move.From, $"move blobs from store {move.From} to {move.To}", token).ConfigureAwait(false);
            return await JobViews.FindAsync(session, added.Id, token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        return ApiResult.Created($"/api/berth/v1{Moves}/{job!.Id.ToString(CultureInfo.InvariantCulture)}", ViewOf(job), IntegrityJson.Default.StoreMoveJson);
    }

    private async Task<ApiResult> ListMovesAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var filter = new JobFilter { Kind = StoreMoveJob.JobKind };
        var (jobs, total) = await database.ReadAsync((filter, page), static async (session, q, token) => (
            await JobViews.ListAsync(session, q.filter, q.page.Offset, q.page.Size, token).ConfigureAwait(false),
            await JobViews.CountAsync(session, q.filter, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List([.. jobs.Select(ViewOf)], total, IntegrityJson.Default.StoreMoveJsonArray);
    }

    private async Task<ApiResult> GetMoveAsync(ApiCall call, CancellationToken ct) =>
        await FindAsync(call, ct).ConfigureAwait(false) is { } job ? ApiResult.Ok(ViewOf(job), IntegrityJson.Default.StoreMoveJson) : NotFound(call);

    private async Task<ApiResult> StopAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } job) return NotFound(call);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await queue.CancelAsync(session, job.Id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "stop", job.Id.ToString(CultureInfo.InvariantCulture), $"stop move {job.Id} between stores", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private async ValueTask<Job?> FindAsync(ApiCall call, CancellationToken ct) =>
        call.RouteNumber("move_id") is { } id
        && await database.ReadAsync(id, static async (session, i, token) => await JobViews.FindAsync(session, i, token).ConfigureAwait(false), ct).ConfigureAwait(false) is { Kind: StoreMoveJob.JobKind } job ? job : null;

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string resource, string description, CancellationToken ct) =>
        events.RaiseAsync(session, new DomainEvent { Operation = operation, ResourceType = "store", Resource = resource, Actor = call.Actor, Description = description }, ct);

    private StoreMoveJson ViewOf(Job job)
    {
        var move = JsonSerializer.Deserialize(job.Payload, IntegrityJson.Default.StoreMoveRequest)!;
        var result = job.Result is null ? null : JsonSerializer.Deserialize(job.Result, IntegrityJson.Default.StoreMoveResult);
        return new StoreMoveJson
        {
            Id = job.Id,
            From = move.From,
            To = move.To,
            Projects = move.Projects,
            Status = JobWords.StatusOf(job, time.GetUtcNow()),
            ProgressPercent = job.ProgressPercent,
            Progress = job.ProgressText,
            Error = job.Error,
            Moved = result?.Moved ?? 0,
            MovedBytes = result?.MovedBytes ?? 0,
            Bad = result?.Bad ?? 0,
            Failed = result?.Failed ?? 0,
        };
    }

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"move {call.Route("move_id")} not found");

    private static readonly Statement SelectUsage = new("""
        SELECT store, count(*), CAST(coalesce(sum(size), 0) AS bigint), count(CASE WHEN key LIKE 'e1-%' THEN 1 END), count(quarantined_at) FROM blobs GROUP BY store
        """);
}

/// <summary>A blob store.</summary>
public sealed record StoreJson
{
    /// <summary>Its name in the settings; <c>default</c> is that of the section <c>storage</c> itself.</summary>
    public string Name { get; init; } = "";

    /// <summary>Whether the settings have it.</summary>
    public bool IsConfigured { get; init; }

    /// <summary>Blobs that lie in it.</summary>
    public long Blobs { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Of the blobs, encrypted ones.</summary>
    public long EncryptedBlobs { get; init; }

    /// <summary>Of the blobs, those in quarantine.</summary>
    public long QuarantinedBlobs { get; init; }
}

/// <summary>A move of blobs between stores.</summary>
public sealed record StoreMoveJson
{
    public long Id { get; init; }

    public string From { get; init; } = "";

    public string To { get; init; } = "";

    public IReadOnlyList<string>? Projects { get; init; }

    /// <summary>As the states of other jobs.</summary>
    public string Status { get; init; } = "";

    public int? ProgressPercent { get; init; }

    /// <summary>A sentence for people.</summary>
    public string? Progress { get; init; }

    /// <summary>Why its last try failed.</summary>
    public string? Error { get; init; }

    /// <summary>Blobs moved by its last try, at the end.</summary>
    public long Moved { get; init; }

    /// <summary>Their bytes.</summary>
    public long MovedBytes { get; init; }

    /// <summary>Blobs that were quarantined instead.</summary>
    public long Bad { get; init; }

    /// <summary>Blobs that its last try could not move since a store failed; the next one does.</summary>
    public long Failed { get; init; }
}
