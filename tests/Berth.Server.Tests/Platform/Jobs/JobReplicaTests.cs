using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Tests.Platform.Jobs;

/// <summary>Several processes, one after the other and at the same time.</summary>
public sealed class JobReplicaTests
{
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_job_of_a_killed_process_is_run_again(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        long id;
        await using (var killed = new JobSite(database.Current, _time, new TestHandler("a", TestHandler.ForeverAsync)))
        {
            await killed.StartAsync();
            id = (await killed.EnqueueAsync(new NewJob { Kind = "a", MaxAttempts = 1 })).Id;
            await killed.UntilAsync(id, JobState.Running);
            // Disposed, not stopped: its lease stays in the row.
        }
        await database.CloseAsync();
        var handler = new TestHandler("a");
        await using var site = new JobSite(database.Open(), _time, handler);
        Assert.Equal(JobState.Running, (await site.JobAsync(id)).State);
        await site.StartAsync();
        if (kind == DatabaseKind.Postgres)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            Assert.Empty(handler.Started);
            _time.Advance(JobLeases.LeaseTime);
        }
        // On SQLite the only process of the database does not wait for its predecessor's lease.
        var row = await site.UntilAsync(id, JobState.Succeeded);
        Assert.Equal((2, 0), (row.Attempts, row.Failures));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_process_that_stops_gives_its_jobs_back(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var first = new JobSite(database.Current, _time, new TestHandler("a", TestHandler.ForeverAsync));
        await first.StartAsync();
        var id = (await first.EnqueueAsync(new NewJob { Kind = "a" })).Id;
        await first.UntilAsync(id, JobState.Running);
        var stopping = first.Workers.StopAsync(CancellationToken.None);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return stopping.IsCompleted;
        }, "stopped");
        await stopping;
        var row = await first.JobAsync(id);
        Assert.Equal((JobState.Pending, 0), (row.State, row.Attempts));
        await using var second = new JobSite(database.Current, _time, new TestHandler("a"));
        await second.StartAsync();
        await second.UntilAsync(id, JobState.Succeeded);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_lease_is_renewed_while_the_handler_works(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new TestHandler("a", async (run, ct) =>
        {
            run.Log("started");
            await gate.Task.WaitAsync(ct);
            return JobOutcome.Done;
        });
        await using var site = new JobSite(database.Current, _time, handler);
        await site.StartAsync();
        var id = (await site.EnqueueAsync(new NewJob { Kind = "a" })).Id;
        var first = (await site.UntilAsync(id, JobState.Running)).DueAt;
        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return (await site.JobAsync(id)).DueAt > first + 60_000;
        }, "renewed for a minute");
        Assert.Single(handler.Started);
        // The log is there while the job runs.
        Assert.Single(await site.ReadAsync(s => JobViews.LogAsync(s, id, 0, 10, CancellationToken.None)));
        gate.SetResult();
        await site.UntilAsync(id, JobState.Succeeded);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Who_has_lost_a_lease_writes_nothing_more(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var queue = new JobQueue(_time);
        var one = new JobLeases(database.Current, queue, ["a"], "one", _time);
        var two = new JobLeases(database.Current, queue, ["a"], "two", _time);
        await using var site = new JobSite(database.Current, _time);
        var id = (await site.EnqueueAsync(new NewJob { Kind = "a" })).Id;
        var lost = Assert.Single(await one.ClaimAsync("a", 5, null, CancellationToken.None));
        Assert.Empty(await two.ClaimAsync("a", 5, null, CancellationToken.None));
        _time.Advance(JobLeases.LeaseTime);
        var held = Assert.Single(await two.ClaimAsync("a", 5, null, CancellationToken.None));
        Assert.Equal((id, 1, 2), (held.Id, lost.Attempts, held.Attempts));
        var notes = new JobNotes([new JobLogLine { JobId = id, Seq = 1, At = 1, Text = "late" }], true, 1, "late", "1");
        Assert.Null(await one.RenewAsync(lost, CancellationToken.None));
        Assert.False(await one.NoteAsync(lost, notes, CancellationToken.None));
        Assert.False(await one.FinishAsync(lost, JobState.Succeeded, null, notes, CancellationToken.None));
        Assert.False(await one.RetryAsync(lost, TimeSpan.Zero, "late", null, CancellationToken.None));
        Assert.False(await one.ReleaseAsync(lost, null, CancellationToken.None));
        Assert.Empty(await site.ReadAsync(s => JobViews.LogAsync(s, id, 0, 10, CancellationToken.None)));
        Assert.Equal("two", (await site.JobAsync(id)).LeaseOwner);
        Assert.False(await two.RenewAsync(held, CancellationToken.None));
        await site.CancelAsync(id);
        Assert.True(await two.RenewAsync(held, CancellationToken.None));
        Assert.True(await two.FinishAsync(held, JobState.Cancelled, null, notes, CancellationToken.None));
        Assert.Equal((JobState.Cancelled, 1, "late"), ((await site.JobAsync(id)).State, (await site.JobAsync(id)).ProgressPercent, (await site.JobAsync(id)).ProgressText));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_job_that_no_process_survives_is_given_up(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var killer = new JobLeases(database.Current, new JobQueue(_time), ["a"], "killed", _time);
        var handler = new TestHandler("a");
        await using var site = new JobSite(database.Current, _time, handler);
        var id = (await site.EnqueueAsync(new NewJob { Kind = "a" })).Id;
        for (var i = 0; i < JobExecution.MaxLosses; i++)
        {
            Assert.Single(await killer.ClaimAsync("a", 1, null, CancellationToken.None));
            _time.Advance(JobLeases.LeaseTime);
        }
        await site.StartAsync();
        Assert.Contains("given up", (await site.UntilAsync(id, JobState.Failed)).Error, StringComparison.Ordinal);
        Assert.Empty(handler.Started);
    }

    [Fact]
    public async Task Two_replicas_never_run_a_job_twice_and_keep_the_limits_together()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        var (gate, running, peak) = (new Lock(), 0, 0);
        async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
        {
            lock (gate) peak = Math.Max(peak, ++running);
            await Task.Delay(TimeSpan.FromMilliseconds(3), TimeProvider.System, ct);
            lock (gate) running--;
            return JobOutcome.Done;
        }

        // Clocks are read outside of the locks: what counts is that the work itself did not overlap, and its order.
        var (groups, overlaps, order) = (new Dictionary<string, int>(), 0, new Dictionary<string, List<long>>());
        async Task<JobOutcome> RunOrderedAsync(JobRun run, CancellationToken ct)
        {
            lock (gate)
            {
                if ((groups[run.Payload] = groups.GetValueOrDefault(run.Payload) + 1) > 1) overlaps++;
                if (!order.TryGetValue(run.Payload, out var ids)) order[run.Payload] = ids = [];
                ids.Add(run.Id);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, ct);
            lock (gate) groups[run.Payload]--;
            return JobOutcome.Done;
        }

        var (one, two) = (new TestHandler("a", RunAsync) { MaxConcurrent = 4, MaxConcurrentOverall = 3 }, new TestHandler("a", RunAsync) { MaxConcurrent = 4, MaxConcurrentOverall = 3 });
        var (ordered, alsoOrdered) = (new TestHandler("b", RunOrderedAsync), new TestHandler("b", RunOrderedAsync));
        await using var first = new JobSite(database.Current, TimeProvider.System, one, ordered);
        await using var second = new JobSite(database.Open(), TimeProvider.System, two, alsoOrdered);
        await first.StartAsync();
        await second.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => (i % 2 == 0 ? first : second).EnqueueAsync(new NewJob { Kind = "a" })));
        for (var i = 0; i < 40; i++) await (i % 2 == 0 ? first : second).EnqueueAsync(new NewJob { Kind = "b", GroupKey = "g" + (i % 3), Payload = $"\"g{i % 3}\"" });
        await Eventually.TrueAsync(async () => await first.ReadAsync(s => JobViews.CountAsync(s, new JobFilter { States = [JobState.Succeeded] }, CancellationToken.None)) == 100, "all done");
        Assert.Equal(60, one.Started.Concat(two.Started).Distinct().Count());
        Assert.Equal(60, one.Started.Count + two.Started.Count);
        Assert.InRange(peak, 1, 3);
        Assert.Equal(40, ordered.Started.Count + alsoOrdered.Started.Count);
        Assert.Equal(0, overlaps);
        Assert.Equal(3, order.Count);
        Assert.All(order.Values, ids => Assert.Equal(ids.Order(), ids));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_schedule_fires_once_however_many_replicas_look(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var first = new JobSite(database.Current, _time, new TestHandler("a"));
        await using var second = new JobSite(kind == DatabaseKind.Postgres ? database.Open() : database.Current, _time, new TestHandler("a"));
        Assert.True(CronExpression.TryParse("0 * * * * *", out var cron, out _));
        var schedule = await first.WriteAsync(s => first.Schedules.PutAsync(s, new NewSchedule { Kind = "a", VendorKey = "x", Cron = cron, Payload = "7", ProjectId = 4 }, CancellationToken.None));
        Assert.Equal(0, await first.Schedules.FireDueAsync(CancellationToken.None));
        for (var round = 1; round <= 3; round++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            var fired = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => (i % 2 == 0 ? first : second).Schedules.FireDueAsync(CancellationToken.None)));
            Assert.Equal(1, fired.Sum());
            var job = Assert.Single(await first.ReadAsync(s => JobViews.ListAsync(s, new JobFilter { States = [JobState.Pending] }, 0, 9, CancellationToken.None)));
            Assert.Equal((JobTrigger.Schedule, schedule, "7", 4L, "x"), (job.Trigger, job.ScheduleId, job.Payload, job.ProjectId, job.VendorKey));
            // The next firing adds no job while this one is unfinished.
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(0, await second.Schedules.FireDueAsync(CancellationToken.None));
            await first.CancelAsync(job.Id);
        }
        // Two days without a server: once.
        _time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(1, await first.Schedules.FireDueAsync(CancellationToken.None));
        Assert.Equal(0, await first.Schedules.FireDueAsync(CancellationToken.None));
        var row = Assert.Single(await first.ReadAsync(s => JobSchedules.ListAsync(s, 0, 10, CancellationToken.None)));
        Assert.InRange(row.NextRunAt - _time.GetUtcNow().ToUnixTimeMilliseconds(), 1, 60_000);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Schedules_are_set_changed_switched_off_paused_and_removed(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var handler = new TestHandler("a");
        await using var site = new JobSite(database.Current, _time, handler);
        await site.StartAsync();
        Assert.True(CronExpression.TryParse("*/10 * * * * *", out var often, out _));
        Assert.True(CronExpression.TryParse("@daily", out var daily, out _));
        var schedule = new NewSchedule { Kind = "a", VendorKey = "x", Cron = often };
        var id = await site.WriteAsync(s => site.Schedules.PutAsync(s, schedule, CancellationToken.None));
        await AdvanceUntilAsync(() => handler.Started.Count == 2);
        Assert.Equal(id, await site.WriteAsync(s => site.Schedules.PutAsync(s, schedule with { Cron = daily, Enabled = false, Payload = "1" }, CancellationToken.None)));
        var row = await site.ReadAsync(s => JobSchedules.FindAsync(s, "a", "x", CancellationToken.None));
        Assert.Equal(("@daily", false, "1"), (row!.Cron, row.Enabled, row.Payload));
        await StillAsync(2);
        await site.WriteAsync(s => site.Schedules.PutAsync(s, schedule, CancellationToken.None));
        await site.WriteAsync(async s => { await site.Queue.PauseAsync(s, JobPause.Schedules, CancellationToken.None); return 0; });
        await StillAsync(handler.Started.Count);
        await site.WriteAsync(async s => { await site.Queue.ResumeAsync(s, JobPause.Schedules, CancellationToken.None); return 0; });
        await AdvanceUntilAsync(() => handler.Started.Count >= 3);
        Assert.True(await site.WriteAsync(s => JobSchedules.DeleteAsync(s, "a", "x", CancellationToken.None)));
        Assert.False(await site.WriteAsync(s => JobSchedules.DeleteAsync(s, "a", "x", CancellationToken.None)));
        Assert.Equal(0, await site.ReadAsync(s => JobSchedules.CountAsync(s, CancellationToken.None)));

        async Task StillAsync(int count)
        {
            for (var i = 0; i < 20; i++)
            {
                _time.Advance(TimeSpan.FromSeconds(2));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
            }
            Assert.Equal(count, handler.Started.Count);
        }
    }

    private Task AdvanceUntilAsync(Func<bool> condition) =>
        Eventually.TrueAsync(() =>
        {
            if (condition()) return true;
            _time.Advance(TimeSpan.FromSeconds(1));
            return false;
        }, "done in the end");
}
