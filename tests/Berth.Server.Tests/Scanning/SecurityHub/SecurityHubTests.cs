using System.Text.Json.Nodes;
using Berth.Scanner.Advisories;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Scanning.SecurityHub;

public sealed class SecurityHubTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_summary_and_the_search_have_Harbors_form(DatabaseKind kind)
    {
        await using var lab = await ScanLab.StartAsync(kind);
        lab.Use(0, ("left-pad", "CVE-2026-1", "2.0.0", Severity.Medium), ("left-pad", "CVE-2026-2", null, Severity.Critical), ("lodash", "CVE-2026-3", "5.0.0", Severity.Low));
        var image = await lab.PushAsync("p/web", "1", ("left-pad", "1.0.0"));
        await lab.PushAsync("p/api", "v1", ("lodash", "4.0.0"), ("left-pad", "1.0.0"));
        await lab.App.PushAsync("p/new", "1", ScanLab.Image(("other", "1.0.0")));

        var summary = await lab.App.GetAsync("/api/v2.0/security/summary");
        Assert.Equal((2, 0, 2, 1, 0, 0, 5, 2, 3, 3), (
            (int)summary["critical_cnt"]!, (int)summary["high_cnt"]!, (int)summary["medium_cnt"]!, (int)summary["low_cnt"]!, (int)summary["none_cnt"]!, (int)summary["unknown_cnt"]!,
            (int)summary["total_vuls"]!, (int)summary["scanned_cnt"]!, (int)summary["total_artifact"]!, (int)summary["fixable_cnt"]!));
        Assert.Null(summary["dangerous_cves"]);
        Assert.Null(summary["dangerous_artifacts"]);

        summary = await lab.App.GetAsync("/api/v2.0/security/summary?with_dangerous_cve=true&with_dangerous_artifact=true");
        var flaws = summary["dangerous_cves"]!.AsArray();
        Assert.Equal([("CVE-2026-2", 9.8), ("CVE-2026-3", 5.5), ("CVE-2026-1", 5.5)], flaws.Select(one => ((string)one!["cve_id"]!, (double)one["cvss_score_v3"]!)));
        Assert.Equal(("Critical", "left-pad", "1.0.0"), ((string)flaws[0]!["severity"]!, (string)flaws[0]!["package"]!, (string)flaws[0]!["version"]!));
        Assert.StartsWith("CVE-2026-2 lets anybody in", (string)flaws[0]!["desc"]!, StringComparison.Ordinal);
        var images = summary["dangerous_artifacts"]!.AsArray();
        Assert.Equal((1, 1), ((int)images[0]!["critical_cnt"]!, (int)images[0]!["medium_cnt"]!));
        Assert.Contains(images, one => (string)one!["digest"]! == image.Digest.Value && (string)one["repository_name"]! == "p/web");

        Assert.Equal(5, (await FindAsync(lab, "")).Count);
        Assert.Equal(2, (await FindAsync(lab, "?q=cve_id%3DCVE-2026-1")).Count);
        Assert.Single(await FindAsync(lab, "?q=cve_id%3DCVE-2026-1%2Crepository_name%3Dp%2Fweb"));
        Assert.Equal(2, (await FindAsync(lab, "?q=cvss_score_v3%3D%5B7.0~10.0%5D")).Count);
        Assert.Equal(2, (await FindAsync(lab, "?q=severity%3DCritical")).Count);
        Assert.Empty(await FindAsync(lab, "?q=severity%3DNone"));
        Assert.Equal(3, (await FindAsync(lab, "?q=status%3Dfixed")).Count);
        Assert.Equal(3, (await FindAsync(lab, "?q=tag%3Dv1")).Count);
        Assert.Equal(4, (await FindAsync(lab, "?q=package%3Dleft-pad")).Count);
        Assert.Empty(await FindAsync(lab, "?q=project_id%3D999"));
        Assert.Equal(2, (await FindAsync(lab, $"?q=digest%3D{image.Digest}")).Count);
        foreach (var wrong in new[] { "cve_id%3D~x", "nothing%3D1", "severity%3Dbad", "cvss_score_v3%3D%5Ba~b%5D", "project_id%3Dx" })
            Assert.Equal(400, (await lab.App.CallAsync("GET", "/api/v2.0/security/vul?q=" + wrong)).Status);

        var answer = await lab.App.CallAsync("GET", "/api/v2.0/security/vul?q=cve_id%3DCVE-2026-2&with_tag=true&tune_count=true&page_size=1");
        Assert.Equal("2", answer.Header("X-Total-Count"));
        var one = Assert.Single(answer.Json.AsArray())!;
        Assert.Equal(
            ["cve_id", "cvss_v3_score", "desc", "digest", "fixed_version", "links", "package", "project_id", "repository_name", "severity", "status", "tags", "version"], ((JsonObject)one).Select(field => field.Key).Order());
        Assert.Equal(("v1", "affected", 9.8), ((string)Assert.Single(one["tags"]!.AsArray())!, (string)one["status"]!, (double)one["cvss_v3_score"]!));
        Assert.Contains("https://example.com/CVE-2026-2", one["links"]!.AsArray().Select(link => (string)link!));
        await lab.App.AddUserAsync("somebody");
        Assert.Equal(403, (await lab.App.CallAsync("GET", "/api/v2.0/security/summary", "somebody")).Status);
        Assert.Equal(403, (await lab.App.CallAsync("GET", "/api/v2.0/security/vul", "somebody")).Status);
    }

    private static async Task<JsonArray> FindAsync(ScanLab lab, string query) => (await lab.App.GetAsync("/api/v2.0/security/vul" + query)).AsArray();
}
