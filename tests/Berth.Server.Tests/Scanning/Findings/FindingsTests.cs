using Berth.Scanner.Advisories;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Advisories;
using Berth.Server.Scanning.Findings;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Scanning.Findings;

public sealed class FindingsTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Findings_are_found_by_what_they_are_about_a_page_at_a_time_the_worst_first(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        Assert.Equal(["CVE-2026-3", "CVE-2026-2", "CVE-2026-2", "CVE-2026-1"], await IdsAsync(lab, ""));
        Assert.Equal(["CVE-2026-2", "CVE-2026-2"], await IdsAsync(lab, "?vulnerability=CVE-2026-2"));
        Assert.Equal(["CVE-2026-3", "CVE-2026-2", "CVE-2026-1"], await IdsAsync(lab, "?project=p"));
        Assert.Equal(["CVE-2026-2"], await IdsAsync(lab, "?project=q&package=lodash"));
        Assert.Equal(["CVE-2026-3", "CVE-2026-1"], await IdsAsync(lab, "?severity=critical,LOW"));
        Assert.Equal(["CVE-2026-3"], await IdsAsync(lab, "?fixable=false"));
        Assert.Equal(["CVE-2026-3", "CVE-2026-1"], await IdsAsync(lab, "?repository=p/web&tag=1"));
        Assert.Empty(await IdsAsync(lab, "?digest=sha256:00"));

        var first = await lab.App.GetAsync("/api/berth/v1/security/findings?limit=3");
        Assert.Equal(3, first["items"]!.AsArray().Count);
        var second = await lab.App.GetAsync($"/api/berth/v1/security/findings?limit=3&after={first["next"]}");
        Assert.Equal("CVE-2026-1", (string)Assert.Single(second["items"]!.AsArray())!["vulnerability"]!);
        Assert.Null(second["next"]);
        foreach (var wrong in new[] { "?limit=0", "?limit=9999", "?after=x", "?severity=bad", "?fixable=perhaps" })
            Assert.Equal(400, (await lab.App.CallAsync("GET", "/api/berth/v1/security/findings" + wrong)).Status);
        Assert.Equal(404, (await lab.App.CallAsync("GET", "/api/berth/v1/security/findings?project=nowhere")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Of_an_index_the_findings_of_its_images_are_found(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        var (one, two) = (ScanLab.Image(("left-pad", "1.0.1")), ScanLab.Image(("lodash", "4.0.1")));
        foreach (var image in new[] { one, two })
        {
            await lab.App.PushAsync("p/multi", image.Digest.Value, image);
            await lab.ScanAsync("p/multi", image.Digest.Value);
        }
        var index = Registry.TestImage.Index([one, two]);
        await lab.App.PushAsync("p/multi", "all", index);
        Assert.Equal(["CVE-2026-3", "CVE-2026-2", "CVE-2026-1"], await IdsAsync(lab, $"?digest={index.Digest}"));
        Assert.Equal(["CVE-2026-3", "CVE-2026-2", "CVE-2026-1"], await IdsAsync(lab, "?repository=p/multi&tag=all"));
        Assert.Equal(["CVE-2026-2"], await IdsAsync(lab, $"?digest={two.Digest}"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Who_may_not_read_a_project_sees_nothing_of_it(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        await lab.App.AddUserAsync("guest");
        Assert.Empty(await lab.FindingsAsync(user: "guest"));
        Assert.Equal(404, (await lab.App.CallAsync("GET", "/api/berth/v1/security/findings?project=q", "guest")).Status);
        Assert.Empty((await lab.App.GetAsync("/api/berth/v1/security/packages?name=lodash", "guest"))["items"]!.AsArray());
        Assert.Equal(0, (int)(await lab.App.GetAsync("/api/berth/v1/security/statistics", "guest"))["counts"]!["scanned"]!);
        await lab.App.AddMemberAsync("q", "guest", 3);
        Assert.Equal("q/api", (string)Assert.Single(await lab.FindingsAsync(user: "guest"))["repository"]!);
        Assert.Equal("q/api", (string)Assert.Single((await lab.App.GetAsync("/api/berth/v1/security/packages?name=lodash", "guest"))["items"]!.AsArray())!["repository"]!);
        Assert.Equal(1, (int)(await lab.App.GetAsync("/api/berth/v1/security/statistics", "guest"))["counts"]!["scanned"]!);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Images_are_found_by_their_packages(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        async Task<List<string>> FindAsync(string query) => [.. (await lab.App.GetAsync("/api/berth/v1/security/packages" + query))["items"]!.AsArray().Select(one => $"{one!["repository"]} {one["name"]} {one["version"]}").Order()];
        Assert.Equal(["p/web lodash 4.0.0", "q/api lodash 4.0.0"], await FindAsync("?name=Lodash"));
        Assert.Equal(["q/api lodash 4.0.0"], await FindAsync("?name=lodash&project=q&scope=npm"));
        Assert.Equal(["p/web left-pad 1.0.0", "p/web lodash 4.0.0", "q/api lodash 4.0.0"], await FindAsync("?name=l*"));
        Assert.Empty(await FindAsync("?name=lodash&version=4.0.1"));
        var page = await lab.App.GetAsync("/api/berth/v1/security/packages?name=lodash&limit=1");
        var rest = await lab.App.GetAsync($"/api/berth/v1/security/packages?name=lodash&limit=5&after={page["next"]}");
        Assert.Equal(["p/web", "q/api"], page["items"]!.AsArray().Concat(rest["items"]!.AsArray()).Select(one => (string)one!["repository"]!).Order());
        Assert.Equal(400, (await lab.App.CallAsync("GET", "/api/berth/v1/security/packages?name=*")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Counts_worst_images_and_the_days_trend_are_told(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        var watch = lab.App.Services.GetRequiredService<AdvisoryWatch>();
        await watch.KeepHouseAsync(CancellationToken.None);
        await watch.KeepHouseAsync(CancellationToken.None);
        var all = await lab.App.GetAsync("/api/berth/v1/security/statistics");
        Assert.Equal((3, 3, 1, 0, 2, 1, 3), (
            (int)all["counts"]!["images"]!, (int)all["counts"]!["scanned"]!, (int)all["counts"]!["critical"]!, (int)all["counts"]!["high"]!, (int)all["counts"]!["medium"]!,
            (int)all["counts"]!["low"]!, (int)all["counts"]!["fixable"]!));
        Assert.Equal((1, "p/web"), ((int)all["worst"]![0]!["critical"]!, (string)all["worst"]![0]!["repository"]!));
        var day = Assert.Single(all["trend"]!.AsArray())!;
        Assert.Equal((TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd"), 3, 2), ((string)day["date"]!, (int)day["images"]!, (int)day["medium"]!));
        var one = await lab.App.GetAsync("/api/berth/v1/security/statistics?project=q&days=1");
        Assert.Equal((1, 1), ((int)one["counts"]!["scanned"]!, (int)Assert.Single(one["trend"]!.AsArray())!["medium"]!));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_finding_that_stays_keeps_when_it_was_first_seen_and_texts_of_images_are_cut_to_what_columns_hold(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        var id = (await lab.NumberAsync("SELECT MIN(manifest_id) FROM artifact_scans"))!.Value;
        var row = new FindingRow { Vulnerability = "CVE-1", Package = "a\0b", Version = "1", Severity = 3 };
        Task<FindingChanges> StoreAsync(long now, params FindingRow[] rows) =>
            lab.App.Database.WriteAsync(Durability.Full, (session, ct) => FindingTable.StoreAsync(session, id, rows, now, ct).AsTask(), CancellationToken.None);
        var version = new string('9', 5000);
        var cleaned = FindingRow.OfHarborReport($$$"""
            {"vulnerabilities":[{"id":"CVE-1","package":"a\u0000b","version":"{{{version}}}"},
            {"id":"CVE-1","package":"a\u0000b","version":"{{{version}}}","severity":"High","fix_version":"2","status":"fixed","preferred_cvss":{"score_v3":7.5}},{"no":"id"}]}
            """);
        var kept = Assert.Single(cleaned);
        Assert.Equal(("a b", FindingRow.MaxNameChars, (short)4, "2", 7.5, (short)FixStatus.Fixed), (kept.Package, kept.Version.Length, kept.Severity, kept.FixedVersion, kept.Score, kept.Status));
        Assert.Single((await StoreAsync(1000, kept)).Added);
        var changes = await StoreAsync(2000, kept with { Severity = 5 }, row with { Package = "new" });
        Assert.Equal(("new", 0, 1), (Assert.Single(changes.Added).Package, changes.Removed, changes.Changed));
        Assert.False((await StoreAsync(3000, kept with { Severity = 5 }, row with { Package = "new" })).Any);
        Assert.Equal(1000, await lab.NumberAsync("SELECT first_seen FROM artifact_findings WHERE manifest_id = @0 AND severity = 5", id));
        Assert.Equal((0, 2, 0), (await StoreAsync(4000) is var gone ? (gone.Added.Count, gone.Removed, gone.Changed) : default));
    }

    private static async Task<ScanLab> LabAsync(DatabaseKind kind)
    {
        var lab = await ScanLab.StartAsync(kind);
        lab.Use(0, ("left-pad", "CVE-2026-1", "2.0.0", Severity.Low), ("lodash", "CVE-2026-2", "5.0.0", Severity.Medium), ("left-pad", "CVE-2026-3", null, Severity.Critical));
        await lab.App.AddProjectAsync("q");
        await lab.PushAsync("p/web", "1", ("left-pad", "1.0.0"));
        await lab.PushAsync("p/web", "2", ("lodash", "4.0.0"));
        await lab.PushAsync("q/api", "1", ("lodash", "4.0.0"));
        return lab;
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(ScanLab lab, string query) => [.. (await lab.FindingsAsync(query)).Select(one => (string)one["vulnerability"]!)];
}
