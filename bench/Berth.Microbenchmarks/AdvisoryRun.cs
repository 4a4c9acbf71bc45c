using System.Diagnostics;
using System.Globalization;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Advisories;
using Npgsql;

namespace Berth.Microbenchmarks;

/// <summary>
/// How long it takes until the images are known that a new advisory touches: 100,000 images with 200 packages each on PostgreSQL, two advisory databases of 300,000 advisories that differ in one or a
/// thousand. <c>-- advisory "Host=…;Database=…"</c>: an empty database is filled first.
/// </summary>
internal static class AdvisoryRun
{
    private const int Advisories = 300_000;
    private const int Rounds = 3;

    public static async Task<int> RunAsync(string connection, CancellationToken ct)
    {
        await using var database = PostgresDatabase.Open(connection, 4);
        await database.MigrateAsync(ct);
        if (await database.ReadAsync(0, static (session, _, token) => session.ScalarAsync(Any, [], token), ct) is null) await FillAsync(connection, ct);
        var folder = Directory.CreateTempSubdirectory("berth-advisories-").FullName;
        try
        {
            var start = Stopwatch.GetTimestamp();
            using var before = Build(Path.Join(folder, "before.advisories.db"), 0, []);
            Console.Error.WriteLine($"a database of {Advisories} advisories was built in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
            Console.WriteLine("| new advisory | images | compare, s | find, s | together, s |\n|---|---:|---:|---:|---:|");
            await MeasureAsync(database, before, folder, "a package that few images have (npm)", [("npm", "vue-parser-20")], 0, ct);
            await MeasureAsync(database, before, folder, "a package of one base in 25 (Debian 12)", [("debian 12", "fast-parser-0")], 0, ct);
            await MeasureAsync(database, before, folder, "the package that every image has (Debian 12)", [("debian 12", "glibc")], 0, ct);
            await MeasureAsync(database, before, folder, "700 packages at once (npm)", [.. Enumerable.Range(0, 700).Select(static n => ("npm", NameOf((n * 40) + 10)))], 0, ct);
            await MeasureAsync(database, before, folder, "the description of 5,000 flaws that images have", [], 5000, ct);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(Database database, AdvisoryDatabase before, string folder, string what, (string Place, string Package)[] added, int changed, CancellationToken ct)
    {
        using var after = Build(Path.Join(folder, $"{Guid.CreateVersion7()}.advisories.db"), changed, added);
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var difference = AdvisoryDifference.Between(before, after);
            var compared = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var found = await AffectedImages.FindAsync(database, difference, ct);
            var all = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what}{(round == 0 ? ", first time" : "")} | {found.Count:N0} | {compared:0.00} | {all - compared:0.00} | {all:0.00} |"));
        }
    }

    // Most advisories are about packages that nobody has, as in life.
    private static AdvisoryDatabase Build(string path, int changed, (string Place, string Package)[] added)
    {
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            for (var n = 0; n < Advisories; n++)
            {
                var id = $"CVE-2025-{10_000 + n}";
                builder.Add(n % 3 == 0 ? Debian : Npm, $"package-{n % 50_000}", new Advisory(id) { FixedVersion = n % 3 == 0 ? "1.1" : "", VulnerableVersions = n % 3 == 0 ? [] : ["<1.1"] });
                builder.Add("bench", new VulnerabilityDetail(id)
                {
                    Title = $"flaw {n}",
                    Description = n < changed ? "a longer text about the flaw" : "a text about the flaw",
                    Severity = (Severity)(n % 5),
                    References = [$"https://example.com/{id}"],
                });
            }
            foreach (var (place, package) in added)
                builder.Add(place == "npm" ? Npm : Debian, package, new Advisory("CVE-2026-1") { FixedVersion = place == "npm" ? "" : "9.9", VulnerableVersions = place == "npm" ? ["<9.9.9"] : [] });
            builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
        }
        return AdvisoryDatabase.Open(path);
    }

    // As Advisories.postgres.sql makes them.
    private static string NameOf(int n) => $"{s_first[n % 40]}-{s_second[n / 40 % 30]}-{n / 1200}";

    private static async Task FillAsync(string connection, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        await using var open = new NpgsqlConnection(connection);
        await open.OpenAsync(ct);
        using var text = new StreamReader(typeof(AdvisoryRun).Assembly.GetManifestResourceStream("Advisories.postgres.sql")!);
        foreach (var statement in (await text.ReadToEndAsync(ct)).Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = new NpgsqlCommand(statement, open) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(ct);
        }
        Console.Error.WriteLine($"20,000,000 packages of 100,000 images written in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
    }

    private static readonly AdvisoryBucket Npm = new("npm::bench", "bench");

    private static readonly AdvisoryBucket Debian = new("debian 12", "bench");

    private static readonly string[] s_first =
    [
        "fast", "lib", "node", "py", "core", "simple", "async", "micro", "open", "react", "vue", "http", "json", "grpc", "cloud", "data", "easy", "safe", "static", "tiny",
        "type", "util", "web", "xml", "yaml", "zip", "auth", "base", "cli", "date", "edge", "form", "graph", "hash", "image", "jwt", "kube", "log", "mail", "net",
    ];

    private static readonly string[] s_second =
    [
        "parser", "client", "server", "loader", "router", "store", "cache", "queue", "stream", "buffer", "crypto", "session", "template", "schema", "driver", "adapter", "plugin", "bridge",
        "helper", "builder", "runner", "scanner", "logger", "metrics", "tracer", "proxy", "socket", "codec", "format", "render",
    ];

    private static readonly Statement Any = new("SELECT 1 FROM artifact_packages LIMIT 1");
}
