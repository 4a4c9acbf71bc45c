using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;
using Berth.Server.Retention.Dialects;

namespace Berth.Server.Retention;

/// <summary>What a clean-up is to do: rules that nobody saved, once.</summary>
public sealed record CleanupWork
{
    /// <summary>The rules in our own form.</summary>
    public string Rules { get; init; } = "";

    /// <summary>Null for the registry.</summary>
    public long? ProjectId { get; init; }

    /// <summary>Name of the only repository, without the project; empty for all.</summary>
    public string Repository { get; init; } = "";
}

/// <summary>
/// Applies rules once, for <c>berth cleanup</c> and for those who call it from a job of their own. It decides and deletes as a run of a policy does, and leaves alone what has
/// a policy of its own. Cut off, it begins again: what it has deleted is gone, and rules that keep by age or count decide the same about the rest.
/// </summary>
internal sealed class CleanupJob(Database database, RetentionWalk walk, RetentionRemoval removal, DomainEvents events) : IJobHandler
{
    /// <summary>Kind of the jobs.</summary>
    public const string JobKind = "cleanup";

    /// <summary>Names that a result holds; the job's log has all.</summary>
    private const int MaxDeleted = 100;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    /// <summary>Key of the jobs of a project, or of the registry.</summary>
    public static string VendorKey(long? projectId) => projectId is null ? "cleanup" : $"cleanup:{projectId}";

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var work = run.ReadPayload(CleanupWorkJson.Default.CleanupWork);
        var place = new RetentionPolicy { ProjectId = work.ProjectId, Repository = work.Repository, Rules = work.Rules, Dialect = RetentionDialects.Own };
        var (rules, deleted, gone) = (PolicyRows.Compile(place), new List<string>(), 0L);
        var sum = await walk.RunAsync(place, rules, null, async (repository, plan) =>
        {
            if (plan.Going == 0) return;
            run.Report(null, repository.Name);
            var went = await removal.RunAsync(repository, plan, run.Log, ct).ConfigureAwait(false);
            gone += went.Count;
            deleted.AddRange(went.Take(MaxDeleted - deleted.Count).Select(g => g.Tag is null ? $"{repository.Name}@{plan.Facts.Images[g.Image].Digest}" : $"{repository.Name}:{g.Tag}"));
            run.Log($"{repository.Name}: {plan.Verdicts.Count} decided about, {went.Count} went");
        }, deletes: true, ct).ConfigureAwait(false);

        var detail = new RetentionDetail(PolicyId: 0, run.Id, IsDryRun: false, sum.Total, sum.Total - gone, sum.FreedBytes, deleted);
        run.Log($"{sum.Repositories} repositories, {sum.Total} tags and untagged images, {gone} went, {sum.FreedBytes} bytes freed");
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var project = work.ProjectId is { } id ? await ProjectRows.ReadAsync(session, id, token).ConfigureAwait(false) : null;
            await events.RaiseAsync(session, RetentionJob.EventOf(place, project?.Name, detail), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        run.SetResult(detail, CleanupWorkJson.Default.RetentionDetail);
        return JobOutcome.Done;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CleanupWork))]
[JsonSerializable(typeof(RetentionDetail))]
internal sealed partial class CleanupWorkJson : JsonSerializerContext;
