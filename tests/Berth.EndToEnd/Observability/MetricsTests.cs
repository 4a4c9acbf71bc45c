using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Berth.EndToEnd.Deployment;

namespace Berth.EndToEnd.Observability;

/// <summary>The page of metrics of a running registry, and what is shipped to look at it: every metric that a dashboard or an alert names is on the page.</summary>
public sealed partial class MetricsTests(ObservedRegistry observed, ChartShell files) : IClassFixture<ObservedRegistry>, IClassFixture<ChartShell>
{
    private static readonly string Rules = ChartShell.Deploy("prometheus", "berth-alerts.yml");

    [Fact]
    public async Task Promtool_finds_nothing_to_say_about_the_page()
    {
        var page = files.Shell.Write("metrics.txt", await Page());
        var output = await files.Shell.Run("sh", "-c", $"promtool check metrics < {page}");
        Assert.Equal("", output.All.Trim());
    }

    [Fact]
    public async Task Promtool_accepts_the_alert_rules_and_their_tests_pass()
    {
        Assert.Contains("SUCCESS", (await files.Shell.Run("promtool", "check", "rules", Rules)).Out, StringComparison.Ordinal);
        Assert.Contains("SUCCESS", (await files.Shell.Run("promtool", "test", "rules", ChartShell.Deploy("prometheus", "berth-alerts-test.yml"))).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_metric_of_alerts_and_dashboards_is_on_the_page()
    {
        string[] ends = ["", "_bucket", "_sum", "_count"];
        var known = HelpLine().Matches(await Page()).SelectMany(match => ends.Select(end => match.Groups[1].Value + end)).ToHashSet();
        var rules = Manifests.Parse(await File.ReadAllTextAsync(Rules, TestContext.Current.CancellationToken)).All.Single();
        var used = Expressions(rules).Concat(Dashboards().SelectMany(dashboard => Expressions(dashboard.Json)))
            .SelectMany(expression => MetricName().Matches(expression).Select(match => match.Value)).Distinct().Order().ToList();
        Assert.True(used.Count > 30, $"only {used.Count} metrics are used");
        Assert.DoesNotContain(used, name => !known.Contains(name));
    }

    [Fact]
    public async Task Promtool_can_parse_every_expression_of_the_dashboards()
    {
        var rules = Dashboards().SelectMany(dashboard => Expressions(dashboard.Json)).Distinct()
            .Where(expression => !expression.StartsWith("label_values(", StringComparison.Ordinal))
            .Select((expression, i) => $"      - {{ record: \"test:{i}\", expr: {JsonValue.Create(expression.Replace("$__rate_interval", "5m", StringComparison.Ordinal))!.ToJsonString()} }}");
        var file = files.Shell.Write("dashboards.yml", $"groups:\n  - name: dashboards\n    rules:\n{string.Join('\n', rules)}\n");
        await files.Shell.Run("promtool", "check", "rules", file);
    }

    [Fact]
    public void Panels_of_a_dashboard_have_ids_of_their_own_and_do_not_lie_over_each_other()
    {
        Assert.Equal(2, Dashboards().Count());
        foreach (var (name, dashboard) in Dashboards())
        {
            var panels = dashboard["panels"]!.AsArray();
            Assert.Equal(panels.Count, panels.Select(panel => (int)panel!["id"]!).Distinct().Count());
            var cells = panels.SelectMany(panel => Cells(panel!["gridPos"]!)).ToList();
            Assert.True(cells.Count == cells.Distinct().Count(), name);
            Assert.All(cells, cell => Assert.InRange(cell.X, 0, 23));
            Assert.Equal(Path.GetFileNameWithoutExtension(name), (string)dashboard["uid"]!);
        }
    }

    [Fact]
    public async Task The_page_is_only_on_the_operators_port_when_there_is_one() =>
        Assert.Equal(System.Net.HttpStatusCode.NotFound, await observed.Registry.Http.Status("/metrics", TestContext.Current.CancellationToken));

    [Fact]
    public async Task A_push_is_counted_by_store_and_database()
    {
        var page = await Page();
        Assert.Matches("""berth_storage_bytes_total\{store="default",direction="written"\} [1-9]""", page);
        Assert.Matches("""berth_storage_operation_duration_seconds_count\{store="default",operation="commit"\} [1-9]""", page);
        Assert.Matches("""berth_database_operation_duration_seconds_count\{operation="write"\} [1-9]""", page);
        Assert.Matches("""berth_notification_pending\{endpoint="nobody"\} [1-9]""", page);
        Assert.Contains("""berth_health_check_failing{check="storage"} 0""", page, StringComparison.Ordinal);
    }

    private async Task<string> Page()
    {
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri($"{observed.Operators}/metrics"), TestContext.Current.CancellationToken);
    }

    private static IEnumerable<(string Name, JsonNode Json)> Dashboards() =>
        Directory.EnumerateFiles(ChartShell.Deploy("grafana"), "*.json").Select(file => (Path.GetFileName(file), JsonNode.Parse(File.ReadAllText(file))!));

    private static IEnumerable<string> Expressions(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(pair => pair.Key is "expr" or "definition" && pair.Value is JsonValue text ? [text.ToString()] : Expressions(pair.Value)),
        JsonArray list => list.SelectMany(Expressions),
        _ => [],
    };

    private static IEnumerable<(int X, int Y)> Cells(JsonNode position) =>
        from x in Enumerable.Range((int)position["x"]!, (int)position["w"]!)
        from y in Enumerable.Range((int)position["y"]!, (int)position["h"]!)
        select (x, y);

    [GeneratedRegex("^# HELP (\\S+)", RegexOptions.Multiline)]
    private static partial Regex HelpLine();

    [GeneratedRegex(@"\b(berth|process|dotnet)_[a-z0-9_]+")]
    private static partial Regex MetricName();
}
