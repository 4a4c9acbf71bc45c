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

/// <summary>
/// Policies of every level in every form, and the simulator: the query's <c>repository</c> names a level below the project, the paths without a project are the registry's.
/// </summary>
internal sealed class RetentionApi(Database database, RetentionWalk walk, JobQueue queue, JobSchedules schedules, DomainEvents events, TimeProvider time)
{
    private const string OfProject = "/projects/{project_name_or_id}/retention";
    private const string OfRegistry = "/retention";

    /// <summary>Most lines in one answer of the simulator; counts hold all.</summary>
    private const int MaxLines = 10_000;

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(RetentionApi api) =>
        Below(api, OfProject, "Project", ApiNeed.Project, "a project, or of one repository of it").Concat(Below(api, OfRegistry, "Registry", _ => ApiNeed.Admin, "the registry"));

    private static IEnumerable<ApiOperation> Below(RetentionApi api, string path, string word, Func<Permission, ApiNeed> need, string what) =>
    [
        new(HttpMethods.Get, path, $"get{word}Retention", "retention", need(ProjectPermissions.TagRetentionRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = $"The retention policy of {what}, in any form (dialect).", Answer = typeof(RetentionPolicyJson), Query = ["repository", "dialect"],
        },
        new(HttpMethods.Put, path, $"set{word}Retention", "retention", need(ProjectPermissions.TagRetentionUpdate), api.SetAsync)
        {
            Surface = ApiSurface.Berth, Summary = $"Sets the retention policy of {what}, given in any form.", Body = typeof(RetentionPolicyJson), Answer = typeof(RetentionPolicyJson), Query = ["repository"],
        },
        new(HttpMethods.Delete, path, $"delete{word}Retention", "retention", need(ProjectPermissions.TagRetentionDelete), api.DeleteAsync)
        {
            Surface = ApiSurface.Berth, Summary = $"Deletes the retention policy of {what}.", Query = ["repository"],
        },
        new(HttpMethods.Post, path + "/simulate", $"simulate{word}Retention", "retention", need(ProjectPermissions.TagRetentionRead), api.SimulateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "What a policy would do now, tag by tag with the reason, and the bytes that it frees; nothing is saved.",
            Body = typeof(RetentionPolicyJson), Answer = typeof(RetentionSimulationJson), Query = ["repository", "going", "limit", "offset"], ChangesNothing = true,
        },
        new(HttpMethods.Post, path + "/runs", $"run{word}Retention", "retention", need(ProjectPermissions.TagRetentionOperate), api.RunAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Runs the saved policy now.", Query = ["repository", "dry_run"], Answer = typeof(RetentionRunJson),
        },
        new(HttpMethods.Get, path + "/runs", $"list{word}RetentionRuns", "retention", need(ProjectPermissions.TagRetentionList), api.ListRunsAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Runs of the policy, the newest first.", Query = ["repository"], Answer = typeof(RetentionRunJson), IsList = true,
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } policy) return NotFound();
        var dialect = call.Query("dialect") is { Length: > 0 } asked ? asked : policy.Dialect;
        var writing = RetentionDialects.Write(dialect, PolicyRows.RulesOf(policy));
        if (writing is null) return UnknownDialect(dialect);
        return writing.Text is { } text ? ApiResult.Ok(JsonOf(policy, dialect, text, []), RetentionApiJson.Default.RetentionPolicyJson) : ApiResult.Conflict(string.Join("; ", writing.Problems));
    }

    private async Task<ApiResult> SetAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(RetentionApiJson.Default.RetentionPolicyJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var (reading, wrong) = Read(body);
        if (reading?.Rules is null) return wrong!;
        if (body.Cron is { Length: > 0 } cron && !CronExpression.TryParse(cron, out _, out var problem)) return ApiResult.BadRequest($"cron: {problem}");
        var repository = call.Query("repository");
        if (!IsPlace(call, repository)) return ApiResult.BadRequest("repository must be the name of one, without the project");
        var policy = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var known = await PolicyRows.FindAsync(session, call.Project?.Id, repository, token).ConfigureAwait(false)
                ?? new RetentionPolicy { ProjectId = call.Project?.Id, Repository = repository, Rules = "", Dialect = "" };
            known.Rules = RetentionDialects.WriteOwn(reading.Rules);
            known.Dialect = body.Dialect ?? RetentionDialects.Own;
            known.Cron = body.Cron ?? "";
            known.RunsOnPush = body.OnPush == true;
            known.IsDisabled = body.Disabled == true;
            await PolicyRows.SaveAsync(session, schedules, known, Now, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", known, token).ConfigureAwait(false);
            return known;
        }, ct).ConfigureAwait(false);
        var written = RetentionDialects.Write(policy.Dialect, reading.Rules)!.Text ?? policy.Rules;
        return ApiResult.Ok(JsonOf(policy, policy.Dialect, written, reading.Notes), RetentionApiJson.Default.RetentionPolicyJson);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } policy) return NotFound();
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await PolicyRows.DeleteAsync(session, policy, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", policy, token).ConfigureAwait(false);
            return ApiResult.NoContent;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> SimulateAsync(ApiCall call, CancellationToken ct)
    {
        var limit = MaxLines;
        if (call.Query("limit") is { Length: > 0 } text && (!int.TryParse(text, out limit) || limit is < 0 or > MaxLines)) return ApiResult.BadRequest($"limit must be between 0 and {MaxLines}");
        var skipped = 0L;
        if (call.Query("offset") is { Length: > 0 } start && (!long.TryParse(start, out skipped) || skipped < 0)) return ApiResult.BadRequest("offset must be a number");
        var (isRead, body, refusal) = await call.ReadAsync(RetentionApiJson.Default.RetentionPolicyJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var policy = await FindAsync(call, ct).ConfigureAwait(false);
        if (body.Policy is null && policy is null) return NotFound();
        var (reading, wrong) = body.Policy is null ? (DialectReading.Of(PolicyRows.RulesOf(policy!), []), null) : Read(body);
        if (reading?.Rules is null) return wrong!;
        var rules = PolicyRows.Compile(reading.Rules);
        var onlyGoing = call.Flag("going");
        var (repositories, lines) = (new List<RetentionRepositoryJson>(), 0);
        // A policy that is not saved covers what it would cover.
        var level = policy ?? new RetentionPolicy { ProjectId = call.Project?.Id, Repository = call.Query("repository"), Rules = "", Dialect = "" };
        var sum = await walk.RunAsync(level, rules, null, (repository, plan) =>
        {
            var meant = onlyGoing ? plan.Going : plan.Verdicts.Count;
            var shown = skipped >= meant ? [] : RetentionReport.LinesOf(rules, plan).Where(l => !onlyGoing || l.Goes).Skip((int)skipped).Take(limit - lines).ToList();
            (skipped, lines) = (Math.Max(0, skipped - meant), lines + shown.Count);
            if (repositories.Count < MaxLines) repositories.Add(new RetentionRepositoryJson { Repository = repository.Name, Total = plan.Verdicts.Count, Going = plan.Going, Tags = shown });
            return Task.CompletedTask;
        }, deletes: false, ct).ConfigureAwait(false);
        return ApiResult.Ok(new RetentionSimulationJson
        {
            Total = sum.Total,
            Going = sum.Going,
            Kept = sum.Total - sum.Going,
            FreedBytes = sum.FreedBytes,
            RepositoryCount = sum.Repositories,
            Repositories = repositories,
            Notes = reading.Notes,
        }, RetentionApiJson.Default.RetentionSimulationJson);
    }

    private async Task<ApiResult> RunAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } policy) return NotFound();
        var work = new RetentionWork { PolicyId = policy.Id, DryRun = call.Flag("dry_run") };
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await RaiseAsync(session, call, work.DryRun ? "try" : "start", policy, token).ConfigureAwait(false);
            return await RetentionJob.StartAsync(session, queue, work, policy.ProjectId, Now, token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        var run = await database.ReadAsync((policy.Id, id), static (session, q, token) => RunRows.FindAsync(session, q.Id, q.id, token), ct).ConfigureAwait(false);
        return ApiResult.Ok(JsonOf(run!), RetentionApiJson.Default.RetentionRunJson);
    }

    private async Task<ApiResult> ListRunsAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } policy) return NotFound();
        var (runs, total) = await database.ReadAsync((policy.Id, page), static (session, q, token) => RunRows.ListAsync(session, q.Id, q.page.Offset, q.page.Size, token), ct).ConfigureAwait(false);
        return ApiResult.List([.. runs.Select(JsonOf)], total, RetentionApiJson.Default.ListRetentionRunJson);
    }

    private async ValueTask<RetentionPolicy?> FindAsync(ApiCall call, CancellationToken ct) =>
        await database.ReadAsync((call.Project?.Id, call.Query("repository")), static (session, q, token) => PolicyRows.FindAsync(session, q.Id, q.Item2, token), ct).ConfigureAwait(false);

    /// <summary>Reads a policy: JSON of its form, or a text (acr purge's command line). Without rules there is a refusal.</summary>
    internal static (DialectReading? Reading, ApiResult? Refusal) Read(RetentionPolicyJson body)
    {
        if (body.Policy is not { } policy) return (null, ApiResult.BadRequest("policy is missing"));
        var dialect = body.Dialect ?? RetentionDialects.Own;
        var text = policy.ValueKind == JsonValueKind.String ? policy.GetString()! : policy.GetRawText();
        var reading = RetentionDialects.Read(dialect, text);
        if (reading is null) return (null, UnknownDialect(dialect));
        return reading.Rules is null ? (reading, ApiResult.BadRequest(string.Join("; ", reading.Problems))) : (reading, null);
    }

    /// <summary>Whether a query's repository is none, or may be one of the call's project.</summary>
    internal static bool IsPlace(ApiCall call, string repository) => repository.Length == 0 || (call.Project is not null && Oci.RepositoryName.IsValid($"{call.Project.Name}/{repository}"));

    private RetentionRunJson JsonOf(RunView view) => RetentionReportApi.JsonOf(view, time.GetUtcNow());

    private static RetentionPolicyJson JsonOf(RetentionPolicy policy, string dialect, string text, IReadOnlyList<string> notes)
    {
        JsonElement shown;
        try
        {
            using var document = JsonDocument.Parse(text);
            shown = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            shown = JsonSerializer.SerializeToElement(text, RetentionApiJson.Default.String);
        }
        return new RetentionPolicyJson
        {
            Id = policy.Id,
            Dialect = dialect,
            Policy = shown,
            Cron = policy.Cron,
            OnPush = policy.RunsOnPush,
            Disabled = policy.IsDisabled,
            Notes = notes.Count > 0 ? notes : null,
        };
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static ApiResult NotFound() => ApiResult.NotFound("there is no retention policy here");

    private static ApiResult UnknownDialect(string dialect) => ApiResult.BadRequest($"the dialect {dialect} is none of {string.Join(", ", RetentionDialects.Names)}");

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, RetentionPolicy policy, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "tag-retention",
        Resource = call.Project is null ? "registry" : policy.Repository.Length > 0 ? $"{call.Project.Name}/{policy.Repository}" : call.Project.Name,
        ProjectId = call.Project?.Id,
        ProjectName = call.Project?.Name,
        Actor = call.Actor,
        Description = $"{operation} retention policy {policy.Id}",
    }, ct);
}

/// <summary>A policy in the form of a dialect.</summary>
public sealed record RetentionPolicyJson
{
    /// <summary>Its number; read only.</summary>
    public long? Id { get; init; }

    /// <summary><c>berth</c>, <c>harbor</c>, <c>ecr</c>, <c>artifact-registry</c>, <c>quay</c>, <c>zot</c>, <c>acr-purge</c> or <c>nexus</c>.</summary>
    public string? Dialect { get; init; }

    /// <summary>The policy in that form; a text where the form is a command line.</summary>
    public JsonElement? Policy { get; init; }

    /// <summary>When it runs, six fields; empty for only on demand.</summary>
    public string? Cron { get; init; }

    /// <summary>Whether it also runs on a repository that was pushed to.</summary>
    public bool? OnPush { get; init; }

    public bool? Disabled { get; init; }

    /// <summary>What of the given form decides nothing here and was left out; read only.</summary>
    public IReadOnlyList<string>? Notes { get; init; }
}

/// <summary>What a policy would do.</summary>
public sealed record RetentionSimulationJson
{
    public int RepositoryCount { get; init; }

    /// <summary>Tags, and images without one.</summary>
    public long Total { get; init; }

    public long Kept { get; init; }

    public long Going { get; init; }

    /// <summary>Bytes in the blob stores that nothing names any more then.</summary>
    public long FreedBytes { get; init; }

    public IReadOnlyList<RetentionRepositoryJson> Repositories { get; init; } = [];

    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>What a policy would do in one repository.</summary>
public sealed record RetentionRepositoryJson
{
    public string Repository { get; init; } = "";

    public int Total { get; init; }

    public int Going { get; init; }

    /// <summary>Line by line, as many as were asked for.</summary>
    public IReadOnlyList<RetentionLine> Tags { get; init; } = [];
}

/// <summary>A run.</summary>
public sealed record RetentionRunJson
{
    public long Id { get; init; }
    public string Status { get; init; } = "";
    public string Trigger { get; init; } = "";
    public bool DryRun { get; init; }
    public string StartedAt { get; init; } = "";
    public string? FinishedAt { get; init; }
    public long FreedBytes { get; init; }

    /// <summary>The job that does it.</summary>
    public long JobId { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RetentionPolicyJson))]
[JsonSerializable(typeof(RetentionSimulationJson))]
[JsonSerializable(typeof(RetentionRunJson))]
[JsonSerializable(typeof(List<RetentionRunJson>))]
[JsonSerializable(typeof(string))]
internal sealed partial class RetentionApiJson : JsonSerializerContext;
