using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Retention.Dialects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Retention;

/// <summary>Clean-ups: rules that are applied once and not saved. <see cref="RetentionApi"/>'s simulator tells beforehand what they do.</summary>
internal sealed class CleanupApi(Database database, JobQueue queue, DomainEvents events, TimeProvider time)
{
    private const string OfProject = "/projects/{project_name_or_id}/retention/cleanups";
    private const string OfRegistry = "/retention/cleanups";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(CleanupApi api) =>
        Below(api, OfProject, "Project", ApiNeed.Project(ProjectPermissions.TagRetentionUpdate), "a project, or of one repository of it")
            .Concat(Below(api, OfRegistry, "Registry", ApiNeed.Admin, "the registry, but of projects with a policy of their own"));

    private static IEnumerable<ApiOperation> Below(CleanupApi api, string path, string word, ApiNeed need, string what) =>
    [
        new(HttpMethods.Post, path, $"start{word}Cleanup", "retention", need, api.StartAsync)
        {
            Surface = ApiSurface.Berth, Summary = $"Applies a policy once to the images of {what}, without saving it.",
            Body = typeof(RetentionPolicyJson), Answer = typeof(CleanupJson), Query = ["repository"],
        },
        new(HttpMethods.Get, path + "/{cleanup_id}", $"get{word}Cleanup", "retention", need, api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "How far a clean-up is, and what it came to.", Answer = typeof(CleanupJson),
        },
    ];

    private async Task<ApiResult> StartAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(RetentionApiJson.Default.RetentionPolicyJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var (reading, wrong) = RetentionApi.Read(body);
        if (reading?.Rules is null) return wrong!;
        var repository = call.Query("repository");
        if (!RetentionApi.IsPlace(call, repository)) return ApiResult.BadRequest("repository must be the name of one, without the project");
        var work = new CleanupWork { Rules = RetentionDialects.WriteOwn(reading.Rules), ProjectId = call.Project?.Id, Repository = repository };
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await events.RaiseAsync(session, new DomainEvent
            {
                Operation = "start",
                ResourceType = "tag-retention",
                Resource = call.Project is null ? "registry" : repository.Length > 0 ? $"{call.Project.Name}/{repository}" : call.Project.Name,
                ProjectId = call.Project?.Id,
                ProjectName = call.Project?.Name,
                Actor = call.Actor,
                Description = "start a clean-up",
            }, token).ConfigureAwait(false);
            var job = await queue.EnqueueAsync(session, new NewJob
            {
                Kind = CleanupJob.JobKind,
                Payload = JsonSerializer.Serialize(work, CleanupWorkJson.Default.CleanupWork),
                VendorKey = CleanupJob.VendorKey(work.ProjectId),
                ProjectId = work.ProjectId,
            }, token).ConfigureAwait(false);
            return job.Id;
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok(new CleanupJson { Id = id, Status = "Pending" }, CleanupApiJson.Default.CleanupJson);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var job = call.RouteNumber("cleanup_id") is { } id ? await database.ReadAsync(id, static (session, i, token) => JobViews.FindAsync(session, i, token), ct).ConfigureAwait(false) : null;
        if (job is null || job.Kind != CleanupJob.JobKind || job.ProjectId != call.Project?.Id) return ApiResult.NotFound("there is no such clean-up");
        var result = job.Result is { } text ? JsonSerializer.Deserialize(text, CleanupWorkJson.Default.RetentionDetail) : null;
        return ApiResult.Ok(new CleanupJson
        {
            Id = job.Id,
            Status = JobWords.StatusOf(job, time.GetUtcNow()),
            IsFinished = job.State >= JobState.Succeeded,
            Error = job.Error,
            Total = result?.Total,
            Kept = result?.Kept,
            FreedBytes = result?.FreedBytes,
            Deleted = result?.Deleted,
        }, CleanupApiJson.Default.CleanupJson);
    }
}

/// <summary>A clean-up.</summary>
public sealed record CleanupJson
{
    public long Id { get; init; }

    /// <summary>Harbor's word: <c>Pending</c>, <c>Running</c>, <c>Success</c>, <c>Error</c>, <c>Stopped</c>.</summary>
    public string Status { get; init; } = "";

    public bool IsFinished { get; init; }

    public string? Error { get; init; }

    /// <summary>Tags, and images without one, that were decided about.</summary>
    public long? Total { get; init; }

    /// <summary>Those that stayed.</summary>
    public long? Kept { get; init; }

    /// <summary>Bytes that nothing names any more once the trash lets go.</summary>
    public long? FreedBytes { get; init; }

    /// <summary>The first of those that went, as <c>repository:tag</c> or <c>repository@digest</c>.</summary>
    public IReadOnlyList<string>? Deleted { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CleanupJson))]
internal sealed partial class CleanupApiJson : JsonSerializerContext;
