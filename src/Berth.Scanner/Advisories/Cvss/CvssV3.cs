namespace Berth.Scanner.Advisories.Cvss;

/// <summary>CVSS 3.0 and 3.1 base scores (specification document, section 7.1).</summary>
public static class CvssV3
{
    /// <summary>0 to 10 with one decimal; null when the vector cannot be read or a base metric is missing.</summary>
    public static double? BaseScore(string vector)
    {
        if (!vector.StartsWith("CVSS:3.", StringComparison.Ordinal) || CvssVector.Parse(vector) is not { } metrics)
            return null;
        var changed = metrics.GetValueOrDefault("S") == "C";
        if (!changed && metrics.GetValueOrDefault("S") != "U")
            return null;
        var exploitability = 8.22 * metrics.Weight("AV", ("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2))
            * metrics.Weight("AC", ("L", 0.77), ("H", 0.44))
            * metrics.Weight("PR", ("N", 0.85), ("L", changed ? 0.68 : 0.62), ("H", changed ? 0.5 : 0.27))
            * metrics.Weight("UI", ("N", 0.85), ("R", 0.62));
        var subscore = 1 - ((1 - Impact(metrics, "C")) * (1 - Impact(metrics, "I")) * (1 - Impact(metrics, "A")));
        var impact = changed ? (7.52 * (subscore - 0.029)) - (3.25 * Math.Pow(subscore - 0.02, 15)) : 6.42 * subscore;
        if (double.IsNaN(exploitability) || double.IsNaN(impact))
            return null;
        return impact <= 0 ? 0 : RoundUp(Math.Min((changed ? 1.08 : 1) * (impact + exploitability), 10));
    }

    private static double Impact(Dictionary<string, string> metrics, string metric) =>
        metrics.Weight(metric, ("H", 0.56), ("L", 0.22), ("N", 0));

    /// <summary>The smallest number with one decimal that is not smaller (appendix A of 3.1, in integers against rounding errors).</summary>
    private static double RoundUp(double value)
    {
        var number = (int)Math.Round(value * 100_000);
        return number % 10_000 == 0 ? number / 100_000.0 : ((number / 10_000) + 1) / 10.0;
    }
}
