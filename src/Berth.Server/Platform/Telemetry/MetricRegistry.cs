using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>One value of a metric whose labels are known only when it is asked for.</summary>
public sealed record MetricSample(double Value, params (string Name, string Value)[] Labels);

/// <summary>
/// The metrics that the page shows. A feature registers callbacks at start; they are called when the page is asked for, so they must be
/// quick (a field, a sum of counters; a database count only when it is bounded and indexed). Names start with <c>berth_</c>, counters end in
/// <c>_total</c>, histograms in <c>_seconds</c>; a name that Prometheus' own linter would reject is refused here. Samples of one name with different
/// labels may be registered one by one.
/// </summary>
public sealed partial class MetricRegistry(ILogger<MetricRegistry> logger)
{
    private readonly Lock _gate = new();
    private readonly List<Func<CancellationToken, ValueTask>> _refreshes = [];
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);

    /// <summary>Registers a value that only rises.</summary>
    public void AddCounter(string name, string help, Func<double> read, params (string Name, string Value)[] labels) =>
        Add(name, help, MetricKind.Counter, to => to.Sample(read(), labels));

    /// <summary>Registers a value that rises and falls.</summary>
    public void AddGauge(string name, string help, Func<double> read, params (string Name, string Value)[] labels) =>
        Add(name, help, MetricKind.Gauge, to => to.Sample(read(), labels));

    /// <summary>Registers counters whose labels are known only at run time, such as one for each endpoint.</summary>
    public void AddCounters(string name, string help, Func<IEnumerable<MetricSample>> read) => Add(name, help, MetricKind.Counter, Samples(read));

    /// <summary>Registers gauges whose labels are known only at run time.</summary>
    public void AddGauges(string name, string help, Func<IEnumerable<MetricSample>> read) => Add(name, help, MetricKind.Gauge, Samples(read));

    /// <summary>Makes and registers a histogram of durations.</summary>
    public LatencyHistogram AddHistogram(string name, string help, IReadOnlyList<double> bounds, params (string Name, string Value)[] labels)
    {
        var histogram = new LatencyHistogram(bounds);
        Add(name, help, MetricKind.Histogram, to => to.Histogram(histogram, labels));
        return histogram;
    }

    /// <summary>Registers whatever writes its own samples of a family.</summary>
    public void Add(string name, string help, MetricKind kind, Action<MetricsWriter> write)
    {
        Check(name, help, kind);
        lock (_gate)
        {
            if (!_families.TryGetValue(name, out var family)) _families.Add(name, family = new Family(help, kind, []));
            else if (family.Help != help || family.Kind != kind) throw new ArgumentException($"metric {name} was registered before with another help or kind");
            family.Writers.Add(write);
        }
    }

    /// <summary>Registers what reads figures that no callback could: it is awaited before the page is written, and keeps its own distance between two readings.</summary>
    public void AddRefresh(Func<CancellationToken, ValueTask> refresh)
    {
        lock (_gate) _refreshes.Add(refresh);
    }

    /// <summary>Lets all figures be read again. What cannot be read in time stays as it was.</summary>
    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        Func<CancellationToken, ValueTask>[] all;
        lock (_gate) all = [.. _refreshes];
        foreach (var refresh in all)
        {
            try
            {
                await refresh(ct).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // As in Write: another feature's code.
            catch (Exception e)
#pragma warning restore CA1031
            {
                logger.RefreshFailed(e.Message);
            }
        }
    }

    /// <summary>Names in use, for the list that a test approves.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate) return [.. _families.Keys];
        }
    }

    /// <summary>Writes all metrics. A callback that fails costs its own samples, not the page.</summary>
    public void Write(LineBuffer to, bool openMetrics)
    {
        KeyValuePair<string, Family>[] families;
        lock (_gate) families = [.. _families];
        var writer = new MetricsWriter(to, openMetrics);
        foreach (var (name, family) in families)
        {
            writer.Family(name, family.Help, family.Kind);
            Action<MetricsWriter>[] writers;
            lock (_gate) writers = [.. family.Writers];
            foreach (var write in writers)
            {
                try
                {
                    write(writer);
                }
#pragma warning disable CA1031 // A callback is another feature's code: whatever it throws must not take all other metrics from the operator.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    logger.MetricFailed(name, e);
                }
            }
        }
        writer.End();
    }

    private static Action<MetricsWriter> Samples(Func<IEnumerable<MetricSample>> read) => to =>
    {
        // All samples before the first is written: a callback that fails half-way leaves no half line.
        foreach (var sample in read().ToArray()) to.Sample(sample.Value, sample.Labels);
    };

    private static void Check(string name, string help, MetricKind kind)
    {
        if (!NameForm().IsMatch(name)) throw new ArgumentException($"metric {name}: names are small letters, digits and _, and start with berth_, process_ or dotnet_");
        if (help.Length == 0) throw new ArgumentException($"metric {name} needs a help text");
        var rightEnd = kind switch
        {
            MetricKind.Counter => name.EndsWith("_total", StringComparison.Ordinal),
            MetricKind.Histogram => name.EndsWith("_seconds", StringComparison.Ordinal),
            _ => !WrongGaugeEnd().IsMatch(name),
        };
        if (!rightEnd) throw new ArgumentException($"metric {name}: counters end in _total, histograms in _seconds, gauges in neither _total, _count, _sum nor _bucket");
    }

    [GeneratedRegex("^(berth|process|dotnet)_[a-z0-9_]*[a-z0-9]$")]
    private static partial Regex NameForm();

    [GeneratedRegex("_(total|count|sum|bucket)$")]
    private static partial Regex WrongGaugeEnd();

    private sealed record Family(string Help, MetricKind Kind, List<Action<MetricsWriter>> Writers);
}

internal static partial class MetricRegistryLog
{
    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "metric {Metric} could not be read")]
    public static partial void MetricFailed(this ILogger logger, string metric, Exception exception);

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message = "figures of the metrics page could not be read: {Problem}")]
    public static partial void RefreshFailed(this ILogger logger, string problem);
}
