using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Platform.Telemetry;

public sealed partial class MetricsTests
{
    private readonly MetricRegistry _registry = new(NullLogger<MetricRegistry>.Instance);

    [Theory]
    [InlineData(false, "metrics-prometheus.txt")]
    [InlineData(true, "metrics-openmetrics.txt")]
    public void The_page_has_the_approved_form(bool openMetrics, string file)
    {
        var requests = new RequestMetrics(_registry);
        requests.Started();
        requests.Started();
        requests.Finished("manifest", "GET", 200, Stopwatch.Frequency / 1000, 0, 1234);
        requests.Started();
        requests.Finished("upload", "PATCH", 202, Stopwatch.Frequency * 200, 5_000_000_000, 0);
        requests.Started();
        requests.Finished("blob", "BREW", 418, 0, 0, 0);
        _registry.AddGauge("berth_upload_sessions", "Open uploads \\ with \"quotes\".", () => 3);
        _registry.AddCounters("berth_notifications_total", "Deliveries.", () => [new(1, ("endpoint", "a\"b\n\\")), new(2.5, ("endpoint", "c"))]);
        _registry.AddCounter("berth_broken_total", "Fails.", () => throw new InvalidOperationException("broken"));
        _registry.AddGauge("berth_unknown", "Not a number.", () => double.NaN);
        Approval.Verify(Page(openMetrics), file);
    }

    [Fact]
    public void The_names_are_the_approved_ones()
    {
        ProcessMetrics.AddTo(_registry);
        _ = new RequestMetrics(_registry);
        _ = new StorageMetrics(_registry, new DatabaseTimings(), new LogOptions(), NullLogger.Instance).Of("default");
        Approval.Verify(string.Join('\n', _registry.Names), "metric-names.txt");
        var page = Page(false);
        Assert.All(_registry.Names, name => Assert.Contains($"# HELP {name} ", page));
        Assert.Matches("process_resident_memory_bytes [1-9][0-9]{6,}\n", page);
        Assert.Matches("process_open_fds [1-9]", page);
    }

    [Fact]
    public void A_histogram_loses_nothing_under_parallel_updates()
    {
        var histogram = new LatencyHistogram([0.001, 0.01, 0.1]);
        const int Threads = 8, Each = 20_000;
        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, _ =>
        {
            for (var i = 0; i < Each; i++) histogram.Record(TimeSpan.FromMilliseconds((i % 4) switch { 0 => 0.5, 1 => 5, 2 => 50, _ => 500 }));
        });
        for (var bucket = 0; bucket < 4; bucket++) Assert.Equal(Threads * Each / 4, histogram.InBucket(bucket));
        Assert.Equal(Threads * Each, histogram.Count());
        Assert.Equal(Threads * Each / 4 * 0.5555, histogram.SumSeconds(), 0.01);
    }

    [Fact]
    public void A_bound_belongs_to_its_bucket()
    {
        var histogram = new LatencyHistogram([0.001, 0.01]);
        histogram.RecordTicks((long)(0.001 * Stopwatch.Frequency));
        histogram.RecordTicks((long)(0.001 * Stopwatch.Frequency) + 1);
        histogram.RecordTicks((long)(0.01 * Stopwatch.Frequency) + 1);
        histogram.RecordTicks(-5);
        Assert.Equal([2L, 1, 1], Enumerable.Range(0, 3).Select(histogram.InBucket));
    }

    [Fact]
    public void Requests_of_many_threads_and_new_routes_are_all_counted()
    {
        var requests = new RequestMetrics(_registry);
        string[] routes = ["manifest", "blob", "upload", "tags"];
        Parallel.For(0, 40_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            requests.Started();
            requests.Finished(routes[i % 4], i % 8 < 4 ? "GET" : "HEAD", i % 16 < 8 ? 200 : 404, i, 0, 10);
        });
        foreach (var route in routes)
        {
            foreach (var method in new[] { "GET", "HEAD" })
            {
                Assert.Equal(2500, requests.Requests(route, method, "200"));
                Assert.Equal(2500, requests.Requests(route, method, "404"));
            }
        }
        Assert.Equal(0, requests.InFlight);
    }

    [Fact]
    public void Routes_without_end_do_not_fill_the_memory()
    {
        var requests = new RequestMetrics(_registry);
        for (var i = 0; i < 1000; i++) requests.Finished("route" + i, "GET", 200, 1, 0, 0);
        Assert.Equal(1000 - (RequestMetrics.MostRoutes - 1), requests.Requests("other", "GET", "200"));
    }

    [Theory]
    [InlineData(200, "200")]
    [InlineData(499, "499")]
    [InlineData(418, "4xx")]
    [InlineData(299, "2xx")]
    [InlineData(599, "5xx")]
    [InlineData(0, "1xx")]
    [InlineData(999, "5xx")]
    [InlineData(-1, "5xx")]
    public void A_status_code_has_a_label(int status, string label)
    {
        var requests = new RequestMetrics(_registry);
        requests.Finished("blob", "GET", status, 1, 0, 0);
        Assert.Equal(1, requests.Requests("blob", "GET", label));
    }

    [Fact]
    public void Database_and_storage_times_are_counted()
    {
        var timings = new DatabaseTimings();
        var storage = new StorageMetrics(_registry, timings, new LogOptions(), NullLogger.Instance).Of("s");
        timings.OnRead!(TimeSpan.FromMilliseconds(2));
        timings.OnWrite!(TimeSpan.FromMilliseconds(3));
        using (var call = storage.Begin(StorageOperation.Commit)) call.Succeeded();
        using (storage.Begin(StorageOperation.Delete))
        {
            // Not told that it has succeeded.
        }
        storage.Read(3);
        storage.Written(5);
        var page = Page(false);
        Assert.Contains("berth_database_operation_duration_seconds_count{operation=\"read\"} 1\n", page);
        Assert.Contains("berth_database_operation_duration_seconds_count{operation=\"write\"} 1\n", page);
        Assert.Contains("berth_storage_operation_duration_seconds_count{store=\"s\",operation=\"commit\"} 1\n", page);
        Assert.Contains("berth_storage_errors_total{store=\"s\",operation=\"commit\"} 0\n", page);
        Assert.Contains("berth_storage_errors_total{store=\"s\",operation=\"delete\"} 1\n", page);
        Assert.Contains("berth_storage_bytes_total{store=\"s\",direction=\"read\"} 3\n", page);
        Assert.Contains("berth_storage_bytes_total{store=\"s\",direction=\"written\"} 5\n", page);
        Assert.Equal(1, HelpOfStorage().Count(page));
    }

    [Fact]
    public async Task Figures_are_read_before_the_page_is_written_and_one_that_fails_does_not_stop_the_others()
    {
        var read = 0;
        _registry.AddRefresh(_ => throw new InvalidOperationException("no database"));
        _registry.AddRefresh(_ =>
        {
            read++;
            return ValueTask.CompletedTask;
        });
        await _registry.RefreshAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, read);
    }

    [Theory]
    [InlineData("berth_things", MetricKind.Counter)]
    [InlineData("berth_things_total", MetricKind.Gauge)]
    [InlineData("berth_things_count", MetricKind.Gauge)]
    [InlineData("berth_things_ms", MetricKind.Histogram)]
    [InlineData("things_total", MetricKind.Counter)]
    [InlineData("berth_Things_total", MetricKind.Counter)]
    public void A_name_that_the_linter_would_reject_is_refused(string name, MetricKind kind) =>
        Assert.Throws<ArgumentException>(() => _registry.Add(name, "Help.", kind, _ => { }));

    private string Page(bool openMetrics)
    {
        var page = new LineBuffer();
        _registry.Write(page, openMetrics);
        return Encoding.UTF8.GetString(page.Written);
    }

    [GeneratedRegex("# HELP berth_storage_operation_duration_seconds ")]
    private static partial Regex HelpOfStorage();
}
