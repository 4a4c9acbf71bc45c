using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>
/// People who look at lists of the management API, each on a connection, with half to one and a half seconds between two looks: random pages, conditions and orders of the
/// repository and artifact lists of the data that <c>bench/run --lists</c> fills in. Half of the looks at artifacts are at the one repository with 100,000.
/// </summary>
internal sealed class ListUsers(Target target, int users)
{
    private const int Repositories = 10_000;
    private const int Projects = 1000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly string[] RepositorySorts = ["", "name", "-name", "creation_time", "-creation_time", "update_time", "-update_time", "pull_count", "-pull_count"];
    private static readonly string[] ArtifactSorts = ["", "push_time", "-push_time", "pull_time", "-pull_time", "size", "-size", "id", "-id", "type", "-type", "digest", "-digest"];

    // The total of each list, so that its later pages can be asked for.
    private readonly ConcurrentDictionary<string, long> totals = new();
    private readonly ConcurrentQueue<(string Kind, double Milliseconds, string Path)> looks = new();

    /// <summary>Looks for a time, after ten seconds that do not count; a table of each kind of look.</summary>
    internal string Run(TimeSpan duration)
    {
        var start = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, users).Select(n => new Thread(() => Look(new Random(n), start, duration), 256 * 1024)).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        var table = new StringBuilder("| Look | looks | median ms | p95 ms | p99 ms | slowest |\n|---|---:|---:|---:|---:|---|\n");
        foreach (var kind in looks.GroupBy(l => l.Kind).OrderBy(g => g.Key, StringComparer.Ordinal)) Row(table, kind.Key, [.. kind]);
        Row(table, "**all**", [.. looks]);
        return table.ToString();
    }

    private void Look(Random random, long start, TimeSpan duration)
    {
        using var connection = new HttpConnection(target);
        Thread.Sleep(random.Next(1000));
        while (Stopwatch.GetElapsedTime(start) < WarmUp + duration)
        {
            var (kind, list, more) = Choose(random);
            var size = random.Next(3) switch { 0 => 10, 1 => 15, _ => 100 };
            var pages = Math.Max(1, totals.GetValueOrDefault(list) / size);
            // People look at the first pages mostly; scripts walk through all of them.
            var page = random.Next(2) == 0 ? 1 + random.NextInt64(Math.Min(pages, 5)) : 1 + random.NextInt64(pages);
            var path = $"{list}{(list.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{more}page={page}&page_size={size}";
            var began = Stopwatch.GetTimestamp();
            var answer = connection.Send("GET", path).Expect("GET " + path, 200);
            var took = Stopwatch.GetElapsedTime(began);
            totals[list] = TotalOf(answer.Head);
            if (Stopwatch.GetElapsedTime(start) > WarmUp) looks.Enqueue((kind, took.TotalMilliseconds, path));
            Thread.Sleep(500 + random.Next(1000));
        }
    }

    private static (string Kind, string List, string More) Choose(Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                var q = random.Next(3) switch { 0 => "", 1 => $"?q=name%3D~app-{random.Next(1000):000}", _ => $"?q=name%3D~team-{random.Next(7)}" };
                return ("repositories of all projects", "/api/v2.0/repositories" + q, Sort(random, RepositorySorts));
            case 1:
                return ("repositories of a project", $"/api/v2.0/projects/p{random.Next(Projects):0000}/repositories", Sort(random, RepositorySorts));
            case 2:
                var (kind, filter) = Filter(random, Projects + random.Next(10_000));
                return ("artifacts of a project" + (kind.Length > 0 ? ", filtered" : ""), $"/api/v2.0/projects/p{1 + random.Next(Projects - 1):0000}/artifacts{filter}", Sort(random, ArtifactSorts));
            case < 5:
                var i = 1 + random.Next(Repositories - 1);
                var (word, condition) = Filter(random, 100_000 + i - 1 + 9999 * random.Next(90));
                var name = $"/api/v2.0/projects/p{i % Projects:0000}/repositories/team-{i % 7}%252Fapp-{i:00000}/artifacts";
                return ("artifacts of a repository" + (word.Length > 0 ? ", filtered" : ""), name + condition, Sort(random, ArtifactSorts));
            default:
                var (what, where) = Filter(random, random.Next(100_000));
                var sort = Sort(random, ArtifactSorts);
                return (what.Length > 0 ? $"100,000 artifacts, {what}" : sort.Length > 0 ? "100,000 artifacts, sorted" : "100,000 artifacts", "/api/v2.0/projects/p0000/repositories/big/artifacts" + where, sort);
        }
    }

    private static (string Kind, string Query) Filter(Random random, int artifact)
    {
        var day = new DateTime(2021, 1, 1).AddDays(random.Next(300)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var (kind, q) = random.Next(16) switch
        {
            0 => ("tags=*", "tags=*"),
            1 => ("tags=nil", "tags=nil"),
            2 => ("tags=~x", $"tags=~{random.Next(10, 999)}"),
            3 => ("tags=x", $"tags=v1.{artifact}"),
            4 => ("type", "type=CHART"),
            5 => ("media_type", "media_type=application/vnd.cncf.helm.config.v1+json"),
            6 => ("labels", $"labels=({100 + random.Next(5)})"),
            7 => ("push_time", $"push_time=[{day}~]"),
            8 => ("pull_time", $"pull_time=[~{day}]"),
            _ => ("", ""),
        };
        return (kind, q.Length == 0 ? "" : "?q=" + Uri.EscapeDataString(q));
    }

    private static string Sort(Random random, string[] sorts) => sorts[random.Next(sorts.Length)] is { Length: > 0 } sort && random.Next(2) == 0 ? $"sort={sort}&" : "";

    private static long TotalOf(string head)
    {
        const string Field = "X-Total-Count:";
        var at = head.IndexOf(Field, StringComparison.OrdinalIgnoreCase);
        if (at < 0) throw new IOException("a list has no X-Total-Count");
        var end = head.IndexOf('\r', at);
        return long.Parse(head.AsSpan(at + Field.Length, end - at - Field.Length).Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static void Row(StringBuilder table, string kind, (string Kind, double Milliseconds, string Path)[] all)
    {
        Array.Sort(all, (a, b) => a.Milliseconds.CompareTo(b.Milliseconds));
        double At(double share) => all[Math.Min(all.Length - 1, (int)(all.Length * share))].Milliseconds;
        var slowest = kind.Contains("all", StringComparison.Ordinal) && kind[0] == '*' ? "" : $"{all[^1].Milliseconds:0} ms: `{all[^1].Path[10..]}`";
        table.Append(CultureInfo.InvariantCulture, $"| {kind} | {all.Length:N0} | {At(0.5):0.0} | {At(0.95):0.0} | {At(0.99):0.0} | {slowest} |\n");
    }
}
