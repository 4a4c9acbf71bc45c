using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Bench.Reports;

/// <summary>All figures of a run as JSON: each round, not only medians. Times are in seconds, memory in bytes.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    internal static string Render(BenchOptions options, IReadOnlyList<WorkloadFigures> results, IReadOnlyList<Verdict> verdicts) =>
        JsonSerializer.Serialize(
            new
            {
                At = TimeProvider.System.GetUtcNow(),
                Machine = new { RuntimeInformation.OSDescription, Environment.ProcessorCount },
                options.Rounds,
                RoundSeconds = options.RoundDuration.TotalSeconds,
                options.LargeBytes,
                Targets = options.Targets.Select(t => new { t.Name, Url = t.Url.ToString() }),
                Workloads = results.Select(result => new
                {
                    result.Workload.Name,
                    result.Workload.Title,
                    Unit = result.Workload.Unit.ToString(),
                    Targets = result.Targets.Select((t, i) => new
                    {
                        Name = t.Target,
                        t.Median,
                        Ratio = i == 0 ? (double?)null : Bars.Ratio(result, t),
                        t.PeakBytes,
                        t.ResidentBytes,
                        WarmUp = RoundOf(t.WarmUp),
                        Rounds = t.Rounds.Select(RoundOf),
                    }),
                }),
                Bars = verdicts.Select(v => new { v.Workload, v.Target, Kind = v.IsRatio ? "ratio" : "upperLimit", v.Bar, v.Aim, v.Found, v.Passed }),
            },
            Format) + "\n";

    private static object RoundOf(RoundFigures round) => new
    {
        round.Value,
        round.Operations,
        ElapsedSeconds = round.Elapsed.TotalSeconds,
        ServerSeconds = round.ServerTime?.TotalSeconds,
        GeneratorSeconds = round.GeneratorTime.TotalSeconds,
        round.OthersShare,
    };
}
