using System.Text.Json.Nodes;
using Berth.Server.Audit;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Audit;

public sealed class AuditApiTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_push_a_pull_and_a_delete_are_listed_in_Harbors_words(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var image = TestImage.New();
        await app.PushAsync("library/app", "v1", image);
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await app.Registry.GetAsync("/v2/library/app/manifests/v1", PlatformApp.As("admin"))).Status);
        Assert.Equal(202, (await app.Registry.DeleteAsync("/v2/library/app/manifests/v1", PlatformApp.As("admin"))).Status);
        Assert.Equal(202, (await app.Registry.DeleteAsync($"/v2/library/app/manifests/{image.Digest}", PlatformApp.As("admin"))).Status);
        await app.Services.GetRequiredService<AuditBuffer>().FlushAsync(Ct);

        var rows = await ListAsync(app, "/api/v2.0/projects/library/auditlog-exts?sort=id");

        Assert.Contains(rows, r => Words(r) == ("create", "artifact", "library/app:v1", "admin") && r!["operation_description"]!.GetValue<string>() == $"push artifact: library/app@{image.Digest}");
        Assert.Contains(rows, r => Words(r) == ("pull", "artifact", "library/app:v1", "admin"));
        Assert.Contains(rows, r => Words(r) == ("delete", "tag", "library/app:v1", "admin"));
        Assert.Contains(rows, r => Words(r) == ("delete", "artifact", $"library/app@{image.Digest}", "admin"));
        Assert.All(rows, r => Assert.True(r!["operation_result"]!.GetValue<bool>()));
        var pulls = await EntriesAsync(app, e => e.Operation == "pull");
        Assert.Equal(3, pulls.Sum(e => e.Count));
        Assert.True(pulls.Count < 3);
        Assert.All(pulls, e => Assert.Equal("127.0.0.1", e.Address));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task The_older_form_has_the_older_fields(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("library/app", "v1", TestImage.New());

        var row = (await ListAsync(app, "/api/v2.0/audit-logs?q=operation=create,resource_type=artifact"))[0]!.AsObject();
        var ofProject = (await ListAsync(app, "/api/v2.0/projects/library/logs?q=operation=create"))[0]!.AsObject();

        Assert.Equal(["id", "username", "resource", "resource_type", "operation", "op_time"], row.Select(p => p.Key));
        Assert.Equal(row.ToJsonString(), ofProject.ToJsonString());
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Filters_order_and_pages_hold_together(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await AddAsync(app, 25);

        var first = await app.CallAsync("GET", "/api/v2.0/auditlog-exts?q=resource_type=thing&sort=op_time&page=1&page_size=10");
        var last = await app.CallAsync("GET", "/api/v2.0/auditlog-exts?q=resource_type=thing&sort=-op_time&page=3&page_size=10");
        Assert.Equal(("25", 10), (first.Header("X-Total-Count"), first.Json.AsArray().Count));
        Assert.Equal("thing 0", first.Json[0]!["resource"]!.GetValue<string>());
        Assert.Contains("rel=\"next\"", first.Header("Link"), StringComparison.Ordinal);
        Assert.Equal(("25", 5), (last.Header("X-Total-Count"), last.Json.AsArray().Count));
        Assert.Equal("thing 0", last.Json[4]!["resource"]!.GetValue<string>());

        Assert.Equal(["thing 7"], Resources(await ListAsync(app, "/api/v2.0/auditlog-exts?q=resource=thing%207")));
        Assert.Equal(11, (await ListAsync(app, "/api/v2.0/auditlog-exts?q=resource%3D~THING%201,username=someone&page_size=100")).Count);
        Assert.Equal(["thing 3", "thing 2"], Resources(await ListAsync(app, "/api/v2.0/auditlog-exts?q=resource_type=thing,op_time=[2026-01-01T00:00:02Z~2026-01-01T00:00:03Z]")));
        Assert.Empty(await ListAsync(app, "/api/v2.0/auditlog-exts?q=operation_result=false,resource_type=thing"));
    }

    [Theory]
    [InlineData("/api/v2.0/auditlog-exts?q=op_time=x", 400)]
    [InlineData("/api/v2.0/auditlog-exts?q=id=x", 400)]
    [InlineData("/api/v2.0/auditlog-exts?q=novalue", 400)]
    [InlineData("/api/v2.0/auditlog-exts?page_size=101", 422)]
    [InlineData("/api/v2.0/auditlog-exts?page=0", 422)]
    [InlineData("/api/v2.0/projects/nothing/auditlog-exts", 404)]
    [InlineData("/api/v2.0/projects/nothing/logs", 404)]
    [InlineData("/api/berth/v1/audit/export?from=x", 400)]
    [InlineData("/api/berth/v1/audit/export?format=xml", 400)]
    public async Task A_bad_question_is_refused(string path, int status)
    {
        await using var app = await StartAsync(DatabaseKind.Sqlite);
        Assert.Equal(status, (await app.CallAsync("GET", path)).Status);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Only_the_logs_of_the_projects_that_one_may_see_are_listed(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (alice, bob) = (await app.AddUserAsync("alice"), await app.AddUserAsync("bob"));
        var mine = await MakeProjectAsync(app, "mine");
        await MakeProjectAsync(app, "theirs");
        await JoinAsync(app, mine, alice, 1);
        await JoinAsync(app, mine, bob, 2);
        await app.PushAsync("mine/app", "v1", TestImage.New());
        await app.PushAsync("theirs/app", "v1", TestImage.New());

        Assert.Equal(["mine/app:v1"], Resources(await ListAsync(app, "/api/v2.0/auditlog-exts", "alice")));
        Assert.Equal(["mine/app:v1"], Resources(await ListAsync(app, "/api/v2.0/audit-logs", "alice")));
        Assert.Empty(await ListAsync(app, "/api/v2.0/auditlog-exts", "bob"));
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/projects/mine/logs", "alice")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/projects/mine/logs", "bob")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/projects/theirs/auditlog-exts", "alice")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/auditlog-exts/events", "alice")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/berth/v1/audit/export", "alice")).Status);
        foreach (var path in new[] { "/api/v2.0/audit-logs", "/api/v2.0/auditlog-exts", "/api/v2.0/auditlog-exts/events", "/api/v2.0/projects/mine/logs", "/api/berth/v1/audit/export" })
            Assert.Equal(401, (await app.CallAsync("GET", path, "")).Status);
    }

    [Fact]
    public async Task The_types_of_events_are_Harbors()
    {
        await using var app = await StartAsync(DatabaseKind.Sqlite);
        var types = await ListAsync(app, "/api/v2.0/auditlog-exts/events");
        Assert.Equal(AuditWords.EventTypes, types.Select(t => t!["event_type"]!.GetValue<string>()));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Pull_entries_and_types_of_events_can_be_switched_off(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("library/app", "v1", TestImage.New());
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/configurations", body: """{"pull_audit_log_disable":true,"disabled_audit_log_event_types":"create_artifact"}""")).Status);

        await app.Registry.GetAsync("/v2/library/app/manifests/v1", PlatformApp.As("admin"));
        await app.PushAsync("library/app", "v2", TestImage.New(2));
        await app.Services.GetRequiredService<AuditBuffer>().FlushAsync(Ct);

        var entries = await EntriesAsync(app, _ => true);
        Assert.DoesNotContain(entries, e => e.Operation == "pull");
        Assert.DoesNotContain(entries, e => e.Resource == "library/app:v2");
        Assert.Contains(entries, e => (e.Operation, e.ResourceType) == ("update", "configuration"));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Failed_sign_ins_are_gathered_and_pulls_are_written_at_the_end(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("library/app", "v1", TestImage.New());
        for (var i = 0; i < 3; i++) Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/systeminfo", "", null, PlatformApp.As("mallory", "guess"))).Status);
        await app.Registry.GetAsync("/v2/library/app/manifests/v1", PlatformApp.As("admin"));

        await app.Registry.RestartAsync();

        var entries = await EntriesAsync(app, _ => true);
        Assert.Equal(3, entries.Where(e => (e.Operation, e.ResourceType, e.Actor, e.IsSuccessful) == ("login", "user", "mallory", false)).Sum(e => e.Count));
        Assert.Single(entries, e => e.Operation == "pull");
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_change_that_is_rolled_back_leaves_no_entry(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var events = app.Services.GetRequiredService<DomainEvents>();
        await app.Database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await events.RaiseAsync(session, Event("thing 1"), ct);
            session.Rollback();
            return true;
        }, Ct);
        Assert.Empty(await EntriesAsync(app, e => e.ResourceType == "thing"));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task The_export_streams_all_entries_of_a_time(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await AddAsync(app, 4500);

        var lines = (await app.CallAsync("GET", "/api/berth/v1/audit/export?to=2026-01-31")).Body.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var part = (await app.CallAsync("GET", "/api/berth/v1/audit/export?from=2026-01-01T00:00:10Z&to=2026-01-01T00:00:11Z&format=csv")).Body;

        Assert.Equal(4500, lines.Length);
        Assert.Equal(Enumerable.Range(0, 4500).Select(i => $"thing {i}"), lines.Select(l => JsonNode.Parse(l)!["resource"]!.GetValue<string>()));
        var rows = part.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, rows.Length);
        Assert.Contains("2026-01-01T00:00:10.000Z,do,thing,thing 10,,someone,10.0.0.1,,\"a \"\"thing\"\", done\",true,1", rows[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_a_spreadsheet_would_run_and_a_long_one_are_made_harmless()
    {
        Assert.Equal("abc...", AuditWords.Cut("abcdefghij", 6));
        Assert.Equal("a b", AuditWords.Cut("a\0b", 6));
    }

    // ---- what the tests put in ----

    internal static Task<PlatformApp> StartAsync(DatabaseKind kind, Func<AuditOptions, AuditOptions>? more = null) =>
        PlatformApp.StartAsync(kind, o => o with { Audit = (more ?? (a => a))(o.Audit with { PullFlushInterval = TimeSpan.FromMinutes(10) }) });

    internal static async Task AddAsync(PlatformApp app, int count)
    {
        var start = DateTimeOffset.Parse("2026-01-01T00:00:00Z").ToUnixTimeMilliseconds();
        await app.Database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            for (var i = 0; i < count; i++)
            {
                await AuditRows.AddAsync(session, new AuditEntry
                {
                    At = start + i * 1000L,
                    Operation = "do",
                    ResourceType = "thing",
                    Resource = $"thing {i}",
                    Actor = "someone",
                    Address = "10.0.0.1",
                    Description = "a \"thing\", done",
                }, forward: false, ct);
            }
            return true;
        }, Ct);
    }

    internal static DomainEvent Event(string resource) => new()
    {
        Operation = "do",
        ResourceType = "thing",
        Resource = resource,
        Actor = new EventActor("user", 1, "someone", "10.0.0.1", "r1"),
        Description = $"did {resource}",
    };

    internal static async Task<List<AuditEntry>> EntriesAsync(PlatformApp app, Func<AuditEntry, bool> which)
    {
        var all = await app.Database.ReadAsync(0, static async (session, _, ct) =>
        {
            var rows = new List<AuditEntry>();
            await using var reader = await session.Command(SelectAll).ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct)) rows.Add(AuditRows.Read(reader));
            return rows;
        }, Ct);
        return [.. all.Where(which)];
    }

    internal static Task<long> MakeProjectAsync(PlatformApp app, string name, bool isPublic = false) => app.Database.WriteAsync(Durability.Full, async (session, ct) =>
        (await ProjectRows.AddAsync(session, name, new ProjectSeed(isPublic, -1, null, new Dictionary<string, string>()), 1, ct))!.Value, Ct);

    internal static Task<int> JoinAsync(PlatformApp app, long project, long user, long role, int kind = 1) => app.Database.WriteAsync(Durability.Full, async (session, ct) =>
    {
        await session.AnnounceAsync(Topics.Access, "", ct);
        return await session.ExecuteAsync(InsertMember, [project, (long)kind, user, role], ct);
    }, Ct);

    private static async Task<JsonArray> ListAsync(PlatformApp app, string path, string user = "admin") => (await app.GetAsync(path, user)).AsArray();

    private static IEnumerable<string> Resources(JsonArray rows) => rows.Select(r => r!["resource"]!.GetValue<string>());

    private static (string, string, string, string) Words(JsonNode? row) =>
        (row!["operation"]!.GetValue<string>(), row["resource_type"]!.GetValue<string>(), row["resource"]!.GetValue<string>(), row["username"]!.GetValue<string>());

    private static readonly Statement SelectAll = new($"SELECT {AuditRows.Columns} FROM audit_entries ORDER BY id");

    private static readonly Statement InsertMember = new(
        "INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) VALUES (@0, @1, @2, @3, 1)");
}
