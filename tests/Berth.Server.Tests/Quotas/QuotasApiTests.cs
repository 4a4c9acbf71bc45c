using Berth.Server.Platform.Data;
using Berth.Server.Quotas;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Quotas;

public sealed class QuotasApiOnSqliteTests(SqlitePlatform fixture) : QuotasApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class QuotasApiOnPostgresTests(PostgresPlatform fixture) : QuotasApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class QuotasApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    private const string Quotas = "/api/v2.0/quotas";

    [Fact]
    public async Task A_quota_is_read_listed_and_set()
    {
        var project = await NewProjectAsync();
        var id = await IdOfAsync(project);
        var quota = await App.GetAsync($"{Quotas}/{id}");
        Assert.Equal($$"""{"id":{{id}},"name":"{{project}}","owner_name":"admin"}""", quota["ref"]!.ToJsonString());
        Assert.Equal("""{"storage":-1}""", quota["hard"]!.ToJsonString());
        Assert.Equal("""{"storage":0}""", quota["used"]!.ToJsonString());
        Assert.Equal(200, (await App.CallAsync("PUT", $"{Quotas}/{id}", body: """{"hard":{"storage":1073741824}}""")).Status);
        var list = await App.CallAsync("GET", $"{Quotas}?reference=project&reference_id={id}");
        Assert.Equal("1", list.Header("X-Total-Count"));
        Assert.Equal(1073741824, list.Json[0]!["hard"]!["storage"]!.GetValue<long>());
        Assert.Empty((await App.GetAsync($"{Quotas}?reference=user")).AsArray());
        Assert.Empty((await App.GetAsync($"{Quotas}?reference_id=x")).AsArray());
        Assert.Equal(["create project", "update quota"], EventsOf(project));
    }

    [Fact]
    public async Task Quotas_sort_by_what_is_allowed_and_used_and_unlimited_ones_are_the_largest()
    {
        var names = new List<string>();
        foreach (var (limit, seed) in new[] { (500_000L, 0), (-1L, 111), (400_000L, 112) })
        {
            var name = NewName("sorted");
            await App.CreateAsync("/api/v2.0/projects", $$"""{"project_name":"{{name}}","storage_limit":{{limit}}}""");
            if (seed > 0) await App.PushAsync($"{name}/app", "v1", TestImage.New(seed: seed));
            names.Add(name);
        }
        Assert.Equal([names[2], names[0], names[1]], await SortedAsync("hard.storage", names));
        Assert.Equal([names[1], names[0], names[2]], await SortedAsync("-hard.storage", names));
        Assert.Equal(names[0], (await SortedAsync("used.storage", names))[0]);
        Assert.Equal(names[0], (await SortedAsync("-used.storage", names))[^1]);
    }

    [Theory]
    [InlineData("{}", "hard required in body")]
    [InlineData("""{"hard":{}}""", "hard required in body")]
    [InlineData("""{"hard":{"count":5}}""", "resource count not support")]
    [InlineData("""{"hard":{"storage":0}}""", "invalid non-positive value for quota limit, value=0")]
    [InlineData("""{"hard":{"storage":-5}}""", "invalid non-positive value for quota limit, value=-5")]
    [InlineData("""{"hard":{"storage":1125899906842625}}""", "exceeded 1024TB, which is 1125899906842624 Bytes, value=1125899906842625")]
    public async Task What_is_no_quota_is_refused(string body, string message)
    {
        var answer = await App.CallAsync("PUT", $"{Quotas}/{await IdOfAsync("library")}", body: body);
        Assert.Equal((400, message), (answer.Status, answer.Message));
    }

    [Fact]
    public async Task Quotas_are_the_administrators()
    {
        var project = await NewProjectAsync();
        var (owner, id) = (await NewMemberAsync(project, 1), await IdOfAsync(project));
        foreach (var (user, status) in new[] { (owner, 403), ("", 401) })
        {
            Assert.Equal(status, (await App.CallAsync("GET", Quotas, user)).Status);
            Assert.Equal(status, (await App.CallAsync("GET", $"{Quotas}/{id}", user)).Status);
            Assert.Equal(status, (await App.CallAsync("PUT", $"{Quotas}/{id}", user, """{"hard":{"storage":5}}""")).Status);
            Assert.Equal(status, (await App.CallAsync("POST", "/api/berth/v1/quotas/recount", user)).Status);
        }
        Assert.Equal(404, (await App.CallAsync("GET", $"{Quotas}/99999999")).Status);
        Assert.Equal(404, (await App.CallAsync("PUT", $"{Quotas}/99999999", body: """{"hard":{"storage":5}}""")).Status);
        Assert.Equal(404, (await App.CallAsync("POST", "/api/berth/v1/quotas/recount?project=no-such-project")).Status);
    }

    [Fact]
    public async Task A_push_beyond_the_quota_counts_nothing_and_a_full_project_refuses_uploads_at_once()
    {
        var project = await NewProjectAsync();
        var (first, second) = (TestImage.New(seed: 113), TestImage.New(seed: 114));
        var size = first.Blobs.Sum(b => b.Length) + first.Manifest.Length;
        var id = await IdOfAsync(project);
        await SetAsync(id, size + 1000);
        await App.PushAsync($"{project}/app", "v1", first);
        // Each blob once, however often it is named; a repeated push counts nothing.
        await App.PushAsync($"{project}/app", "v2", first);
        Assert.Equal(size, await UsedAsync(id));
        Assert.Contains("warn quota", EventsOf(project));

        var admin = PlatformApp.As("admin");
        foreach (var blob in second.Blobs) (await App.Registry.PostAsync($"/v2/{project}/app/blobs/uploads/?digest={Oci.Digest.Of(blob)}", blob, admin)).MustBe(201);
        var refused = (await App.Registry.PutManifestAsync($"{project}/app", "v3", second.Manifest, second.MediaType, admin)).MustBe(403, "DENIED");
        Assert.Contains("will exceed the configured upper limit", refused.Details[0], StringComparison.Ordinal);
        Assert.Equal(size, await UsedAsync(id));
        Assert.Equal(1, EventsOf(project).Count(e => e == "exceed quota"));

        await SetAsync(id, size);
        var full = (await App.Registry.PostAsync($"/v2/{project}/app/blobs/uploads/", null, admin)).MustBe(403, "DENIED");
        Assert.Contains($"the quota of project {project} is used up", full.Details[0], StringComparison.Ordinal);
        (await App.Registry.PostAsync($"/v2/{project}/app/blobs/uploads/", null, admin)).MustBe(403, "DENIED");
        Assert.Equal(2, EventsOf(project).Count(e => e == "exceed quota"));

        (await App.Registry.DeleteAsync($"/v2/{project}/app/manifests/{first.Digest}", admin)).MustBe(202);
        Assert.Equal(0, await UsedAsync(id));
        await App.PushAsync($"{project}/app", "v3", second);
    }

    [Fact]
    public async Task Without_enforcement_bytes_are_counted_and_refuse_nothing()
    {
        await using var app = await PlatformApp.StartAsync(Kind, o => o with { Settings = o.Settings with { Fixed = new Dictionary<string, string> { ["quota_per_project_enable"] = "false" } } });
        await app.CreateAsync("/api/v2.0/projects", """{"project_name":"small","storage_limit":10}""");
        await app.PushAsync("small/app", "v1", TestImage.New(seed: 115));
        await app.PushAsync("small/app", "v2", TestImage.New(seed: 116));
        Assert.True((await app.GetAsync("/api/v2.0/projects/small/summary"))["quota"]!["used"]!["storage"]!.GetValue<long>() > 160_000);
    }

    [Fact]
    public async Task A_recount_finds_by_how_much_the_count_was_off_and_mends_it()
    {
        var project = await NewProjectAsync();
        await App.PushAsync($"{project}/app", "v1", TestImage.New(seed: 117));
        var id = await IdOfAsync(project);
        var used = await UsedAsync(id);
        await App.Database.WriteAsync(Durability.Full, async (session, ct) => await session.ExecuteAsync(Spoil, [id], ct), CancellationToken.None);
        var count = (await App.CallAsync("POST", $"/api/berth/v1/quotas/recount?project={project}")).Json[0]!;
        Assert.Equal((project, used + 777, used, -777L), (count["project_name"]!.GetValue<string>(), count["used_before"]!.GetValue<long>(), count["used_now"]!.GetValue<long>(), count["difference"]!.GetValue<long>()));
        Assert.Equal(used, await UsedAsync(id));
        Assert.Equal(used, await App.Database.ReadAsync(id, static (s, i, ct) => ProjectUsage.TrueBytesAsync(s, i, ct), CancellationToken.None));
        Assert.Contains("recount quota", EventsOf(project));
        Assert.Contains((await App.CallAsync("POST", "/api/berth/v1/quotas/recount")).Json.AsArray(), c => c!["project_name"]!.GetValue<string>() == project && c["difference"]!.GetValue<long>() == 0);
    }

    private async Task<List<string>> SortedAsync(string sort, List<string> names) =>
        [.. (await App.GetAsync($"{Quotas}?sort={sort}&page_size=100")).AsArray().Select(q => q!["ref"]!["name"]!.GetValue<string>()).Where(names.Contains)];

    private async Task SetAsync(long id, long bytes) => Assert.Equal(200, (await App.CallAsync("PUT", $"{Quotas}/{id}", body: $$$"""{"hard":{"storage":{{{bytes}}}}}""")).Status);

    private async Task<long> UsedAsync(long id) => (await App.GetAsync($"{Quotas}/{id}"))["used"]!["storage"]!.GetValue<long>();

    private static readonly Statement Spoil = new("UPDATE projects SET used_bytes = used_bytes + 777 WHERE id = @0");
}
