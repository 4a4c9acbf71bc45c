using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Retention;

/// <summary>
/// Adds a run over the repository that was pushed to, where its policy asks for that; a little later, so that a build that pushes many tags makes one. Whether any policy
/// asks is remembered, and forgotten when a policy is saved. Pushes of the same minute share a run, which begins after it: none of them comes too late for it.
/// </summary>
internal sealed class RetentionOnPush : IRegistryEventWriter
{
    private const long WindowSeconds = 60;

    private readonly JobQueue _queue;
    private readonly TimeProvider _time;
    private volatile bool _mayWant = true;

    public RetentionOnPush(Database database, JobQueue queue, TimeProvider time)
    {
        (_queue, _time) = (queue, time);
        database.Announcements.Subscribe(Topics.Access, _ => _mayWant = true);
    }

    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => action == RegistryEventAction.Push && _mayWant;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        if (registryEvent.IsBlob || registryEvent.Action != RegistryEventAction.Push) return;
        // Set before the question: an announcement that comes in between is not lost.
        _mayWant = false;
        if (await session.ScalarAsync(SelectAny, [], ct).ConfigureAwait(false) is null) return;
        _mayWant = true;
        if (await session.ScalarAsync(SelectProject, [ProjectName.Of(registryEvent.Repository)], ct).ConfigureAwait(false) is not { } project) return;
        var policy = await PolicyRows.NearestAsync(session, project, ProjectName.WithoutProject(registryEvent.Repository), ct).ConfigureAwait(false);
        if (policy is not { RunsOnPush: true }) return;
        var window = _time.GetUtcNow().ToUnixTimeSeconds() / WindowSeconds;
        await _queue.EnqueueAsync(session, new NewJob
        {
            Kind = RetentionJob.JobKind,
            Payload = RetentionJob.PayloadOf(new RetentionWork { PolicyId = policy.Id, Repository = registryEvent.Repository }),
            VendorKey = PolicyRows.VendorKey(policy.Id),
            ProjectId = project,
            Trigger = JobTrigger.Event,
            DedupeKey = $"{PolicyRows.VendorKey(policy.Id)}:{registryEvent.Repository}:{window}",
            // A whole window between, for transactions that take long.
            RunAt = DateTimeOffset.FromUnixTimeSeconds((window + 2) * WindowSeconds),
        }, ct).ConfigureAwait(false);
    }

    private static readonly Statement SelectAny = new("SELECT id FROM retention_policies WHERE runs_on_push AND NOT is_disabled LIMIT 1");
    private static readonly Statement SelectProject = new("SELECT id FROM projects WHERE name = @0");
}
