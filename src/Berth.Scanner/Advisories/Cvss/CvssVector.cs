namespace Berth.Scanner.Advisories.Cvss;

/// <summary>The metrics of a CVSS vector, such as <c>AV:N/AC:L</c>.</summary>
internal static class CvssVector
{
    private const int MaxLength = 512;

    /// <summary>Metric to value; null when the text is no vector.</summary>
    public static Dictionary<string, string>? Parse(string vector)
    {
        if (vector.Length is 0 or > MaxLength)
            return null;
        var metrics = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in vector.Trim('(', ')', ' ').Split('/'))
        {
            var colon = part.IndexOf(':');
            if (colon <= 0 || !metrics.TryAdd(part[..colon], part[(colon + 1)..]))
                return null;
        }
        return metrics;
    }

    /// <summary>The weight of a metric's value; not a number when it is missing or unknown.</summary>
    public static double Weight(this Dictionary<string, string> metrics, string metric, params ReadOnlySpan<(string Value, double Weight)> weights)
    {
        if (metrics.TryGetValue(metric, out var value))
        {
            foreach (var (name, weight) in weights)
            {
                if (name == value)
                    return weight;
            }
        }
        return double.NaN;
    }
}
