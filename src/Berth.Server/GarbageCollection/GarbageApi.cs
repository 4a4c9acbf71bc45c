using System.Globalization;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Text;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.GarbageCollection;

/// <summary>What garbage collection knows: what is due, why something is there, whose bytes are whose, and how long projects keep untagged manifests.</summary>
internal sealed class GarbageApi(Database database, GarbagePreview preview, RememberedUsage usage, WhyKept why, UntaggedSweep untagged, GarbageOptions options, DomainEvents events)
{
    private const string Project = "/projects/{project_name_or_id}";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(GarbageApi api) =>
    [
        new(HttpMethods.Get, "/gc", "getGarbage", "gc", ApiNeed.System(SystemPermissions.GarbageCollectionRead), api.StatusAsync)
        {
            Surface = ApiSurface.Berth, Summary = "What a collection would remove now, to the byte, and what waits.", Answer = typeof(GarbageStatusJson),
        },
        new(HttpMethods.Get, "/gc/why", "whyKept", "gc", ApiNeed.System(SystemPermissions.GarbageCollectionRead), api.WhyAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Why a blob or manifest is still there, or when it goes.", Answer = typeof(KeptJson), Query = ["digest"],
        },
        new(HttpMethods.Get, "/usage", "getUsage", "gc", ApiNeed.System(SystemPermissions.GarbageCollectionRead), api.UsageAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Bytes in the blob stores; with max_age, added up that many seconds ago at the most.", Answer = typeof(StorageUsageJson), Query = ["max_age"],
        },
        new(HttpMethods.Get, Project + "/usage", "getProjectUsage", "gc", ApiNeed.Project(ProjectPermissions.QuotaRead), api.ProjectUsageAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Bytes that only this project names, and those that it shares; with max_age, added up that many seconds ago at the most.", Answer = typeof(StorageUsageJson),
            Query = ["max_age"],
        },
        new(HttpMethods.Get, Project + "/untagged", "getUntaggedRule", "gc", ApiNeed.Project(ProjectPermissions.MetadataRead), api.GetUntaggedAsync)
        {
            Surface = ApiSurface.Berth, Summary = "How long the project keeps manifests without a tag.", Answer = typeof(UntaggedJson),
        },
        new(HttpMethods.Put, Project + "/untagged", "setUntaggedRule", "gc", ApiNeed.Project(ProjectPermissions.MetadataUpdate), api.SetUntaggedAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Sets for how many days the project keeps manifests without a tag: -1 for ever, null as the installation does.",
            Body = typeof(UntaggedJson), Answer = typeof(UntaggedJson),
        },
    ];

    private async Task<ApiResult> StatusAsync(ApiCall call, CancellationToken ct)
    {
        var due = await database.ReadAsync(preview, static (session, p, token) => p.ReadAsync(session, token), ct).ConfigureAwait(false);
        return ApiResult.Ok(new GarbageStatusJson
        {
            DueManifests = due.Manifests,
            DueBlobs = due.Blobs,
            DueBytes = due.Bytes,
            PendingRemovals = due.PendingRemovals,
            PendingBytes = due.PendingBytes,
            Waiting = due.Waiting,
            OldestSince = due.OldestSince is { } since ? UtcText.Of(since) : null,
            DelaySeconds = (long)options.Delay.TotalSeconds,
            UntaggedDays = options.UntaggedDays,
        }, GarbageJson.Default.GarbageStatusJson);
    }

    private async Task<ApiResult> WhyAsync(ApiCall call, CancellationToken ct)
    {
        if (!Digest.TryParse(call.Query("digest"), out var digest)) return ApiResult.BadRequest("digest must be one, such as sha256:…");
        return await why.AskAsync(digest, ct).ConfigureAwait(false) is { } kept ? ApiResult.Ok(kept, GarbageJson.Default.KeptJson) : ApiResult.NotFound($"nothing has the digest {digest}");
    }

    private async Task<ApiResult> UsageAsync(ApiCall call, CancellationToken ct) => MaxAgeOf(call) is { } age
        ? ApiResult.Ok(await usage.OfRegistryAsync(age, ct).ConfigureAwait(false), GarbageJson.Default.StorageUsageJson)
        : WrongAge;

    private async Task<ApiResult> ProjectUsageAsync(ApiCall call, CancellationToken ct) => MaxAgeOf(call) is { } age
        ? ApiResult.Ok(await usage.OfProjectAsync(call.Project!.Id, age, ct).ConfigureAwait(false), GarbageJson.Default.StorageUsageJson)
        : WrongAge;

    private static ApiResult WrongAge => ApiResult.BadRequest($"max_age must be a number of seconds up to {RememberedUsage.MaxAge.TotalSeconds}");

    private static TimeSpan? MaxAgeOf(ApiCall call)
    {
        if (call.Query("max_age") is not { Length: > 0 } text) return TimeSpan.Zero;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= RememberedUsage.MaxAge.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
    }

    private async Task<ApiResult> GetUntaggedAsync(ApiCall call, CancellationToken ct)
    {
        var days = await database.ReadAsync(call.Project!.Id, static (session, id, token) => session.ScalarAsync(SelectDays, [id], token), ct).ConfigureAwait(false);
        return ApiResult.Ok(new UntaggedJson { Days = (int?)days, InForce = (int?)days ?? options.UntaggedDays }, GarbageJson.Default.UntaggedJson);
    }

    private async Task<ApiResult> SetUntaggedAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(GarbageJson.Default.UntaggedJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (request.Days is < -1 or > UntaggedRule.MaxDays) return ApiResult.BadRequest($"days must be between -1 and {UntaggedRule.MaxDays}");
        var project = call.Project!;
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (request.Days is { } days) await session.ExecuteAsync(Upsert, [project.Id, days.ToString(CultureInfo.InvariantCulture)], token).ConfigureAwait(false);
            else await session.ExecuteAsync(Delete, [project.Id], token).ConfigureAwait(false);
            await events.RaiseAsync(session, new DomainEvent
            {
                Operation = "update",
                ResourceType = "project",
                Resource = project.Name,
                ProjectId = project.Id,
                ProjectName = project.Name,
                Actor = call.Actor,
                Description = $"untagged manifests of {project.Name}: {request.Days switch { null => "as the installation", -1 => "kept", var n => $"{n} days" }}",
            }, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        // What was untagged before has no review any more.
        if ((request.Days ?? options.UntaggedDays) >= 0) await untagged.ReviewAsync(project.Id, ct).ConfigureAwait(false);
        return ApiResult.Ok(new UntaggedJson { Days = request.Days, InForce = request.Days ?? options.UntaggedDays }, GarbageJson.Default.UntaggedJson);
    }

    private static readonly Statement SelectDays = new($"SELECT CAST(value AS integer) FROM project_metadata WHERE project_id = @0 AND name = '{UntaggedRule.Setting}'");
    private static readonly Statement Delete = new($"DELETE FROM project_metadata WHERE project_id = @0 AND name = '{UntaggedRule.Setting}'");

    private static readonly Statement Upsert = new($"""
        INSERT INTO project_metadata (project_id, name, value) VALUES (@0, '{UntaggedRule.Setting}', @1) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value
        """);
}

/// <summary>What garbage collection would do now.</summary>
public sealed record GarbageStatusJson
{
    /// <summary>Untagged manifests that go at the next collection.</summary>
    public long DueManifests { get; init; }

    /// <summary>Blobs that go.</summary>
    public long DueBlobs { get; init; }

    /// <summary>Bytes that they free.</summary>
    public long DueBytes { get; init; }

    /// <summary>Objects that are out of the database and not yet out of their store.</summary>
    public long PendingRemovals { get; init; }

    /// <summary>Their bytes.</summary>
    public long PendingBytes { get; init; }

    /// <summary>Changes that wait for their delay, or are due.</summary>
    public long Waiting { get; init; }

    /// <summary>Time of the oldest of them.</summary>
    public string? OldestSince { get; init; }

    public long DelaySeconds { get; init; }

    /// <summary>Days after which untagged manifests go where a project does not say otherwise; -1 keeps them.</summary>
    public int UntaggedDays { get; init; }
}

/// <summary>How long manifests without a tag stay.</summary>
public sealed record UntaggedJson
{
    /// <summary>What the project says: days, -1 for ever, null as the installation.</summary>
    public int? Days { get; init; }

    /// <summary>What holds; read only.</summary>
    public int? InForce { get; init; }
}
