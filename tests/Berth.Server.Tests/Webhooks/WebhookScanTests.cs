using System.Text.Json.Nodes;
using Berth.Scanner.Advisories;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Notifications;
using Berth.Server.Tests.Registry;
using Berth.Server.Tests.Scanning;

namespace Berth.Server.Tests.Webhooks;

/// <summary>What scans tell other servers.</summary>
public sealed class WebhookScanTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Scans_and_new_findings_are_told_in_Harbors_form(DatabaseKind kind)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var lab = await ScanLab.StartAsync(kind, o => o with { Outgoing = new() { Allow = ["127.0.0.1"] }, Http = o.Http with { PublicUrl = "https://berth.example:8443" } });
        await lab.App.CreateAsync("/api/v2.0/projects/p/webhook/policies", $$"""
            {"name":"scans","enabled":true,"event_types":["SCANNING_COMPLETED","SCANNING_FAILED","SCANNING_STOPPED","NEW_FINDINGS"],"targets":[{"type":"http","address":"{{receiver.Url}}"}]}
            """);
        JsonNode[] Told() => [.. receiver.Requests.Select(r => JsonNode.Parse(r.Body)!)];
        async Task<JsonNode> NextAsync(int count)
        {
            await Eventually.TrueAsync(() => Told().Length >= count, $"{count} deliveries");
            return Told()[count - 1];
        }

        lab.Use(0, ("left-pad", "CVE-2026-1", "1.3.1", Severity.Medium));
        var image = await lab.PushAsync("p/web", "1", ("left-pad", "1.3.0"));
        var completed = await NextAsync(1);
        Assert.Equal(("SCANNING_COMPLETED", "auto"), ((string)completed["type"]!, (string)completed["operator"]!));
        var resource = completed["event_data"]!["resources"]![0]!;
        Assert.Equal((image.Digest.Value, "1", "berth.example:8443/p/web:1"), ((string)resource["digest"]!, (string)resource["tag"]!, (string)resource["resource_url"]!));
        var overview = resource["scan_overview"]![ScanLab.Report]!;
        Assert.Equal(("Success", "Medium", 1), ((string)overview["scan_status"]!, (string)overview["severity"]!, (int)overview["summary"]!["summary"]!["Medium"]!));
        Assert.Equal(("web", "p", "p/web", "private"), (
            (string)completed["event_data"]!["repository"]!["name"]!, (string)completed["event_data"]!["repository"]!["namespace"]!,
            (string)completed["event_data"]!["repository"]!["repo_full_name"]!, (string)completed["event_data"]!["repository"]!["repo_type"]!));

        await lab.RejudgeAsync();
        lab.Use(1, ("left-pad", "CVE-2026-1", "1.3.1", Severity.Medium), ("left-pad", "CVE-2026-2", null, Severity.Critical));
        await lab.RejudgeAsync();
        Assert.Equal("SCANNING_COMPLETED", (string)(await NextAsync(2))["type"]!);
        var found = await NextAsync(3);
        Assert.Equal("NEW_FINDINGS", (string)found["type"]!);
        var words = found["event_data"]!["custom_attributes"]!;
        Assert.Equal(("1", "1", "CVE-2026-2", "left-pad 1.3.0", "advisories"), (
            (string)words["new_findings"]!, (string)words["new_critical"]!, (string)words["vulnerabilities"]!, (string)words["packages"]!, (string)words["cause"]!));
        Assert.Equal(2, (int)found["event_data"]!["resources"]![0]!["scan_overview"]![ScanLab.Report]!["summary"]!["total"]!);

        await lab.App.PushAsync("p/bad", "1", TestImage.New(3));
        await lab.ScanAsync("p/bad", "1");
        var failed = await NextAsync(4);
        Assert.Equal(("SCANNING_FAILED", "Error"), ((string)failed["type"]!, (string)failed["event_data"]!["resources"]![0]!["scan_overview"]![ScanLab.Report]!["scan_status"]!));
        Assert.Contains("configuration", (string)failed["event_data"]!["custom_attributes"]!["problem"]!, StringComparison.Ordinal);

        // Scans do not begin: what is asked for waits and can be stopped.
        await lab.ExecuteAsync("INSERT INTO job_pauses (kind, since) VALUES ('image_scan', 0)");
        Assert.Equal(202, (await lab.App.CallAsync("POST", ScanLab.PathOf("p/web", "1") + "/scan")).Status);
        Assert.Equal(202, (await lab.App.CallAsync("POST", ScanLab.PathOf("p/web", "1") + "/scan/stop")).Status);
        var stopped = await NextAsync(5);
        Assert.Equal(("SCANNING_STOPPED", "Stopped"), ((string)stopped["type"]!, (string)stopped["event_data"]!["resources"]![0]!["scan_overview"]![ScanLab.Report]!["scan_status"]!));
        Assert.Equal(5, Told().Length);
    }
}
