namespace Berth.Scanner.Tests.Fuzzing;

/// <summary>
/// Readers of untrusted bytes with changed samples: no crash, no hang, no memory without measure. Seconds in the gate; by hand <c>BERTH_FUZZ_SECONDS</c> runs it longer, <c>BERTH_FUZZ_SEED</c>
/// repeats a run, <c>BERTH_FUZZ_TARGET</c> chooses targets by the start of their names, <c>BERTH_FUZZ_FOLDER</c> keeps inputs with problems.
/// </summary>
public sealed class FuzzTests
{
    [Fact]
    public void Changed_inputs_never_crash_hang_or_exhaust()
    {
        var seconds = Number("BERTH_FUZZ_SECONDS", 8);
        var chosen = Environment.GetEnvironmentVariable("BERTH_FUZZ_TARGET") ?? "";
        using var targets = new FuzzTargets();
        var run = new FuzzRun([.. targets.All.Where(target => target.Name.StartsWith(chosen, StringComparison.Ordinal))], Number("BERTH_FUZZ_SEED", 6), Environment.GetEnvironmentVariable("BERTH_FUZZ_FOLDER"));
        run.Go(TimeSpan.FromSeconds(seconds));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join("\n", run.Runs.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}\t{one.Value}")));
        if (Environment.GetEnvironmentVariable("BERTH_FUZZ_FOLDER") is { } folder)
            File.AppendAllText(Path.Combine(folder, "runs.log"), $"seed {Number("BERTH_FUZZ_SEED", 6)}, {seconds} s, {run.Runs.Values.Sum()} inputs, {run.Problems.Count} problems\n{string.Join("\n", run.Runs.Select(one => $"  {one.Key} {one.Value}"))}\n");
        Assert.True(run.Problems.Count == 0, string.Join("\n\n", run.Problems.Take(10)));
        Assert.True(run.Runs.Values.Sum() > 20, "too few inputs were tried");
    }

    [Fact]
    public void Samples_are_read_as_they_are()
    {
        using var targets = new FuzzTargets();
        var run = new FuzzRun(targets.All, 0);
        foreach (var target in targets.All)
        {
            Assert.NotEmpty(target.Samples);
            foreach (var sample in target.Samples.Where(sample => sample.Length < 200_000).Take(20)) run.Once(target, sample, "sample");
        }
        Assert.Empty(run.Problems);
    }

    private static int Number(string name, int standard) => int.TryParse(Environment.GetEnvironmentVariable(name), out var number) ? number : standard;
}
