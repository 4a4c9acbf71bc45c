using System.Runtime.InteropServices;
using System.Text;
using Berth.Bench.Workloads;

namespace Berth.Bench.Reports;

/// <summary>The figures as Markdown tables: speed with ratios and bars, memory, processor time.</summary>
internal static class MarkdownReport
{
    private const double QuietShare = 0.15;

    internal static string Render(BenchOptions options, IReadOnlyList<WorkloadFigures> results, IReadOnlyList<Verdict> verdicts)
    {
        var text = new StringBuilder();
        if (results.Count == 0) return "nothing was measured\n";
        var names = results[0].Targets.Select(t => t.Target).ToArray();
        text.Append($"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC; {Environment.ProcessorCount} processors shared by servers and generator; ")
            .Append($"{RuntimeInformation.OSDescription}; medians of {options.Rounds} alternating rounds (pushes of the large blob: at most 3) of {options.RoundDuration.TotalSeconds:0.##} s; ")
            .Append($"large blob {options.LargeBytes / 1e6:0.#} MB.\n")
            .Append($"Ratio: how many times better than {names[0]}, median of the pairs of rounds (lowest to highest).\n\n");
        Speed(text, names, results, verdicts);
        Memory(text, names, results);
        Processor(text, names, results);
        Disturbance(text, results);
        var missed = verdicts.Count(v => !v.Passed);
        if (verdicts.Count > 0) text.Append($"\n{verdicts.Count - missed} of {verdicts.Count} bars reached.\n");
        return text.ToString();
    }

    private static void Speed(StringBuilder text, string[] names, IReadOnlyList<WorkloadFigures> results, IReadOnlyList<Verdict> verdicts)
    {
        Row(text, ["work", "unit", names[0], .. names.Skip(1).SelectMany(n => (string[])[n, "ratio", "bar", "aim", ""])]);
        Rule(text, 2, 1 + (5 * (names.Length - 1)));
        foreach (var result in results)
        {
            var cells = new List<string> { result.Workload.Title, UnitText(result.Workload.Unit), Number(result.Targets[0].Median) };
            foreach (var candidate in result.Targets.Skip(1))
            {
                var pairs = Bars.PairRatios(result, candidate).ToArray();
                cells.Add(Number(candidate.Median));
                cells.Add($"{Bars.Ratio(result, candidate):0.00} ({pairs.Min():0.00}–{pairs.Max():0.00})");
                cells.AddRange(VerdictCells(verdicts.FirstOrDefault(v => v.Workload == result.Workload.Name && v.Target == candidate.Target)));
            }

            Row(text, cells);
        }

        foreach (var peak in verdicts.Where(v => v.Workload == "peak-memory").GroupBy(v => v.Title))
        {
            var cells = new List<string> { peak.Key, "MB", "" };
            foreach (var name in names.Skip(1))
            {
                var verdict = peak.FirstOrDefault(v => v.Target == name);
                cells.AddRange([verdict is null ? "" : Number(verdict.Found), "", .. VerdictCells(verdict)]);
            }

            Row(text, cells);
        }
    }

    private static string[] VerdictCells(Verdict? verdict) => verdict is null
        ? ["", "", ""]
        : [verdict.IsRatio ? $"{verdict.Bar:0.##}x" : $"≤ {verdict.Bar:0.##}", verdict.Aim is { } aim ? $"{aim:0.##}x" : "", verdict.Passed ? "pass" : "**FAIL**"];

    private static void Memory(StringBuilder text, string[] names, IReadOnlyList<WorkloadFigures> results)
    {
        text.Append("\nResident memory of the server, MB: highest during the work / at its end.\n\n");
        Row(text, ["work", .. names]);
        Rule(text, 1, names.Length);
        foreach (var result in results.Where(r => r.Targets.Any(t => t.PeakBytes is not null)))
        {
            Row(text, [result.Workload.Title, .. result.Targets.Select(t =>
                t.PeakBytes is { } peak && t.ResidentBytes is { } now ? $"{peak / 1e6:0} / {now / 1e6:0}" : "")]);
        }
    }

    private static void Processor(StringBuilder text, string[] names, IReadOnlyList<WorkloadFigures> results)
    {
        text.Append("\nProcessor time an operation, µs: server / generator (a large blob, a list reading and an image are one operation each).\n\n");
        Row(text, ["work", .. names]);
        Rule(text, 1, names.Length);
        foreach (var result in results.Where(r => !r.Workload.Restarts))
            Row(text, [result.Workload.Title, .. result.Targets.Select(PerOperation)]);
    }

    /// <summary>Says how much of the processors other programs took: the figures of a busy machine mean little.</summary>
    private static void Disturbance(StringBuilder text, IReadOnlyList<WorkloadFigures> results)
    {
        var shares = results.SelectMany(r => r.Targets).SelectMany(t => t.Rounds).Select(r => r.OthersShare).OfType<double>().ToArray();
        if (shares.Length == 0) return;
        var median = Statistics.Median(shares);
        text.Append($"\nOther programs and the kernel's own threads took {median:0%} of the processors (median of all rounds; at most {shares.Max():0%}).");
        text.Append(median > QuietShare ? " **The machine was busy: measure again.**\n" : "\n");
    }

    private static string PerOperation(TargetFigures figures)
    {
        var operations = figures.Rounds.Sum(r => r.Operations);
        var server = figures.Rounds.Sum(r => r.ServerTime?.TotalMicroseconds ?? double.NaN) / operations;
        var generator = figures.Rounds.Sum(r => r.GeneratorTime.TotalMicroseconds) / operations;
        return $"{(double.IsNaN(server) ? "?" : Number(server))} / {Number(generator)}";
    }

    private static string UnitText(Unit unit) => unit switch
    {
        Unit.PerSecond => "per s",
        Unit.MegabytesPerSecond => "MB/s",
        Unit.Milliseconds => "ms",
        _ => "MB",
    };

    private static string Number(double value) => value >= 100 ? $"{value:#,0}" : value >= 10 ? $"{value:0.0}" : $"{value:0.00}";

    private static void Row(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static void Rule(StringBuilder text, int left, int right) =>
        Row(text, Enumerable.Repeat("---", left).Concat(Enumerable.Repeat("---:", right)));
}
