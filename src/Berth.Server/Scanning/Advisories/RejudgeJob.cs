using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Scanning.Advisories;

/// <summary>What the job is asked for by.</summary>
public sealed record RejudgeWork
{
    /// <summary>When the database was built that somebody has, Unix milliseconds.</summary>
    public long DatabaseBuiltAt { get; init; }
}

/// <summary>Brings reports up to an advisory database (<see cref="Rejudging"/>): one job in the installation, run by a replica that has the database.</summary>
internal sealed class RejudgeJob(Rejudging rejudging) : IJobHandler
{
    /// <summary>Kind of the jobs, and their key.</summary>
    public const string JobKind = "rejudge";

    // A replica that does not have the database lets others take the job; whoever has it asks again.
    private const int MaxPasses = 20;
    private static readonly TimeSpan s_pass = TimeSpan.FromSeconds(5);

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    /// <summary>The job for a database.</summary>
    public static NewJob Of(long builtAt) => new()
    {
        Kind = JobKind,
        Payload = JsonSerializer.Serialize(new RejudgeWork { DatabaseBuiltAt = builtAt }, RejudgeJson.Default.RejudgeWork),
        VendorKey = JobKind,
        DedupeKey = JobKind,
        Trigger = JobTrigger.Event,
        MaxAttempts = MaxPasses + 5,
    };

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var work = run.ReadPayload(RejudgeJson.Default.RejudgeWork);
        var (use, decision, _) = await rejudging.LookAsync(ct).ConfigureAwait(false);
        var isOther = use?.BuiltAt != work.DatabaseBuiltAt && decision is RoundDecision.Behind or RoundDecision.Same;
        if (isOther && run.Attempt <= MaxPasses) return JobOutcome.Retry("this process does not have the advisory database that is asked for", s_pass);
        if (!await rejudging.RunAsync(new RunLog(run), null, ct).ConfigureAwait(false)) run.Log("nobody has the advisory database that was asked for any more");
        return JobOutcome.Done;
    }

    private sealed class RunLog(JobRun run) : IRejudgeLog
    {
        public void Log(string text) => run.Log(text);

        public void Report(int done, int of) => run.Report((int)(done * 100L / Math.Max(1, of)), $"{done} of {of} images");
    }
}

/// <summary>Told what happens while reports are judged again: a job, and tests.</summary>
internal interface IRejudgeLog
{
    void Log(string text);

    void Report(int done, int of);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RejudgeWork))]
internal sealed partial class RejudgeJson : JsonSerializerContext;
