using System.Text.Json.Nodes;

namespace Berth.EndToEnd.Observability;

/// <summary>Traces as a collector gets them.</summary>
public sealed class TraceTests(ObservedRegistry observed) : IClassFixture<ObservedRegistry>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_push_is_one_trace_from_the_request_to_database_and_store()
    {
        var ct = TestContext.Current.CancellationToken;
        var spans = await Spans(all => all.Any(span => Name(span) == "PUT manifest") && all.Any(span => Name(span) == "store commit") && HasAllParents(all), ct);

        Assert.All(spans, span => Assert.Equal("observed", (string?)span["service"]));
        var manifest = Assert.Single(spans, span => Name(span) == "PUT manifest");
        Assert.Equal("library/observed", (string?)manifest["attributes"]!["berth.repository"]);
        Assert.Equal(201, (int)manifest["attributes"]!["http.response.status_code"]!);
        Assert.Equal("b7ad6b7169203331", (string?)manifest["parent"]);
        Assert.Contains(spans, span => Name(span) == "database write" && Parent(span) == Id(manifest));

        var commit = spans.First(span => Name(span) == "store commit");
        Assert.Equal("default", (string?)commit["attributes"]!["berth.store"]);
        var upload = Assert.Single(spans, span => Id(span) == Parent(commit));
        Assert.StartsWith("P", Name(upload), StringComparison.Ordinal);
        Assert.InRange((long)commit["start"]!, (long)upload["start"]!, (long)upload["end"]!);
        Assert.Contains(spans, span => Name(span) == "database write" && Parent(span) == Id(upload));
    }

    // Nothing of the push hangs in the air: each span's parent is a span of the trace, or the client's.
    private static bool HasAllParents(List<JsonNode> spans)
    {
        var ids = spans.Select(Id).ToHashSet();
        return spans.All(span => ids.Contains(Parent(span)) || Parent(span) == "b7ad6b7169203331");
    }

    private async Task<List<JsonNode>> Spans(Func<List<JsonNode>, bool> isComplete, CancellationToken ct)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var lines = File.Exists(observed.SpansFile) ? await File.ReadAllLinesAsync(observed.SpansFile, ct) : [];
            // The last line may be half written.
            var spans = lines.Where(line => line.EndsWith('}')).Select(line => JsonNode.Parse(line)!).Where(span => (string?)span["trace"] == ObservedRegistry.TraceId).ToList();
            if (isComplete(spans)) return spans;
            Assert.True(watch.Elapsed < Limit, $"after {Limit}: {string.Join(", ", spans.Select(Name))}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), ct);
        }
    }

    private static string Name(JsonNode span) => (string)span["name"]!;

    private static string Id(JsonNode span) => (string)span["span"]!;

    private static string Parent(JsonNode span) => (string)span["parent"]!;
}
