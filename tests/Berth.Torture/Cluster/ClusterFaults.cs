namespace Berth.Torture.Cluster;

/// <summary>Does to a cluster what the plan says.</summary>
public sealed class ClusterFaults(TestCluster cluster, ClusterPlan plan, ClusterJournal journal, TimeProvider time) : IDisposable
{
    // Two faults of one thing wait for each other.
    private readonly SemaphoreSlim[] _replicas = [.. Enumerable.Range(0, TestCluster.Replicas).Select(_ => new SemaphoreSlim(1))];
    private readonly SemaphoreSlim[] _databaseLinks = [.. Enumerable.Range(0, TestCluster.Replicas).Select(_ => new SemaphoreSlim(1))];
    private readonly SemaphoreSlim _database = new(1);
    private readonly SemaphoreSlim _stores = new(1);

    /// <summary>Runs them all; when it is done everything is whole again, though perhaps still starting.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var running = new List<Task>();
        foreach (var fault in plan.Faults)
        {
            var wait = fault.At - time.GetElapsedTime(started);
            if (wait > TimeSpan.Zero) await Task.Delay(wait, time, ct);
            running.Add(RunAsync(fault, ct));
        }
        await Task.WhenAll(running);
    }

    public void Dispose()
    {
        foreach (var turn in (SemaphoreSlim[])[.. _replicas, .. _databaseLinks, _database, _stores]) turn.Dispose();
    }

    private async Task RunAsync(ClusterFault fault, CancellationToken ct)
    {
        var turn = fault.Kind switch
        {
            ClusterFaultKind.KillReplica or ClusterFaultKind.StopReplica => _replicas[fault.Replica],
            ClusterFaultKind.RestartDatabase or ClusterFaultKind.CrashDatabase => _database,
            ClusterFaultKind.CutDatabase or ClusterFaultKind.StallDatabase or ClusterFaultKind.ResetDatabase => _databaseLinks[fault.Replica],
            _ => _stores,
        };
        await turn.WaitAsync(ct);
        try
        {
            journal.Note(fault.ToString());
            journal.Count("faults");
            await DoAsync(fault, ct);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task DoAsync(ClusterFault fault, CancellationToken ct)
    {
        switch (fault.Kind)
        {
            case ClusterFaultKind.KillReplica or ClusterFaultKind.StopReplica:
                var replica = cluster.All[fault.Replica];
                await (fault.Kind == ClusterFaultKind.KillReplica ? replica.KillAsync() : replica.StopAsync());
                await Task.Delay(fault.Lasts, time, ct);
                replica.Start();
                await replica.ReadyAsync(TestCluster.Patience, ct);
                break;
            case ClusterFaultKind.RestartDatabase or ClusterFaultKind.CrashDatabase:
                journal.BeginDatabaseTrouble();
                await (fault.Kind == ClusterFaultKind.CrashDatabase ? cluster.Postgres.CrashAsync() : cluster.Postgres.StopAsync());
                await Task.Delay(fault.Lasts, time, ct);
                await cluster.Postgres.StartAsync();
                journal.EndDatabaseTrouble();
                break;
            case ClusterFaultKind.CutDatabase or ClusterFaultKind.StallDatabase:
                journal.BeginDatabaseTrouble();
                cluster.All[fault.Replica].Database.Set(fault.Kind == ClusterFaultKind.CutDatabase ? LinkState.Cut : LinkState.Stalled);
                await Task.Delay(fault.Lasts, time, ct);
                cluster.All[fault.Replica].Database.Set(LinkState.Open);
                journal.EndDatabaseTrouble();
                break;
            case ClusterFaultKind.ResetDatabase:
                journal.BeginDatabaseTrouble();
                cluster.All[fault.Replica].Database.Reset();
                journal.EndDatabaseTrouble();
                break;
            default:
                await SpoilStoreAsync(fault, ct);
                break;
        }
    }

    private async Task SpoilStoreAsync(ClusterFault fault, CancellationToken ct)
    {
        var links = cluster.All.Where(r => fault.Replica < 0 || r.Number == fault.Replica).Select(r => r.Store).ToList();
        if (fault.Kind == ClusterFaultKind.ResetStore)
        {
            links.ForEach(l => l.Reset());
            return;
        }
        var state = fault.Kind switch
        {
            ClusterFaultKind.CutStore => LinkState.Cut,
            ClusterFaultKind.StallStore => LinkState.Stalled,
            _ => LinkState.Slow,
        };
        links.ForEach(l => l.Set(state));
        await Task.Delay(fault.Lasts, time, ct);
        links.ForEach(l => l.Set(LinkState.Open));
    }
}
