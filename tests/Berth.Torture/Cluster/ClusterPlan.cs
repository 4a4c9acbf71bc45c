using System.Security.Cryptography;
using System.Text;

namespace Berth.Torture.Cluster;

/// <summary>What a client does.</summary>
public enum OperationKind
{
    Push,
    PushIndex,
    PushReferrer,
    Retag,
    Pull,
    ReadDeleted,
    DeleteTag,
    DeleteManifest,
    LooseBlob,
    AbandonUpload,
}

/// <summary>What is done to the cluster.</summary>
public enum ClusterFaultKind
{
    KillReplica,
    StopReplica,
    RestartDatabase,
    CrashDatabase,
    CutDatabase,
    StallDatabase,
    ResetDatabase,
    CutStore,
    StallStore,
    SlowStore,
    ResetStore,
}

/// <summary>One operation of one client; everything random in it comes from its own seed.</summary>
public sealed record Operation(int Client, int Number, OperationKind Kind, int Seed)
{
    public override string ToString() => $"client {Client} operation {Number} ({Kind})";
}

/// <summary>One fault.</summary>
/// <param name="At">When it begins.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Replica">The replica that it is done to, or whose connections are; -1 for all.</param>
/// <param name="Lasts">How long.</param>
public sealed record ClusterFault(TimeSpan At, ClusterFaultKind Kind, int Replica, TimeSpan Lasts)
{
    public override string ToString() => $"{At.TotalSeconds,6:F1} s  {Kind} {(Replica < 0 ? "all" : Replica)} for {Lasts.TotalSeconds:F1} s";
}

/// <summary>The order of everything that a run does. It follows from the seed alone; what comes of it, and when exactly, does not.</summary>
public sealed class ClusterPlan
{
    private static readonly (OperationKind Kind, int Weight)[] s_operations =
    [
        (OperationKind.Push, 32), (OperationKind.PushIndex, 6), (OperationKind.PushReferrer, 8), (OperationKind.Retag, 14), (OperationKind.Pull, 16),
        (OperationKind.ReadDeleted, 4), (OperationKind.DeleteTag, 7), (OperationKind.DeleteManifest, 9), (OperationKind.LooseBlob, 2), (OperationKind.AbandonUpload, 2),
    ];

    private static readonly (ClusterFaultKind Kind, int Weight)[] s_faults =
    [
        (ClusterFaultKind.KillReplica, 24), (ClusterFaultKind.StopReplica, 4), (ClusterFaultKind.RestartDatabase, 6), (ClusterFaultKind.CrashDatabase, 10),
        (ClusterFaultKind.CutDatabase, 6), (ClusterFaultKind.StallDatabase, 6), (ClusterFaultKind.ResetDatabase, 8),
        (ClusterFaultKind.CutStore, 8), (ClusterFaultKind.StallStore, 12), (ClusterFaultKind.SlowStore, 6), (ClusterFaultKind.ResetStore, 10),
    ];

    public ClusterPlan(int seed, TimeSpan duration, int replicas)
    {
        Seed = seed;
        Faults = [.. MakeFaults(new Random(seed), duration, replicas)];
    }

    public int Seed { get; }

    /// <summary>In the order of time; the last ones are over before the run is.</summary>
    public IReadOnlyList<ClusterFault> Faults { get; }

    /// <summary>The operation that a client does after so many others.</summary>
    public Operation OperationOf(int client, int number)
    {
        var seed = BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes($"{Seed}/{client}/{number}")));
        return new Operation(client, number, Pick(s_operations, new Random(seed)), seed);
    }

    private static IEnumerable<ClusterFault> MakeFaults(Random random, TimeSpan duration, int replicas)
    {
        for (var at = TimeSpan.FromSeconds(2); ; at += Between(random, 0.8, 4))
        {
            var kind = Pick(s_faults, random);
            var lasts = kind is ClusterFaultKind.ResetDatabase or ClusterFaultKind.ResetStore ? TimeSpan.Zero : Between(random, 0.3, random.Next(8) == 0 ? 7 : 2.5);
            // A store, and its network, mostly fail for everybody.
            var replica = kind switch
            {
                ClusterFaultKind.RestartDatabase or ClusterFaultKind.CrashDatabase => -1,
                ClusterFaultKind.CutStore or ClusterFaultKind.StallStore or ClusterFaultKind.SlowStore or ClusterFaultKind.ResetStore => random.Next(-replicas, replicas),
                _ => random.Next(replicas),
            };
            if (at + lasts >= duration) yield break;
            yield return new ClusterFault(at, kind, Math.Max(-1, replica), lasts);
        }
    }

    private static TimeSpan Between(Random random, double from, double to) => TimeSpan.FromSeconds(from + (random.NextDouble() * (to - from)));

    private static T Pick<T>((T Kind, int Weight)[] kinds, Random random)
    {
        var left = random.Next(kinds.Sum(k => k.Weight));
        foreach (var (kind, weight) in kinds)
        {
            if ((left -= weight) < 0) return kind;
        }
        throw new InvalidOperationException("the weights do not add up");
    }
}
