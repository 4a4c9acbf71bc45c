using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Tests.Platform.Jobs;

/// <summary>The rows of the queue: adding, stopping, listing, clearing up.</summary>
public sealed class JobQueueTests
{
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Fact]
    public void Numbers_of_stored_states_and_triggers_only_grow()
    {
        Assert.Equal(["Pending=0", "Waiting=1", "Running=2", "Succeeded=3", "Failed=4", "Cancelled=5"], Enum.GetValues<JobState>().Select(s => $"{s}={(int)s}"));
        Assert.Equal(["Manual=0", "Schedule=1", "Event=2"], Enum.GetValues<JobTrigger>().Select(t => $"{t}={(int)t}"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_job_is_there_when_its_transaction_is_committed_and_only_then(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a"));
        var gone = await site.WriteAsync(async session =>
        {
            var job = await site.Queue.EnqueueAsync(session, new NewJob { Kind = "a" }, CancellationToken.None);
            session.Rollback();
            return job;
        });
        Assert.True(gone.IsNew);
        Assert.Null(await site.ReadAsync(session => JobViews.FindAsync(session, gone.Id, CancellationToken.None)));
        var runAt = _time.GetUtcNow().AddHours(1);
        var kept = await site.EnqueueAsync(new NewJob
        {
            Kind = "a",
            Payload = """{"n":1}""",
            RunAt = runAt,
            MaxAttempts = 7,
            ProjectId = 3,
            VendorKey = "policy:7",
            Trigger = JobTrigger.Event,
            ScheduleId = 9,
            DedupeKey = "k",
            GroupKey = "g",
        });
        var row = await site.JobAsync(kept.Id);
        Assert.Equal(("a", """{"n":1}""", 7, 3L, "policy:7"), (row.Kind, row.Payload, row.MaxAttempts, row.ProjectId, row.VendorKey));
        Assert.Equal((JobTrigger.Event, 9L, "k", "g", JobState.Pending), (row.Trigger, row.ScheduleId, row.DedupeKey, row.GroupKey, row.State));
        Assert.Equal((runAt.ToUnixTimeMilliseconds(), _time.GetUtcNow().ToUnixTimeMilliseconds()), (row.DueAt, row.CreatedAt));
        Assert.Null(row.StartedAt);
        Assert.Null(row.FinishedAt);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bad")]
    [InlineData("a-b")]
    public async Task A_kind_that_is_not_well_formed_is_a_bug(string name)
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var site = new JobSite(database.Current, _time);
        await Assert.ThrowsAsync<ArgumentException>(() => site.EnqueueAsync(new NewJob { Kind = name }));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Of_unfinished_jobs_with_one_key_there_is_one(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a"));
        var job = new NewJob { Kind = "a", DedupeKey = "once" };
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => site.EnqueueAsync(job)));
        var first = Assert.Single(all, e => e.IsNew);
        Assert.All(all, e => Assert.Equal(first.Id, e.Id));
        Assert.Equal(JobCancellation.Cancelled, await site.CancelAsync(first.Id));
        var second = await site.EnqueueAsync(job);
        Assert.True(second.IsNew);
        Assert.NotEqual(first.Id, second.Id);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Behind_an_unfinished_job_of_the_group_a_job_waits(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a"));
        var ids = new List<long>();
        for (var i = 0; i < 3; i++) ids.Add((await site.EnqueueAsync(new NewJob { Kind = "a", GroupKey = "g" })).Id);
        var other = await site.EnqueueAsync(new NewJob { Kind = "a", GroupKey = "h" });
        Assert.Equal([JobState.Pending, JobState.Waiting, JobState.Waiting, JobState.Pending], await StatesAsync([.. ids, other.Id]));
        // Out of the middle, then the head: the one behind moves up.
        Assert.Equal(JobCancellation.Cancelled, await site.CancelAsync(ids[1]));
        Assert.Equal([JobState.Pending, JobState.Cancelled, JobState.Waiting], await StatesAsync([.. ids]));
        Assert.Equal(JobCancellation.Cancelled, await site.CancelAsync(ids[0]));
        Assert.Equal([JobState.Cancelled, JobState.Cancelled, JobState.Pending], await StatesAsync([.. ids]));
        Assert.Equal(JobCancellation.AlreadyFinished, await site.CancelAsync(ids[0]));
        Assert.Equal(JobCancellation.NotFound, await site.CancelAsync(999_999));

        async Task<JobState[]> StatesAsync(IReadOnlyList<long> of)
        {
            var states = new List<JobState>();
            foreach (var id in of) states.Add((await site.JobAsync(id)).State);
            return [.. states];
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Many_transactions_that_add_to_a_group_at_once_leave_one_head(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time, new TestHandler("a"));
        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => site.EnqueueAsync(new NewJob { Kind = "a", GroupKey = "g" + (i % 2) })));
        var jobs = await site.ReadAsync(session => JobViews.ListAsync(session, new JobFilter(), 0, 100, CancellationToken.None));
        foreach (var group in jobs.GroupBy(j => j.GroupKey))
        {
            var head = Assert.Single(group, j => j.State == JobState.Pending);
            Assert.Equal(group.Min(j => j.Id), head.Id);
            Assert.Equal(12, group.Count());
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Jobs_are_listed_and_counted_by_any_mix_of_filters(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new JobSite(database.Current, _time);
        var ids = new List<long>();
        for (var i = 0; i < 10; i++)
            ids.Add((await site.EnqueueAsync(new NewJob { Kind = i % 2 == 0 ? "even" : "odd", ProjectId = i % 3, VendorKey = "policy:" + (i % 5) })).Id);
        await site.CancelAsync(ids[4]);

        async Task ExpectAsync(JobFilter filter, params int[] expected)
        {
            Assert.Equal(expected.Select(i => ids[i]), await site.ReadAsync(async s => (await JobViews.ListAsync(s, filter, 0, 100, CancellationToken.None)).Select(j => j.Id)));
            Assert.Equal(expected.Length, await site.ReadAsync(s => JobViews.CountAsync(s, filter, CancellationToken.None)));
        }

        await ExpectAsync(new JobFilter(), 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        await ExpectAsync(new JobFilter { Kind = "even" }, 8, 6, 4, 2, 0);
        await ExpectAsync(new JobFilter { Kind = "even", States = [JobState.Pending] }, 8, 6, 2, 0);
        await ExpectAsync(new JobFilter { States = [JobState.Cancelled] }, 4);
        await ExpectAsync(new JobFilter { ProjectId = 0, VendorKey = "policy:4" }, 9);
        await ExpectAsync(new JobFilter { Kind = "odd", ProjectId = 1, VendorKey = "policy:2", States = [JobState.Pending] }, 7);
        await ExpectAsync(new JobFilter { ScheduleId = 1 });
        var page = await site.ReadAsync(s => JobViews.ListAsync(s, new JobFilter(), 3, 2, CancellationToken.None));
        Assert.Equal([ids[6], ids[5]], page.Select(j => j.Id));
        var backlog = await site.ReadAsync(s => JobViews.BacklogAsync(s, CancellationToken.None));
        Assert.Equal([("even", JobState.Pending, 4L), ("odd", JobState.Pending, 5L)], backlog.Select(b => (b.Kind, b.State, b.Count)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Finished_jobs_go_when_they_are_old_or_too_many_and_others_never(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var options = new JobOptions { KeepFinished = TimeSpan.FromDays(30), MaxFinished = 3 };
        await using var site = new JobSite(database.Current, _time, options, new TestHandler("a"), new TestHandler("b"));
        var old = await site.EnqueueAsync(new NewJob { Kind = "b" });
        var unfinished = await site.EnqueueAsync(new NewJob { Kind = "b", RunAt = _time.GetUtcNow().AddYears(1) });
        await site.CancelAsync(old.Id);
        _time.Advance(TimeSpan.FromDays(31));
        var ids = new List<long>();
        for (var i = 0; i < 5; i++) ids.Add((await site.EnqueueAsync(new NewJob { Kind = "a" })).Id);
        foreach (var id in ids) await site.CancelAsync(id);
        Assert.Equal(3, await site.Purge.RunAsync(CancellationToken.None));
        var left = await site.ReadAsync(s => JobViews.ListAsync(s, new JobFilter(), 0, 100, CancellationToken.None));
        Assert.Equal([ids[4], ids[3], ids[2], unfinished.Id], left.Select(j => j.Id));
        Assert.Equal(0, await site.Purge.RunAsync(CancellationToken.None));
    }
}
