using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>
/// Somebody who looks at every web page of the data that <c>bench/run --pages</c> fills in, one look after the other, each at another project, repository or artifact: how long
/// the server takes for the whole page, and what it weighs with all that it loads.
/// </summary>
internal sealed partial class PageReader(Target target, int looks)
{
    private const int WarmUps = 5;
    private const int Repositories = 10_000;
    private const int Projects = 1000;

    private static readonly (string Title, Func<Random, string> Path)[] Pages =
    [
        ("projects", _ => "/projects"),
        ("projects, sorted and far", r => $"/projects?sort=-repo_count&page={1 + r.Next(40)}"),
        ("projects, filtered", r => $"/projects?q={r.Next(1000):000}"),
        ("project", r => $"/projects/{ProjectOf(r)}"),
        ("project of 600 members: members", _ => "/projects/p0000/members"),
        ("project: members", r => $"/projects/{ProjectOf(r)}/members"),
        ("project: robots", r => $"/projects/{ProjectOf(r)}/robots"),
        ("project: labels", r => $"/projects/{ProjectOf(r)}/labels"),
        ("project: immutability", r => $"/projects/{ProjectOf(r)}/immutability"),
        ("project: webhooks", r => $"/projects/{ProjectOf(r)}/webhooks"),
        ("project: audit", r => $"/projects/{ProjectOf(r)}/audit"),
        ("project: settings", r => $"/projects/{ProjectOf(r)}/settings"),
        ("repository", r => RepositoryOf(r, out _)),
        ("repository: history", r => RepositoryOf(r, out _) + "?view=history"),
        ("repository with 200,000 tags", _ => "/projects/p0000/repositories/big"),
        ("the same, sorted and far", r => $"/projects/p0000/repositories/big?sort=size&page={1 + r.Next(1900)}"),
        ("the same, filtered", r => $"/projects/p0000/repositories/big?q={r.Next(100, 1000)}"),
        ("the same, untagged", _ => "/projects/p0000/repositories/big?view=untagged"),
        ("the same, history", r => $"/projects/p0000/repositories/big?view=history&page={1 + r.Next(20)}"),
        ("artifact", r => ArtifactOf(r)),
        ("artifact among 200,000 tags", r => $"/projects/p0000/artifacts/v1.{1 + r.Next(1999) * 50}/big"),
        ("search", r => $"/search?text=app-{r.Next(1000):000}"),
        ("search that finds all", _ => "/search?text=app"),
        ("account", _ => "/account"),
        ("account: tokens", _ => "/account/tokens"),
        ("account: sessions", _ => "/account/sessions"),
        ("administration", _ => "/administration"),
        ("administration: storage", r => $"/administration/storage?project={ProjectOf(r)}"),
        ("administration: users", r => $"/administration/users?page={1 + r.Next(20)}"),
        ("administration: groups", _ => "/administration/groups"),
        ("administration: robots", _ => "/administration/robots"),
        ("administration: roles", _ => "/administration/roles"),
        ("administration: identity", _ => "/administration/identity"),
        ("administration: webhooks", _ => "/administration/webhooks"),
        ("administration: configuration", _ => "/administration/configuration"),
        ("administration: garbage", _ => "/administration/garbage"),
        ("administration: jobs", _ => "/administration/jobs"),
        ("administration: audit", r => $"/administration/audit?page={1 + r.Next(20)}"),
        ("administration: health", _ => "/administration/health"),
        ("administration: checklist", _ => "/administration/checklist"),
    ];

    private readonly Dictionary<string, int> assets = [];

    /// <summary>Looks at all of them; a table with a row for each page.</summary>
    internal string Run()
    {
        var random = new Random(5);
        using var connection = new HttpConnection(target);
        var table = new StringBuilder("| Page | median ms | p95 ms | slowest ms | KB |\n|---|---:|---:|---:|---:|\n");
        foreach (var (title, path) in Pages)
        {
            var times = new List<double>();
            var weight = 0;
            for (var i = 0; i < WarmUps + looks; i++)
            {
                var at = path(random);
                var began = Stopwatch.GetTimestamp();
                var answer = connection.Send("GET", at, accept: "text/html");
                var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                if (answer.Status == 404 && i == 0) break;
                answer.Expect("GET " + at, 200);
                weight = Math.Max(weight, answer.Body.Length + AssetsOf(connection, answer.Body));
                if (i >= WarmUps) times.Add(took);
            }

            if (times.Count == 0) continue;
            times.Sort();
            double At(double share) => times[Math.Min(times.Count - 1, (int)(times.Count * share))];
            table.Append(CultureInfo.InvariantCulture, $"| {title} | {At(0.5):0.0} | {At(0.95):0.0} | {times[^1]:0.0} | {weight / 1000.0:0} |\n");
        }

        return table.ToString();
    }

    private static string ProjectOf(Random random) => $"p{1 + random.Next(Projects - 1):0000}";

    private static string RepositoryOf(Random random, out int number)
    {
        number = 1 + random.Next(Repositories - 1);
        return $"/projects/p{number % Projects:0000}/repositories/team-{number % 7}/app-{number:00000}";
    }

    private static string ArtifactOf(Random random)
    {
        while (true)
        {
            var repository = RepositoryOf(random, out var number);
            var artifact = 100_000 + number - 1 + 9999 * random.Next(90);
            // Every fiftieth has no tag.
            if (artifact % 50 != 0) return repository.Replace("/repositories/", $"/artifacts/v1.{artifact}/", StringComparison.Ordinal);
        }
    }

    private int AssetsOf(HttpConnection connection, byte[] page)
    {
        var sum = 0;
        foreach (var path in AssetPath().Matches(Encoding.UTF8.GetString(page)).Select(m => m.Value).Distinct())
        {
            if (!assets.TryGetValue(path, out var size)) assets[path] = size = connection.Send("GET", path).Expect("GET " + path, 200).Body.Length;
            sum += size;
        }

        return sum;
    }

    [GeneratedRegex("/ui/assets/[A-Za-z0-9._-]+")]
    private static partial Regex AssetPath();
}
