using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;

namespace Berth.Server.Tests.Platform.Jobs;

/// <summary>What one process does with jobs.</summary>
public sealed class JobWorkersTests
{
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_job_runs_with_its_payload_and_leaves_result_progress_and_log(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var handler = new TestHandler("a", (run, _) =>
        {
            Assert.Equal((1, """{"n":1}"""), (run.Attempt, run.Payload));
            run.Log("one");
            run.Log("two\0" + new string('x', 3000));
            run.Report(50, "half");
            run.SetResult("out", TestJson.Default.String);
            return Task.FromResult(JobOutcome.Done);
        });
        await using var site = new JobSite(database.Current, _time, handler);
        await site.StartAsync();
        var job = await site.EnqueueAsync(new NewJob { Kind = "a", Payload = """{"n":1}""" });
        var row = await site.UntilAsync(job.Id, JobState.Succeeded);
        Assert.Equal((1, 0, 50, "half", "\"out\"", null), (row.Attempts, row.Failures, row.ProgressPercent, row.ProgressText, row.Result, row.Error));
        Assert.NotNull(row.StartedAt);
        Assert.NotNull(row.FinishedAt);
        var lines = await site.ReadAsync(s => JobViews.LogAsync(s, job.Id, 0, 10, CancellationToken.None));
        Assert.Equal(["one", "two " + new string('x', JobRun.MaxLogLineLength - 4)], lines.Select(l => l.Text));
        Assert.Single(await site.ReadAsync(s => JobViews.LogAsync(s, job.Id, lines[0].Seq, 10, CancellationToken.None)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_job_waits_for_its_time(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var handler = new TestHandler("a");
        await using var site = new JobSite(database.Current, _time, handler);
        await site.StartAsync();
        var later = await site.EnqueueAsync(new NewJob { Kind = "a", RunAt = _time.GetUtcNow().AddSeconds(10) });
        var now = await site.EnqueueAsync(new NewJob { Kind = "a" });
        await site.UntilAsync(now.Id, JobState.Succeeded);
        Assert.Equal(JobState.Pending, (await site.JobAsync(later.Id)).State);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(2), async () => (await site.JobAsync(later.Id)).State == JobState.Succeeded);
        Assert.Equal([now.Id, later.Id], handler.Started);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_failed_try_is_repeated_after_a_longer_and_longer_pause_until_the_attempts_are_used_up(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var handler = new TestHandler("a", (run, _) => run.Attempt == 1 ? throw new InvalidOperationException("thrown") : Task.FromResult(JobOutcome.Retry("again " + run.Attempt)))
        {
            Backoff = new JobBackoff(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1)),
        };
        await using var site = new JobSite(database.Current, _time, handler);
        await site.StartAsync();
        var job = await site.EnqueueAsync(new NewJob { Kind = "a", MaxAttempts = 3 });
        var pauses = new List<double>();
        for (var failures = 1; failures <= 2; failures++)
        {
            await Eventually.TrueAsync(async () => (await site.JobAsync(job.Id)).Failures == failures, "failed");
            var row = await site.JobAsync(job.Id);
            Assert.Equal(JobState.Pending, row.State);
            // From the start of the try: the clock may have been moved once more since.
            pauses.Add(row.DueAt - row.StartedAt!.Value);
            await AdvanceUntilAsync(TimeSpan.FromSeconds(4), async () => (await site.JobAsync(job.Id)).Failures > failures);
        }
        var end = await site.UntilAsync(job.Id, JobState.Failed);
        Assert.Equal((3, 3, "again 3"), (end.Attempts, end.Failures, end.Error));
        Assert.InRange(pauses[0], 8_000, 12_000 + 4_000);
        Assert.InRange(pauses[1], 16_000, 24_000 + 4_000);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_job_that_waits_is_run_again_without_having_failed_and_keeps_its_attempts(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var tries = new List<bool>();
        var handler = new TestHandler("a", (run, _) =>
        {
            tries.Add(run.IsLastAttempt);
            return Task.FromResult(run.Attempt <= 25 ? JobOutcome.Wait(TimeSpan.Zero) : JobOutcome.Retry("broken", TimeSpan.Zero));
        });
        await using var site = new JobSite(database.Current, _time, handler);
        await site.StartAsync();
        var job = await site.EnqueueAsync(new NewJob { Kind = "a", MaxAttempts = 2 });
        var end = await site.UntilAsync(job.Id, JobState.Failed);
        Assert.Equal((27, "broken"), (end.Attempts, end.Error));
        Assert.Equal([.. Enumerable.Repeat(false, 26), true], tries);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_job_that_waits_can_be_stopped(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a", static (_, _) => Task.FromResult(JobOutcome.Wait(TimeSpan.FromHours(1)))));
        await site.StartAsync();
        var job = await site.EnqueueAsync(new NewJob { Kind = "a" });
        await Eventually.TrueAsync(async () => await site.JobAsync(job.Id) is { State: JobState.Pending, Attempts: 1 }, "the job waits");
        Assert.Equal(JobCancellation.Cancelled, await site.CancelAsync(job.Id));
        Assert.Equal(JobState.Cancelled, (await site.JobAsync(job.Id)).State);
    }

    [Fact]
    public void Pauses_double_up_to_the_longest_and_vary_by_a_fifth()
    {
        var backoff = new JobBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        Assert.Equal([1, 2, 4, 8, 16, 30, 30], Enumerable.Range(1, 7).Select(n => backoff.After(n, 0.5).TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(0.8), backoff.After(1, 0));
        Assert.Equal(TimeSpan.FromSeconds(36), backoff.After(int.MaxValue, 1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_failure_for_good_is_not_repeated(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a", (_, _) => Task.FromResult(JobOutcome.Fail("no use"))));
        await site.StartAsync();
        var job = await site.EnqueueAsync(new NewJob { Kind = "a" });
        var row = await site.UntilAsync(job.Id, JobState.Failed);
        Assert.Equal((1, "no use"), (row.Attempts, row.Error));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_running_job_that_is_cancelled_stops(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a", TestHandler.ForeverAsync));
        await site.StartAsync();
        var job = await site.EnqueueAsync(new NewJob { Kind = "a" });
        await site.UntilAsync(job.Id, JobState.Running);
        Assert.Equal(JobCancellation.Requested, await site.CancelAsync(job.Id));
        Assert.True((await site.UntilAsync(job.Id, JobState.Cancelled)).CancelRequested);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_process_runs_no_more_of_a_kind_and_of_all_than_it_is_told(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        async Task<JobOutcome> WaitAsync(JobRun run, CancellationToken ct)
        {
            await gate.Task.WaitAsync(ct);
            return JobOutcome.Done;
        }

        var (a, b) = (new TestHandler("a", WaitAsync) { MaxConcurrent = 2 }, new TestHandler("b", WaitAsync) { MaxConcurrent = 9 });
        await using var site = new JobSite(database.Current, _time, new JobOptions { MaxConcurrent = 5 }, a, b);
        for (var i = 0; i < 6; i++) await site.EnqueueAsync(new NewJob { Kind = "a" });
        for (var i = 0; i < 9; i++) await site.EnqueueAsync(new NewJob { Kind = "b" });
        await site.StartAsync();
        await Eventually.TrueAsync(() => a.Started.Count + b.Started.Count == 5, "five running");
        gate.SetResult();
        await Eventually.TrueAsync(async () => await site.ReadAsync(s => JobViews.CountAsync(s, new JobFilter { States = [JobState.Succeeded] }, CancellationToken.None)) == 15, "all done");
        Assert.InRange(a.Peak, 1, 2);
        Assert.InRange(b.Peak, 3, 5);
        Assert.Equal(15, a.Started.Concat(b.Started).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Jobs_of_a_group_run_in_order_and_a_failing_one_holds_the_others_up(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var handler = new TestHandler("a", (run, _) => Task.FromResult(run.Payload == "2" && run.Attempt < 3 ? JobOutcome.Retry("not yet", TimeSpan.FromSeconds(3)) : JobOutcome.Done));
        await using var site = new JobSite(database.Current, _time, handler);
        await site.StartAsync();
        var ids = new List<long>();
        for (var i = 0; i < 5; i++) ids.Add((await site.EnqueueAsync(new NewJob { Kind = "a", GroupKey = "g", Payload = i.ToString() })).Id);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () => (await site.JobAsync(ids[4])).State == JobState.Succeeded);
        Assert.Equal([ids[0], ids[1], ids[2], ids[2], ids[2], ids[3], ids[4]], handler.Started);
        Assert.Equal(1, handler.Peak);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_paused_kind_is_not_started_until_it_is_resumed(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var (a, b) = (new TestHandler("a"), new TestHandler("b"));
        await using var site = new JobSite(database.Current, _time, a, b);
        await site.StartAsync();
        await site.WriteAsync(async s => { await site.Queue.PauseAsync(s, "a", CancellationToken.None); return 0; });
        Assert.Equal(["a"], await site.ReadAsync(s => JobViews.PausedAsync(s, CancellationToken.None)));
        var paused = await site.EnqueueAsync(new NewJob { Kind = "a" });
        var other = await site.EnqueueAsync(new NewJob { Kind = "b" });
        await site.UntilAsync(other.Id, JobState.Succeeded);
        Assert.Equal(JobState.Pending, (await site.JobAsync(paused.Id)).State);
        await site.WriteAsync(async s => { await site.Queue.ResumeAsync(s, "a", CancellationToken.None); return 0; });
        await site.UntilAsync(paused.Id, JobState.Succeeded);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_metrics_page_has_the_depth_of_the_queue_and_what_was_done(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a"));
        var done = await site.EnqueueAsync(new NewJob { Kind = "a" });
        await site.EnqueueAsync(new NewJob { Kind = "b", ProjectId = 1 });
        await site.StartAsync();
        await site.UntilAsync(done.Id, JobState.Succeeded);
        Assert.Contains("berth_jobs_finished_total{kind=\"a\",result=\"succeeded\"} 1", Page(), StringComparison.Ordinal);
        Assert.Contains("berth_job_duration_seconds_count{kind=\"a\"} 1", Page(), StringComparison.Ordinal);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(2), () => Task.FromResult(Page().Contains("berth_jobs{kind=\"b\",state=\"pending\"} 1", StringComparison.Ordinal)));

        string Page()
        {
            var buffer = new LineBuffer();
            site.Metrics.Write(buffer, openMetrics: false);
            return System.Text.Encoding.UTF8.GetString(buffer.Written);
        }
    }

    private Task AdvanceUntilAsync(TimeSpan step, Func<Task<bool>> condition) =>
        Eventually.TrueAsync(async () =>
        {
            if (await condition()) return true;
            _time.Advance(step);
            return false;
        }, "done in the end");
}

[JsonSerializable(typeof(string))]
internal sealed partial class TestJson : JsonSerializerContext;
