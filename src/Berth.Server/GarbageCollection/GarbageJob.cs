using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.GarbageCollection;

/// <summary>How a run is to be done; Harbor's parameters.</summary>
public sealed record GarbagePolicy : IRunPolicy
{
    /// <summary>Lets go of all manifests without a tag as well, whatever days their projects give them, if they are older than the delay.</summary>
    public bool DeleteUntagged { get; init; }

    /// <summary>Only tell.</summary>
    public bool DryRun { get; init; }

    /// <summary>Read and shown, as Harbor's; the work is done by all replicas anyway.</summary>
    public int Workers { get; init; } = 1;

    /// <inheritdoc/>
    public string? ScheduleType { get; set; }
}

/// <summary>What a run came to; Harbor's words.</summary>
/// <param name="FreedSpace">Bytes that vanished from the stores; in a dry run, that would.</param>
/// <param name="PurgedBlobs">Blobs.</param>
/// <param name="PurgedManifests">Manifests.</param>
public sealed record GarbageResult(long FreedSpace, long PurgedBlobs, long PurgedManifests);

/// <summary>One run on demand or on a schedule: what is due now, and in the log what went.</summary>
internal sealed class GarbageJob(Database database, Collector collector, GarbagePreview preview, UntaggedSweep untagged) : IJobHandler
{
    /// <summary>Kind of the jobs; Harbor's name in small letters.</summary>
    public const string JobKind = "garbage_collection";

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var policy = run.ReadPayload(GarbageJson.Default.GarbagePolicy);
        if (policy.DryRun)
        {
            var due = await database.ReadAsync(preview, static (session, p, token) => p.ReadAsync(session, token), ct).ConfigureAwait(false);
            run.Log($"[dry run] {due.Manifests} untagged manifests and {due.Blobs} blobs are due, {due.Bytes} bytes would be freed; {due.PendingRemovals} objects of {due.PendingBytes} bytes wait for a store");
            run.SetResult(new GarbageResult(due.Bytes, due.Blobs, due.Manifests), GarbageJson.Default.GarbageResult);
            return JobOutcome.Done;
        }
        var let = policy.DeleteUntagged ? await untagged.RunAsync(run.Log, ct).ConfigureAwait(false) : 0;
        var done = await collector.RunAsync(run.Log, rest: 0, ct).ConfigureAwait(false);
        run.Log($"{done.Reviews} manifests and blobs looked at, {done.Manifests + let} manifests and {done.Blobs} blobs removed, {done.FreedBytes} bytes freed");
        if (done.Failures > 0) run.Log($"{done.Failures} objects could not be removed now and will be tried again");
        run.SetResult(new GarbageResult(done.FreedBytes, done.Blobs, done.Manifests + let), GarbageJson.Default.GarbageResult);
        return JobOutcome.Done;
    }
}

/// <summary>Harbor's operations on garbage collection.</summary>
internal sealed class GarbageRunsApi(Database database, JobQueue queue, JobSchedules schedules, DomainEvents events, TimeProvider time)
    : RunsApi<GarbagePolicy>(s_kind, GarbageJson.Default.GarbagePolicy, database, queue, schedules, events, time)
{
    private static readonly RunsKind s_kind = new(GarbageJob.JobKind, "gc", "/system/gc", "gc_id", "gc", "garbage collection", "garbage_collection", "blob stores");

    internal static IEnumerable<ApiOperation> Operations(GarbageRunsApi api) => api.OperationsBelow("/system/gc", "GC", "GC", new RunsRights(
        SystemPermissions.GarbageCollectionList, SystemPermissions.GarbageCollectionRead, SystemPermissions.GarbageCollectionCreate, SystemPermissions.GarbageCollectionUpdate,
        SystemPermissions.GarbageCollectionStop));

    protected override string? TryRead(IReadOnlyDictionary<string, JsonElement>? parameters, out GarbagePolicy policy)
    {
        bool Is(string name) => parameters is not null && parameters.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.True;
        var workers = 1;
        policy = new GarbagePolicy();
        if (parameters is not null && parameters.TryGetValue("workers", out var number)
            && (number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out workers) || workers is < 1 or > 10))
            return "workers should be between 1 and 10";
        policy = new GarbagePolicy { DeleteUntagged = Is("delete_untagged"), DryRun = Is("dry_run"), Workers = workers };
        return null;
    }

    protected override string ParametersOf(GarbagePolicy policy, string? result)
    {
        var shown = JsonSerializer.SerializeToNode(policy with { ScheduleType = null }, GarbageJson.Default.GarbagePolicy)!.AsObject();
        if (result is not null && JsonSerializer.Deserialize(result, GarbageJson.Default.GarbageResult) is { } came)
        {
            shown["freed_space"] = came.FreedSpace;
            shown["purged_blobs"] = came.PurgedBlobs;
            shown["purged_manifests"] = came.PurgedManifests;
        }
        return shown.ToJsonString();
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GarbagePolicy))]
[JsonSerializable(typeof(GarbageResult))]
[JsonSerializable(typeof(GarbageStatusJson))]
[JsonSerializable(typeof(KeptJson))]
[JsonSerializable(typeof(UntaggedJson))]
[JsonSerializable(typeof(StorageUsageJson))]
internal sealed partial class GarbageJson : JsonSerializerContext;
