using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Retention;

/// <summary>
/// Adds a run over the repository that was pushed to, where its policy asks for that; a little later, so that a build that pushes many tags makes one. Whether any policy
/// asks is remembered, and forgotten when a policy is saved.
/// </summary>
internal sealed class RetentionOnPush : IRegistryEventWriter
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMinutes(1);

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
        await _queue.EnqueueAsync(session, new NewJob
        {
            Kind = RetentionJob.JobKind,
            Payload = RetentionJob.PayloadOf(new RetentionWork { PolicyId = policy.Id, Repository = registryEvent.Repository }),
            VendorKey = PolicyRows.VendorKey(policy.Id),
            ProjectId = project,
            Trigger = JobTrigger.Event,
            DedupeKey = $"{PolicyRows.VendorKey(policy.Id)}:{registryEvent.Repository}",
            RunAt = _time.GetUtcNow() + s_delay,
        }, ct).ConfigureAwait(false);
    }

    private static readonly Statement SelectAny = new("SELECT id FROM retention_policies WHERE runs_on_push AND NOT is_disabled LIMIT 1");
    private static readonly Statement SelectProject = new("SELECT id FROM projects WHERE name = @0");
}
