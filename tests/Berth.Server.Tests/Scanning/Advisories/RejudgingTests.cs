using Berth.Scanner.Advisories;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning;
using Berth.Server.Scanning.Advisories;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Scanning.Advisories;

public sealed class RejudgingTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_new_advisory_changes_the_reports_of_images_that_have_the_package_and_no_layer_is_read(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(0, ("left-pad", "CVE-2026-1", "1.3.1", Severity.Medium));
        await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"), ("lodash", "4.0.0"));
        await lab.PushAsync("p/other", "1", ("left-pad", "1.3.0"));
        Assert.Single((await lab.RejudgeAsync()).Lines);
        Assert.Equal(["CVE-2026-1"], await lab.ReportAsync("p/web", "1"));
        var seen = Assert.Single(await lab.FindingsAsync("?repository=p/web"))["first_seen"]!.ToString();

        lab.Use(1, ("left-pad", "CVE-2026-1", "1.3.1", Severity.Medium), ("lodash", "CVE-2026-2", null, Severity.Critical));
        // All bytes are gone: what is judged is what is known.
        Directory.Delete(BerthStorage.RootOf(lab.App.Registry.Options), recursive: true);
        var log = await lab.RejudgeAsync();

        Assert.Equal(1, log.Judged);
        Assert.Equal(["CVE-2026-1", "CVE-2026-2"], await lab.ReportAsync("p/web", "1"));
        Assert.Equal(["CVE-2026-1"], await lab.ReportAsync("p/other", "1"));
        var findings = await lab.FindingsAsync("?repository=p/web");
        Assert.Equal([("CVE-2026-2", "Critical"), ("CVE-2026-1", "Medium")], findings.Select(one => ((string)one["vulnerability"]!, (string)one["severity"]!)));
        Assert.Equal(seen, findings[1]["first_seen"]!.ToString());
        var overview = (await lab.App.GetAsync(ScanLab.PathOf("p/web", "1") + "?with_scan_overview=true"))["scan_overview"]![ScanLab.Report]!;
        Assert.Equal(("Critical", 2), ((string)overview["severity"]!, (int)overview["summary"]!["total"]!));
        var round = await lab.RoundAsync();
        Assert.Equal((1, 1, 1, 1), ((int)round["affected"]!, (int)round["judged"]!, (int)round["changed"]!, (int)round["new_findings"]!));
        // The others are by the new database too.
        Assert.Equal(2, await lab.NumberAsync("SELECT COUNT(*) FROM artifact_scans WHERE database_built_at = @0", ScanLab.FirstDay.AddDays(1).ToUnixTimeMilliseconds()));
        Assert.Equal(0, (await lab.RejudgeAsync()).Judged);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_withdrawn_advisory_takes_its_findings_along_and_a_changed_one_changes_them(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(0, ("left-pad", "CVE-2026-1", null, Severity.Medium), ("left-pad", "CVE-2026-2", null, Severity.Low));
        await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"));
        await lab.RejudgeAsync();
        lab.Use(1, ("left-pad", "CVE-2026-2", "2.0.0", Severity.High));
        await lab.RejudgeAsync();
        var finding = Assert.Single(await lab.FindingsAsync());
        Assert.Equal(("CVE-2026-2", "High", "2.0.0"), ((string)finding["vulnerability"]!, (string)finding["severity"]!, (string)finding["fixed_version"]!));
        Assert.Equal(["CVE-2026-2"], await lab.ReportAsync("p/web", "1"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Only_the_severity_of_a_flaw_changes_and_those_who_have_it_are_judged_again(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(0, ("left-pad", "CVE-2026-1", "1.3.1", Severity.Low));
        await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"));
        await lab.PushAsync("p/other", "1", ("left-pad", "1.3.1"));
        await lab.RejudgeAsync();
        lab.Use(1, ("left-pad", "CVE-2026-1", "1.3.1", Severity.Critical));
        Assert.Equal(1, (await lab.RejudgeAsync()).Judged);
        Assert.Equal("Critical", (string)Assert.Single(await lab.FindingsAsync())["severity"]!);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Cut_off_between_images_it_goes_on_where_it_was(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(0);
        for (var i = 0; i < 4; i++) await lab.PushAsync("p/web", $"{i}", ("left-pad", $"1.{i}.0"));
        await lab.RejudgeAsync();
        lab.Use(1, ("left-pad", "CVE-2026-1", null, Severity.High));
        using (var stop = new CancellationTokenSource())
        {
            var judged = 0;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lab.RejudgeAsync(() =>
            {
                if (++judged == 2) stop.Cancel();
            }, stop.Token));
        }
        Assert.Equal(2, (await lab.FindingsAsync()).Count);
        Assert.Null((await lab.RoundAsync())["end_time"]);
        // Killed, a process may also have lost the numbers of the round; the reports say what is left.
        Assert.Equal(2, (await lab.RejudgeAsync()).Judged);
        Assert.Equal(4, (await lab.FindingsAsync()).Count);
        var round = await lab.RoundAsync();
        Assert.Equal((4, 4), ((int)round["judged"]!, (int)round["new_findings"]!));
        Assert.NotNull(round["end_time"]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_way_back_to_an_older_database_counts_and_the_way_forward_again(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(0, ("left-pad", "CVE-2026-1", null, Severity.High));
        await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"));
        await lab.RejudgeAsync();
        lab.Use(1, ("left-pad", "CVE-2026-1", null, Severity.High), ("left-pad", "CVE-2026-2", null, Severity.High));
        await lab.RejudgeAsync();
        Assert.Equal(2, (await lab.FindingsAsync()).Count);
        await TickAsync();
        lab.Rollback();
        await lab.RejudgeAsync();
        Assert.Equal("CVE-2026-1", (string)Assert.Single(await lab.FindingsAsync())["vulnerability"]!);
        Assert.True((bool)(await lab.RoundAsync())["is_rollback"]!);
        lab.Use(2, ("left-pad", "CVE-2026-3", null, Severity.High));
        await lab.RejudgeAsync();
        Assert.Equal("CVE-2026-3", (string)Assert.Single(await lab.FindingsAsync())["vulnerability"]!);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_older_database_takes_nothing_from_a_newer_one(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(1, ("left-pad", "CVE-2026-1", null, Severity.High));
        await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"));
        await lab.RejudgeAsync();
        // A mirror that is behind: neither judging again nor a scan puts its judgement over the newer one.
        lab.Use(0);
        Assert.False((await lab.RejudgeAsync()).WasDone);
        await lab.ScanAsync("p/web", "1");
        Assert.Equal(["CVE-2026-1"], await lab.ReportAsync("p/web", "1"));
        Assert.Single(await lab.FindingsAsync());
        // What only the older one has judged is judged again by whoever has the newer one.
        await lab.PushAsync("p/web", "2", ("left-pad", "1.2.0"));
        Assert.Single(await lab.FindingsAsync());
        lab.Use(1, ("left-pad", "CVE-2026-1", null, Severity.High));
        Assert.Equal(1, (await lab.RejudgeAsync()).Judged);
        Assert.Equal(2, (await lab.FindingsAsync()).Count);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Without_the_database_before_all_are_judged_and_without_an_inventory_an_image_is_scanned(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(1);
        await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"));
        await lab.PushAsync("p/web", "2", ("lodash", "1.0.0"));
        await lab.PushAsync("p/web", "3", ("left-pad", "1.4.0"));
        await lab.ExecuteAsync("UPDATE artifact_scans SET database_built_at = 5");
        await lab.ExecuteAsync("UPDATE artifact_scans SET diff_ids = NULL WHERE manifest_id = (SELECT manifest_id FROM tags WHERE name = @0)", "3");
        lab.Use(2, ("left-pad", "CVE-2026-1", null, Severity.High));
        Assert.Contains("is scanned", string.Join('\n', (await lab.RejudgeAsync()).Lines), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await lab.FindingsAsync()).Count == 2, "the third image is scanned");
        Assert.Equal(3, await lab.NumberAsync("SELECT COUNT(*) FROM artifact_scans WHERE database_built_at = @0", ScanLab.FirstDay.AddDays(2).ToUnixTimeMilliseconds()));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_watch_adds_one_job_that_judges_again(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(0);
        await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"));
        await lab.RejudgeAsync();
        var watch = lab.App.Services.GetRequiredService<AdvisoryWatch>();
        Assert.False(await watch.LookAsync(CancellationToken.None));
        lab.Use(1, ("left-pad", "CVE-2026-1", null, Severity.High));
        Assert.True(await watch.LookAsync(CancellationToken.None));
        Assert.True(await watch.LookAsync(CancellationToken.None));
        Assert.Equal(1, await lab.NumberAsync("SELECT COUNT(*) FROM jobs WHERE kind = 'rejudge'"));
        await lab.ResumeAsync();
        await Eventually.TrueAsync(async () => (await lab.FindingsAsync()).Count == 1, "the job has judged again");
        await Eventually.TrueAsync(async () => !await watch.LookAsync(CancellationToken.None), "nothing is left");
    }

    [Fact]
    public void Rounds_follow_each_other_by_the_newest_database_that_somebody_chose()
    {
        var newest = new AdvisoryRound { BuiltAt = 20, UsedAt = 100 };
        Assert.Equal(RoundDecision.Newer, AdvisoryRounds.Decide(null, new AdvisoryUse(10, 5, [])));
        Assert.Equal(RoundDecision.Same, AdvisoryRounds.Decide(newest, new AdvisoryUse(20, 500, [])));
        Assert.Equal(RoundDecision.Newer, AdvisoryRounds.Decide(newest, new AdvisoryUse(30, 50, [])));
        Assert.Equal(RoundDecision.Behind, AdvisoryRounds.Decide(newest, new AdvisoryUse(10, 50, [])));
        // An old one from a stale mirror is no way back; the one before on the same shelf is.
        Assert.Equal(RoundDecision.Behind, AdvisoryRounds.Decide(newest, new AdvisoryUse(10, 500, [])));
        Assert.Equal(RoundDecision.Rollback, AdvisoryRounds.Decide(newest, new AdvisoryUse(10, 500, [20])));
        Assert.Equal(RoundDecision.Behind, AdvisoryRounds.Decide(newest, new AdvisoryUse(10, 50, [20])));
        // Who still has what others went back from does not undo it; who takes it again does.
        var back = new AdvisoryRound { BuiltAt = 10, UsedAt = 500, IsRollback = true };
        Assert.Equal(RoundDecision.Behind, AdvisoryRounds.Decide(back, new AdvisoryUse(20, 100, [])));
        Assert.Equal(RoundDecision.Newer, AdvisoryRounds.Decide(back, new AdvisoryUse(20, 600, [])));
    }

    // The file system's times may be no finer than some milliseconds.
    private static Task TickAsync() => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
}
