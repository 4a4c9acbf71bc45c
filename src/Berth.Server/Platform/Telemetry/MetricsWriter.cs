namespace Berth.Server.Platform.Telemetry;

/// <summary>What Prometheus does with a metric.</summary>
public enum MetricKind
{
    /// <summary>Only rises; its name ends in <c>_total</c>.</summary>
    Counter,

    /// <summary>Rises and falls.</summary>
    Gauge,

    /// <summary>Durations in buckets; its name ends in <c>_seconds</c>.</summary>
    Histogram,
}

/// <summary>
/// Writes the Prometheus text format 0.0.4, or OpenMetrics 1.0 when asked (there, the family of a counter has no <c>_total</c>, and the page
/// ends with <c># EOF</c>). A family is announced once, then its samples follow.
/// </summary>
public sealed class MetricsWriter(LineBuffer to, bool openMetrics)
{
    private string _name = "";

    /// <summary>Announces a family of samples.</summary>
    public void Family(string name, string help, MetricKind kind)
    {
        _name = name;
        var family = openMetrics && kind == MetricKind.Counter ? name[..^"_total".Length] : name;
        to.Raw("# HELP "u8).Text(family).Raw(' ');
        Escaped(help, quotes: openMetrics);
        to.Raw("\n# TYPE "u8).Text(family).Raw(' ').Raw(kind switch
        {
            MetricKind.Counter => "counter\n"u8,
            MetricKind.Gauge => "gauge\n"u8,
            _ => "histogram\n"u8,
        });
    }

    /// <summary>Writes a sample of the family.</summary>
    public void Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        to.Text(_name);
        Labels(labels);
        to.Raw(' ');
        Value(value);
        to.Raw('\n');
    }

    /// <summary>Writes the samples of a histogram: cumulative buckets, sum and count.</summary>
    public void Histogram(LatencyHistogram histogram, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        long count = 0;
        for (var i = 0; i <= histogram.Bounds.Count; i++)
        {
            count += histogram.InBucket(i);
            to.Text(_name).Raw("_bucket"u8);
            var bound = new LineBuffer();
            if (i == histogram.Bounds.Count) bound.Raw("+Inf"u8);
            else Bound(bound, histogram.Bounds[i]);
            Labels(labels, bound.Written);
            to.Raw(' ').Number(count).Raw('\n');
        }
        to.Text(_name).Raw("_sum"u8);
        Labels(labels);
        to.Raw(' ').Number(histogram.SumSeconds()).Raw('\n').Text(_name).Raw("_count"u8);
        Labels(labels);
        to.Raw(' ').Number(count).Raw('\n');
    }

    /// <summary>Ends the page.</summary>
    public void End()
    {
        if (openMetrics) to.Raw("# EOF\n"u8);
    }

    private void Bound(LineBuffer buffer, double bound)
    {
        // OpenMetrics wants 1.0 where the older format has 1; neither wants 5E-05.
        if (bound < 1e-4) buffer.Text(bound.ToString("0.0#########"));
        else buffer.Number(bound);
        if (openMetrics && bound == Math.Floor(bound)) buffer.Raw(".0"u8);
    }

    private void Value(double value)
    {
        if (double.IsNaN(value)) to.Raw("NaN"u8);
        else if (double.IsPositiveInfinity(value)) to.Raw("+Inf"u8);
        else if (double.IsNegativeInfinity(value)) to.Raw("-Inf"u8);
        else if (value == Math.Floor(value) && Math.Abs(value) < 1e15) to.Number((long)value);
        else to.Number(value);
    }

    private void Labels(ReadOnlySpan<(string Name, string Value)> labels, ReadOnlySpan<byte> bound = default)
    {
        if (labels.Length == 0 && bound.Length == 0) return;
        to.Raw('{');
        for (var i = 0; i < labels.Length; i++)
        {
            if (i > 0) to.Raw(',');
            to.Text(labels[i].Name).Raw("=\""u8);
            Escaped(labels[i].Value, quotes: true);
            to.Raw('"');
        }
        if (bound.Length > 0) to.Raw(labels.Length > 0 ? ",le=\""u8 : "le=\""u8).Raw(bound).Raw('"');
        to.Raw('}');
    }

    private void Escaped(string text, bool quotes)
    {
        foreach (var c in text)
        {
            if (c == '\\' || (c == '"' && quotes)) to.Raw('\\').Raw(c);
            else if (c == '\n') to.Raw("\\n"u8);
            else to.Text([c]);
        }
    }
}
