using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Berth.Server;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Microbenchmarks;

/// <summary>
/// How long lists of a large audit log take: fills a database with entries of 30 days in 1,000 projects (one of them busy: a tenth of everything), starts the real
/// server on it and asks over HTTP, one connection. <c>-- audit ROWS sqlite FILE</c> or <c>-- audit ROWS postgres CONNECTION</c>; a database that has entries is
/// not filled again.
/// </summary>
internal static class AuditLogRun
{
    private const string Password = "Harbor12345";
    private const int Calls = 200;

    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Length != 3 || !long.TryParse(args[0], CultureInfo.InvariantCulture, out var rows) || args[1] is not ("sqlite" or "postgres"))
        {
            Console.Error.WriteLine("usage: audit ROWS sqlite FILE | audit ROWS postgres CONNECTION");
            return 2;
        }
        var folder = Directory.CreateTempSubdirectory("berth-audit-").FullName;
        var isSqlite = args[1] == "sqlite";
        var options = new BerthOptions
        {
            DataFolder = folder,
            Http = new() { Urls = ["http://127.0.0.1:0"] },
            Storage = new() { MinFreeBytes = 0 },
            Database = isSqlite ? new() { File = args[2] } : new() { Kind = DatabaseKind.Postgres, ConnectionString = args[2] },
        };
        await using var app = await BerthServer.BuildAsync(options, null, CancellationToken.None).ConfigureAwait(false);
        var database = app.Services.GetRequiredService<Database>();
        await app.Services.GetRequiredService<FirstAdmin>().EnsureAsync(Password, CancellationToken.None).ConfigureAwait(false);
        await FillAsync(database, rows).ConfigureAwait(false);
        await app.StartAsync().ConfigureAwait(false);
        await MeasureAsync(app).ConfigureAwait(false);
        await app.StopAsync().ConfigureAwait(false);
        Directory.Delete(folder, recursive: true);
        return 0;
    }

    private static async Task FillAsync(Database database, long rows)
    {
        if (await database.ReadAsync(0, static (s, _, ct) => s.ScalarAsync(AnyEntry, [], ct), CancellationToken.None).ConfigureAwait(false) is not null) return;
        var started = Stopwatch.GetTimestamp();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await database.WriteAsync(Durability.Relaxed, async (session, ct) => await session.ExecuteAsync(FillProjects, [now], ct).ConfigureAwait(false), CancellationToken.None).ConfigureAwait(false);
        const long Batch = 100_000;
        for (long from = 0; from < rows; from += Batch)
        {
            var (first, count) = (from, Math.Min(Batch, rows - from));
            await database.WriteAsync(Durability.Relaxed, async (session, ct) => await session.ExecuteAsync(FillEntries, [first, first + count - 1, rows, now], ct).ConfigureAwait(false), CancellationToken.None).ConfigureAwait(false);
        }
        await database.WriteAsync(Durability.Relaxed, async (session, ct) => await session.ExecuteAsync(Analyze, [], ct).ConfigureAwait(false), CancellationToken.None).ConfigureAwait(false);
        Console.Error.WriteLine($"{rows} entries written in {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s");
    }

    private static async Task MeasureAsync(WebApplication app)
    {
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Password}")));
        var day = TimeProvider.System.GetUtcNow().AddDays(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var lastDay = Uri.EscapeDataString($"op_time=[{day}~]");
        Console.WriteLine("| Question | Rows that fit | Median, ms | 95 %, ms |\n|---|---:|---:|---:|");
        await AskAsync(client, "one project's last day", n => $"/api/v2.0/projects/audit-{2 + n % 900}/auditlog-exts?page_size=100&q={lastDay}").ConfigureAwait(false);
        await AskAsync(client, "the busy project's last day", _ => $"/api/v2.0/projects/audit-1/auditlog-exts?page_size=100&q={lastDay}").ConfigureAwait(false);
        await AskAsync(client, "the busy project's last day, page 100", _ => $"/api/v2.0/projects/audit-1/auditlog-exts?page=100&page_size=100&q={lastDay}").ConfigureAwait(false);
        await AskAsync(client, "one project, all of it", n => $"/api/v2.0/projects/audit-{2 + n % 900}/auditlog-exts?page_size=100").ConfigureAwait(false);
        await AskAsync(client, "the whole log, first page", _ => "/api/v2.0/auditlog-exts?page_size=100").ConfigureAwait(false);
        await AskAsync(client, "the whole log, one user", n => $"/api/v2.0/auditlog-exts?page_size=100&q=username=user-{n % 500}").ConfigureAwait(false);
        await AskAsync(client, "the whole log's last day, deletes", _ => $"/api/v2.0/auditlog-exts?page_size=100&q={lastDay},operation=delete").ConfigureAwait(false);
    }

    private static async Task AskAsync(HttpClient client, string question, Func<int, string> path)
    {
        var times = new List<double>();
        var total = "";
        for (var n = 0; n < Calls + 20; n++)
        {
            var started = Stopwatch.GetTimestamp();
            using var answer = await client.GetAsync(new Uri(path(n), UriKind.Relative)).ConfigureAwait(false);
            await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync().ConfigureAwait(false);
            if (n >= 20) times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            total = answer.Headers.GetValues("X-Total-Count").First();
        }
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {question} | {total} | {times[times.Count / 2]:F1} | {times[times.Count * 95 / 100]:F1} |"));
    }

    private static readonly Statement AnyEntry = new("SELECT id FROM audit_entries WHERE resource_type = 'artifact' LIMIT 1");
    private static readonly Statement Analyze = new("ANALYZE audit_entries");

    private static readonly Statement FillProjects = new("""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        INSERT INTO projects (name, is_public, repository_count, quota_bytes, used_bytes, created_at, updated_at)
        SELECT 'audit-' || i, FALSE, 0, -1, 0, @0, @0 FROM n
        """, """
        INSERT INTO projects (name, is_public, repository_count, quota_bytes, used_bytes, created_at, updated_at)
        SELECT 'audit-' || i, FALSE, 0, -1, 0, @0, @0 FROM generate_series(1, 1000) AS n(i)
        """);

    private const string Insert = "INSERT INTO audit_entries (at, project_id, operation, resource_type, resource, actor, address, request_id, description, is_successful, count) ";

    // Spread over 30 days up to now, in order of time as a log is; every tenth row is the busy project's.
    private const string Row = """
        SELECT @3 - 2592000000 + i * 2592000000 / @2, p.id, CASE i % 20 WHEN 0 THEN 'create' WHEN 1 THEN 'delete' ELSE 'pull' END, 'artifact',
          p.name || '/app-' || (i % 10) || ':v' || (i % 97), 'user-' || (i * 7919 % 500), '10.0.' || (i % 250) || '.7', 'request-' || i,
          'pull artifact: ' || p.name || '/app-' || (i % 10) || '@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', TRUE, 1
        FROM n JOIN projects p ON p.name = 'audit-' || (CASE WHEN i % 10 = 0 THEN 1 ELSE 2 + i * 104729 % 999 END)
        """;

    private static readonly Statement FillEntries = new(
        "WITH RECURSIVE n(i) AS (SELECT @0 UNION ALL SELECT i + 1 FROM n WHERE i < @1) " + Insert + Row,
        "WITH n(i) AS (SELECT generate_series(@0::bigint, @1::bigint)) " + Insert + Row.Replace("@3", "@3::bigint", StringComparison.Ordinal).Replace("/ @2", "/ @2::bigint", StringComparison.Ordinal));
}
