using Berth.Bench.Workloads;

namespace Berth.Bench.Reports;

/// <summary>
/// One judgement: what was asked of which target, what was found. A ratio is how many times better than the yardstick; the other bars are
/// an upper limit in the workload's unit. <paramref name="Aim"/> is what we would like beyond the bar, null when nothing was written down.
/// </summary>
internal sealed record Verdict(string Workload, string Title, string Target, bool IsRatio, double Bar, double? Aim, double Found)
{
    internal bool Passed => IsRatio ? Found >= Bar : Found <= Bar;
}

/// <summary>What the candidates must reach. The first target of the command line is the yardstick and is not judged.</summary>
internal static class Bars
{
    private const double StartLimitMilliseconds = 700;
    private const double IdleLimitMegabytes = 120;
    private const double PeakLimitMegabytes = 300;
    private const double ScaleRatio = 1 / 1.2;
    private const double AccessRatio = 0.8;
    private const double EncryptionRatio = 0.75;
    private const double StoreRatio = 0.85;

    private static readonly Dictionary<string, (double Bar, double? Aim)> Ratios = new()
    {
        ["manifest-get-tag"] = (15, 20),
        ["manifest-head-tag"] = (15, 20),
        ["blob-get-10k"] = (20, 30),
        ["blob-get-1m"] = (3.7, 4.5),
        ["blob-get-1g-1"] = (1.0, 1.2),
        ["blob-get-1g-4"] = (1.1, 1.2),
        ["push-1g-1"] = (1.1, 1.5),
        ["push-1g-4"] = (1.1, 1.5),
        ["images-docker"] = (4, 8),
        ["images-post-put"] = (4, 8),
        ["tags-page"] = (10, null),
        ["tags-whole"] = (3, null),
        ["catalog-page"] = (5, null),
        ["catalog-walk"] = (30, null),
    };

    private static readonly Dictionary<string, double> UpperLimits = new()
    {
        ["start-up"] = StartLimitMilliseconds,
        ["idle-memory"] = IdleLimitMegabytes,
    };

    internal static IReadOnlyList<Verdict> Judge(string set, IReadOnlyList<WorkloadFigures> results)
    {
        if (set == "none") return [];
        var verdicts = new List<Verdict>();
        foreach (var result in results)
        {
            foreach (var candidate in result.Targets.Skip(1))
                verdicts.AddRange(set switch
                {
                    "scale" => JudgeRatio(result, candidate, ScaleRatio),
                    "access" => JudgeRatio(result, candidate, AccessRatio),
                    "stores" => JudgeRatio(result, candidate, StoreRatio),
                    "encryption" => JudgeRatio(result, candidate, EncryptionRatio),
                    _ => JudgeIssue(result, candidate),
                });
        }

        if (set == "issue") verdicts.AddRange(JudgePeaks(results));
        return verdicts;
    }

    /// <summary>
    /// How many times better the candidate is than the yardstick: the median of the ratios of each pair of rounds, which one slow
    /// moment of the machine cannot move much.
    /// </summary>
    internal static double Ratio(WorkloadFigures result, TargetFigures candidate) => Statistics.Median(PairRatios(result, candidate));

    internal static IEnumerable<double> PairRatios(WorkloadFigures result, TargetFigures candidate)
    {
        var more = result.Workload.Unit is Unit.PerSecond or Unit.MegabytesPerSecond;
        return candidate.Rounds.Zip(result.Targets[0].Rounds, (c, y) => more ? c.Value / y.Value : y.Value / c.Value);
    }

    private static IEnumerable<Verdict> JudgeIssue(WorkloadFigures result, TargetFigures candidate)
    {
        var workload = result.Workload;
        if (Ratios.TryGetValue(workload.Name, out var ratio))
            yield return new Verdict(workload.Name, workload.Title, candidate.Target, true, ratio.Bar, ratio.Aim, Ratio(result, candidate));
        if (UpperLimits.TryGetValue(workload.Name, out var limit))
            yield return new Verdict(workload.Name, workload.Title, candidate.Target, false, limit, null, candidate.Median);
    }

    private static IEnumerable<Verdict> JudgeRatio(WorkloadFigures result, TargetFigures candidate, double bar)
    {
        if (!result.Workload.Restarts)
            yield return new Verdict(result.Workload.Name, result.Workload.Title, candidate.Target, true, bar, null, Ratio(result, candidate));
    }

    /// <summary>The highest resident memory of each candidate over all workloads.</summary>
    private static IEnumerable<Verdict> JudgePeaks(IReadOnlyList<WorkloadFigures> results) =>
        from result in results
        from figures in result.Targets.Skip(1)
        where figures.PeakBytes is not null
        group (result.Workload, Peak: figures.PeakBytes!.Value / 1e6) by figures.Target into target
        let worst = target.MaxBy(t => t.Peak)
        select new Verdict("peak-memory", $"resident memory peak (in {worst.Workload.Name})", target.Key, false, PeakLimitMegabytes, null, worst.Peak);
}
