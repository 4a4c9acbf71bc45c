using System.Diagnostics;
using System.Text.Json;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>
/// A list read on one connection, again and again: its first page, or with <c>follow</c> all pages by their <c>Link</c>. The figure is
/// the median time of one reading.
/// </summary>
internal sealed class Listing(string name, string title, Action<Target> seed, string path, string property, int atLeast, bool follow)
    : Workload(name, title, Unit.Milliseconds)
{
    private const int MinimumReadings = 3;
    private readonly Dictionary<Target, long> bytesOf = [];

    internal override void Prepare(Target target)
    {
        seed(target);
        using var connection = new HttpConnection(target);
        var names = new HashSet<string>();
        bytesOf[target] = Read(connection, body =>
        {
            using var json = JsonDocument.Parse(body);
            foreach (var name in json.RootElement.GetProperty(property).EnumerateArray()) names.Add(name.GetString() ?? "");
        });
        if (names.Count < atLeast) throw new IOException($"{target.Name}: {path} lists {names.Count} different names, expected {atLeast}");
    }

    internal override Measurement Round(Target target, TimeSpan duration)
    {
        using var connection = new HttpConnection(target);
        var times = new List<double>();
        var start = Stopwatch.GetTimestamp();
        while (times.Count < MinimumReadings || Stopwatch.GetElapsedTime(start) < duration)
        {
            var began = Stopwatch.GetTimestamp();
            var bytes = Read(connection, static _ => { });
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (bytes != bytesOf[target]) throw new IOException($"{target.Name}: {path} has {bytes} bytes, at first it had {bytesOf[target]}");
        }

        return new Measurement(Statistics.Median(times), times.Count);
    }

    /// <summary>The target of a <c>Link: &lt;…&gt;; rel="next"</c> as a path on the same server, or nothing on the last page.</summary>
    internal static string NextPage(string link)
    {
        var (open, close) = (link.IndexOf('<', StringComparison.Ordinal), link.IndexOf('>', StringComparison.Ordinal));
        return open >= 0 && close > open && link.Contains("next", StringComparison.Ordinal) ? Target.PathOf(link[(open + 1)..close]) : "";
    }

    private long Read(HttpConnection connection, Action<byte[]> onPage)
    {
        long bytes = 0;
        for (var next = path; next.Length > 0;)
        {
            var answer = connection.Send("GET", next).Expect("GET " + next, 200);
            bytes += answer.Body.Length;
            onPage(answer.Body);
            next = follow ? NextPage(answer.Link) : "";
        }

        return bytes;
    }
}
