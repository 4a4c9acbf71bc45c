using System.Diagnostics;

namespace Berth.Scanner.Tests.Fuzzing;

/// <summary>
/// Gives changed samples to targets until the time is up. An input counts as a problem when the reader throws what it must not, takes too long or takes too much memory. With a folder,
/// the input at work is always in <c>current</c> there, so that one which ends the process is not lost, and problems are kept beside it.
/// </summary>
internal sealed class FuzzRun(IReadOnlyList<FuzzTarget> targets, int seed, string? folder = null)
{
    /// <summary>Longest time for one input, on a busy machine.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(20);

    /// <summary>Most bytes that one input may make a reader ask for, all in all.</summary>
    public const long MaxAllocatedBytes = 600L << 20;

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(90);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private long startedAt = long.MaxValue;
    private string at = "";

    /// <summary>Inputs of each target.</summary>
    public Dictionary<string, long> Runs { get; } = new(StringComparer.Ordinal);

    /// <summary>What went wrong.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Works until the time is up.</summary>
    public void Go(TimeSpan time)
    {
        var random = new Random(seed);
        var mutator = new FuzzMutator(random);
        var choice = targets.SelectMany(target => Enumerable.Repeat(target, target.Weight)).ToArray();
        if (folder is not null) Directory.CreateDirectory(folder);
        using var watch = new Timer(_ => Watch(), null, Hang, TimeSpan.FromSeconds(5));
        while (clock.Elapsed < time)
        {
            var target = choice[random.Next(choice.Length)];
            var sample = target.Samples[random.Next(target.Samples.Count)];
            // Large samples take long to copy: they get their turn seldom.
            if (sample.Length > 300_000 && random.Next(20) > 0) continue;
            Once(target, target.Repair(mutator.Change(sample, target.Samples[random.Next(target.Samples.Count)])), $"seed {seed}, input {Runs.Values.Sum()}");
        }
    }

    /// <summary>Gives one input to a target.</summary>
    public void Once(FuzzTarget target, byte[] bytes, string what)
    {
        Runs[target.Name] = Runs.GetValueOrDefault(target.Name) + 1;
        at = target.Name + ": " + what;
        if (folder is not null) File.WriteAllBytes(Path.Combine(folder, "current." + Safe(target.Name)), bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = clock.Elapsed;
        Volatile.Write(ref startedAt, start.Ticks);
        string problem = "";
        try
        {
            target.Run(bytes);
        }
        catch (Exception e) when (target.IsRefusal(e))
        {
            // Refused, as it may be.
        }
        catch (Exception e)
        {
            problem = e.ToString();
        }
        Volatile.Write(ref startedAt, long.MaxValue);
        var took = clock.Elapsed - start;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (took > MaxTime) problem += $" took {took}";
        if (allocated > MaxAllocatedBytes) problem += $" took {allocated} bytes";
        if (folder is not null) File.Delete(Path.Combine(folder, "current." + Safe(target.Name)));
        if (problem.Length == 0) return;
        Problems.Add($"{target.Name} ({what}, {bytes.Length} bytes): {problem}");
        if (folder is null) return;
        File.WriteAllBytes(Path.Combine(folder, $"problem.{Problems.Count}.{seed}.{Safe(target.Name)}"), bytes);
        File.AppendAllText(Path.Combine(folder, "problems.log"), Problems[^1] + "\n\n");
    }

    private void Watch()
    {
        var started = Volatile.Read(ref startedAt);
        if (started != long.MaxValue && clock.Elapsed.Ticks - started > Hang.Ticks) Environment.FailFast($"an input hangs: {at}");
    }

    private static string Safe(string name) => name.Replace('/', '_').Replace(':', '_').Replace(' ', '_');
}
