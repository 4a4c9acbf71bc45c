using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using static Berth.Server.Tests.Scanning.ScanningApp;

namespace Berth.Server.Tests.Scanning.Contents;

public sealed class ProblemTests
{
    // Put together, so that nobody finds a secret in this file.
    private static readonly string s_token = "ghp_" + string.Concat(Enumerable.Repeat("a1B2c3D4e5", 4))[..36];

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Secrets_in_layers_and_configuration_are_found_where_the_project_wants_it_and_never_shown(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var config = new JsonObject { ["Env"] = new JsonArray($"GITHUB={s_token}"), ["User"] = "app" };
        await app.PushAsync("p/web", "1", LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0"), ("srv/app.env", $"A=1\nTOKEN={s_token}\n")]], config: config));
        await app.ScanAsync("1");
        var first = (await app.GetAsync(Ours + "1/problems"))["images"]![0]!;
        Assert.Equal((false, true), (first["secrets_looked_for"]!.GetValue<bool>(), first["configuration_checked"]!.GetValue<bool>()));
        Assert.Empty(first["secrets"]!.AsArray());

        await app.SetProjectAsync(("scan_secrets", "true"));
        var overview = await app.ScanAsync("1");
        var answer = await app.CallAsync("GET", Ours + "1/problems");
        Assert.DoesNotContain(s_token, answer.Body, StringComparison.Ordinal);
        var secrets = answer.Json["images"]![0]!["secrets"]!.AsArray();
        Assert.Equal(["config.json", "srv/app.env"], secrets.Select(static one => (string)one!["path"]!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(secrets, static one => Assert.Contains("****", (string?)one!["match"], StringComparison.Ordinal));
        Assert.Contains(answer.Json["images"]![0]!["misconfigurations"]!.AsArray(), static one => (string?)one!["id"] == "DS026");

        foreach (var format in new[] { "json", "sarif", "table" })
        {
            var report = await app.CallAsync("GET", $"{Ours}1/report?format={format}");
            Assert.Equal(200, report.Status);
            Assert.Contains("CVE-2020-1", report.Body, StringComparison.Ordinal);
            Assert.Contains("srv/app.env", report.Body, StringComparison.Ordinal);
            Assert.DoesNotContain(s_token, report.Body, StringComparison.Ordinal);
        }
        Assert.Equal("CycloneDX", (string?)(await app.GetAsync(Ours + "1/report?format=cyclonedx"))["bomFormat"]);
        Assert.Equal(400, (await app.CallAsync("GET", Ours + "1/report?format=word")).Status);
        await app.LogHasAsync("1", overview, "secrets");
        Assert.DoesNotContain(s_token, (await app.CallAsync("GET", $"{Web}1/scan/{overview["report_id"]}/log")).Body, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_changed_rule_file_makes_the_layers_be_read_once_more(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.SetAsync("""{"scan_secrets":true,"scan_misconfiguration":false}""");
        await app.PushAsync("p/web", "1", LayeredImage.New([[("srv/app.env", "PASS=berth-11223344\n")]]));
        await app.ScanAsync("1");
        var before = await app.GetAsync(Ours + "1/problems");
        Assert.Equal((0, false), (before["secrets"]!.GetValue<int>(), before["images"]![0]!["configuration_checked"]!.GetValue<bool>()));

        var folder = Directory.CreateDirectory(Path.Join(app.Registry.Folder, "data", "scanning")).FullName;
        await File.WriteAllTextAsync(Path.Join(folder, "trivy-secret.yaml"), """
            rules:
              - id: house-password
                category: general
                title: Password of the house
                severity: HIGH
                regex: berth-[0-9]{8}
            """);
        await app.LogHasAsync("1", await app.ScanAsync("1"), "was read");
        Assert.Equal("house-password", (string?)Assert.Single((await app.GetAsync(Ours + "1/problems"))["images"]![0]!["secrets"]!.AsArray())!["rule_id"]);
        await app.LogHasAsync("1", await app.ScanAsync("1"), "is known");
    }
}
