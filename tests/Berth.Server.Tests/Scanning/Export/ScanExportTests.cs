using Berth.Scanner.Advisories;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Advisories;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Scanning.Export;

public sealed class ScanExportTests
{
    private const string Header = "Repository,Artifact Digest,CVE,Package,Current Version,Fixed in version,Severity,CWE Ids,Additional Data,Scanner\n";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Findings_are_exported_as_a_file_with_Harbors_columns_which_goes_after_a_day(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        var web = await lab.PushAsync("p/web", "1", ("left-pad", "1.0.0"), ("lodash", "4.0.0"));
        var api = await lab.PushAsync("p/api", "v2", ("lodash", "4.0.0"));
        await lab.App.PushAsync("p/new", "1", ScanLab.Image(("lodash", "1.0.0")));

        const string Data = "\"{\"\"CVSS\"\":{\"\"nvd\"\":{\"\"V3Vector\"\":\"\"CVSS:3.1/AV:N\"\",\"\"V3Score\"\":5.5}}}\"";
        string Row(string repository, string digest, string id, string package, string version, string repaired, string severity) =>
            $"{repository},{digest},{id},{package},{version},{repaired},{severity},\"CWE-79,CWE-80\",{Data},Berth\n";
        var first = Row("p/web", web.Digest.Value, "CVE-2026-1", "left-pad", "1.0.0", "", "Medium");
        var second = Row("p/web", web.Digest.Value, "CVE-2026-2", "lodash", "4.0.0", "5.0.0", "Low");
        var third = Row("p/api", api.Digest.Value, "CVE-2026-2", "lodash", "4.0.0", "5.0.0", "Low");
        Assert.Equal(Header + first + second + third, await ExportAsync(lab, """{"projects":[ID]}"""));
        Assert.Equal(Header + second + third, await ExportAsync(lab, """{"job_name":"november","projects":[ID],"cveIds":"CVE-2026-2,CVE-1"}"""));
        Assert.Equal(Header + third, await ExportAsync(lab, """{"projects":[ID],"repositories":"{api,x*}"}"""));
        Assert.Equal(Header + third, await ExportAsync(lab, """{"projects":[ID],"tags":"v*"}"""));
        Assert.Equal(Header, await ExportAsync(lab, """{"projects":[ID],"labels":[77]}"""));

        var list = (await lab.App.GetAsync("/api/v2.0/export/cve/executions"))["items"]!.AsArray();
        Assert.Equal(5, list.Count);
        Assert.All(list, one => Assert.Equal(("Success", "MANUAL", "admin", true, ""), ((string)one!["status"]!, (string)one["trigger"]!, (string)one["user_name"]!, (bool)one["file_present"]!, (string)one["status_text"]!)));
        var id = (long)list[0]!["id"]!;
        await lab.ExecuteAsync("UPDATE scan_exports SET expires_at = 5 WHERE job_id = @0", id);
        Assert.False((bool)(await lab.App.GetAsync($"/api/v2.0/export/cve/execution/{id}"))["file_present"]!);
        Assert.Equal(404, (await lab.App.CallAsync("GET", $"/api/v2.0/export/cve/download/{id}")).Status);
        await lab.App.Services.GetRequiredService<AdvisoryWatch>().KeepHouseAsync(CancellationToken.None);
        Assert.Equal(0, await lab.NumberAsync("SELECT COUNT(*) FROM scan_export_parts WHERE job_id = @0", id));
        Assert.Equal(4, await lab.NumberAsync("SELECT COUNT(*) FROM scan_export_parts"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_export_is_its_users_own_and_needs_the_right_in_the_project(DatabaseKind kind)
    {
        await using var lab = await LabAsync(kind);
        await lab.PushAsync("p/web", "1", ("left-pad", "1.0.0"));
        var project = (long)(await lab.App.GetAsync("/api/v2.0/projects/p"))["project_id"]!;
        foreach (var (body, status) in new[] { ("""{"projects":[]}""", 400), ("""{"projects":[1,2]}""", 400), ("""{"projects":[999999]}""", 404), ("""{"projects":[ID],"tags":"a b"}""", 400), ("""{"projects":[ID],"repositories":"["}""", 400) })
            Assert.Equal(status, (await StartAsync(lab, body.Replace("ID", $"{project}"), "admin")).Status);
        Assert.Equal(400, (await lab.App.CallAsync("POST", "/api/v2.0/export/cve", body: $$"""{"projects":[{{project}}]}""")).Status);
        foreach (var name in new[] { "dev", "guest" }) await lab.App.AddUserAsync(name);
        await lab.App.AddMemberAsync("p", "dev", 2);
        await lab.App.AddMemberAsync("p", "guest", 3);
        Assert.Equal(403, (await StartAsync(lab, $$"""{"projects":[{{project}}]}""", "guest")).Status);
        var mine = await StartAsync(lab, $$"""{"projects":[{{project}}]}""", "dev");
        Assert.Equal(200, mine.Status);
        var id = (long)mine.Json["id"]!;
        await Eventually.TrueAsync(async () => (bool)(await lab.App.GetAsync($"/api/v2.0/export/cve/execution/{id}", "dev"))["file_present"]!, "the file is there");
        Assert.StartsWith(Header, (await lab.App.CallAsync("GET", $"/api/v2.0/export/cve/download/{id}", "dev")).Body, StringComparison.Ordinal);
        Assert.Equal(403, (await lab.App.CallAsync("GET", $"/api/v2.0/export/cve/download/{id}")).Status);
        Assert.Equal(403, (await lab.App.CallAsync("GET", $"/api/v2.0/export/cve/execution/{id}", "guest")).Status);
        Assert.Empty((await lab.App.GetAsync("/api/v2.0/export/cve/executions"))["items"]!.AsArray());
        Assert.Equal(404, (await lab.App.CallAsync("GET", "/api/v2.0/export/cve/execution/4711")).Status);
    }

    private static async Task<ScanLab> LabAsync(DatabaseKind kind)
    {
        var lab = await ScanLab.StartAsync(kind);
        lab.Use(0, ("left-pad", "CVE-2026-1", null, Severity.Medium), ("lodash", "CVE-2026-2", "5.0.0", Severity.Low));
        return lab;
    }

    private static Task<Api.ApiAnswer> StartAsync(ScanLab lab, string body, string user) =>
        lab.App.CallAsync("POST", "/api/v2.0/export/cve", user, body, ("X-Scan-Data-Type", ScanLab.Report));

    private static async Task<string> ExportAsync(ScanLab lab, string body)
    {
        var project = (long)(await lab.App.GetAsync("/api/v2.0/projects/p"))["project_id"]!;
        var started = await StartAsync(lab, body.Replace("ID", $"{project}"), "admin");
        Assert.True(started.Status == 200, started.Body);
        var id = (long)started.Json["id"]!;
        await Eventually.TrueAsync(async () => (bool)(await lab.App.GetAsync($"/api/v2.0/export/cve/execution/{id}"))["file_present"]!, $"export {id} is done");
        var file = await lab.App.CallAsync("GET", $"/api/v2.0/export/cve/download/{id}");
        Assert.Equal(("text/csv", $"attachment; filename=\"scandata_export_{id}.csv\""), (file.Header("Content-Type"), file.Header("Content-Disposition")));
        return file.Body;
    }
}
