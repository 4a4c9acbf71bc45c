namespace Berth.Scanner.Advisories.Cvss;

/// <summary>CVSS 2.0 base scores (guide, section 3.2.1).</summary>
public static class CvssV2
{
    /// <summary>0 to 10 with one decimal; null when the vector cannot be read or a base metric is missing.</summary>
    public static double? BaseScore(string vector)
    {
        if (CvssVector.Parse(vector) is not { } metrics)
            return null;
        var exploitability = 20 * metrics.Weight("AV", ("L", 0.395), ("A", 0.646), ("N", 1))
            * metrics.Weight("AC", ("H", 0.35), ("M", 0.61), ("L", 0.71))
            * metrics.Weight("Au", ("M", 0.45), ("S", 0.56), ("N", 0.704));
        var impact = 10.41 * (1 - ((1 - Impact(metrics, "C")) * (1 - Impact(metrics, "I")) * (1 - Impact(metrics, "A"))));
        if (double.IsNaN(exploitability) || double.IsNaN(impact))
            return null;
        return Math.Round(((0.6 * impact) + (0.4 * exploitability) - 1.5) * (impact == 0 ? 0 : 1.176), 1, MidpointRounding.AwayFromZero);
    }

    private static double Impact(Dictionary<string, string> metrics, string metric) =>
        metrics.Weight(metric, ("N", 0), ("P", 0.275), ("C", 0.660));
}
