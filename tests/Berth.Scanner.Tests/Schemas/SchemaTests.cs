using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Misconfiguration;
using Berth.Scanner.Reports;
using Berth.Scanner.Sbom;
using Berth.Scanner.Secrets;
using Berth.Scanner.Tests.Cases;
using Berth.Scanner.Tests.Matching;

namespace Berth.Scanner.Tests.Schemas;

/// <summary>What is exported is valid against the official schemas, for every case that there is and for contents that nobody sane writes.</summary>
public sealed class SchemaTests(MatchingDatabases databases) : IClassFixture<MatchingDatabases>
{
    private static readonly DateTimeOffset Time = new(2026, 11, 22, 12, 30, 0, TimeSpan.Zero);
    private static readonly JsonSchema CycloneDx = JsonSchema.Load("bom-1.6.SNAPSHOT.schema.json");
    private static readonly JsonSchema Sarif = JsonSchema.Load("sarif-2.1.0-rtm.5.json");

    public static TheoryData<string> Ids => [.. ScannerCase.All.Where(one => one.Kind != "vulnerabilities/sbom").Select(one => one.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Documents_of_a_case_are_valid(string id)
    {
        var layers = await ScannerCase.Of(id).ReadLayersAsync(TestContext.Current.CancellationToken);
        var image = ImageInventory.Join(layers);
        var database = id.StartsWith("real-", StringComparison.Ordinal) ? databases.Osv : databases.Trivy;
        var report = new ScanReport("registry.example.com/shop/" + id + ":1", Time)
        {
            Distribution = image.Distribution,
            Packages = image.Packages,
            Findings = new Matcher(database).Match(image),
            Digest = layers[0].DiffId,
            Layers = [.. layers.Select(layer => new ReportLayer(layer.DiffId, layer.DiffId, 10))],
            RepoTags = ["registry.example.com/shop/" + id + ":1"],
        };
        AssertValid(report);
    }

    [Fact]
    public void Documents_with_contents_that_nobody_sane_writes_are_valid()
    {
        string[] texts = ["a b", "ä/ö:ü@1", "\u0001\n\t\"\\", "😀", "<script>", "%2F%", "pkg:npm/x@1?a=b#c", new string('x', 1024), "../..", " "];
        var packages = texts.SelectMany(text => Enum.GetValues<PackageType>().Select(type => new Package(type, text, text)
        {
            Release = type == PackageType.Rpm ? text : "",
            Architecture = text,
            SourceName = text,
            SourceVersion = text,
            Path = text,
            Layer = "sha256:" + new string('0', 64),
            Licenses = [text, "MIT", "GPL-2+", "MIT OR Apache-2.0", "Apache-2.0 WITH LLVM-exception", "AND", ""],
            DependsOn = [.. texts.Select(other => other + "@" + other)],
        })).ToList();
        var detail = new VulnerabilityDetail("CVE-2020-1")
        {
            Title = texts[2],
            Description = string.Join('\n', texts),
            Cwes = ["CWE-79", "CWE-0", "CWE-x", "79", "CWE-99999999999"],
            References = texts,
            Cvss = new Dictionary<string, CvssScores> { ["nvd"] = new() { V2Vector = "x", V3Vector = "CVSS:3.1/AV:N", V3Score = 9.8, V4Score = 10 }, [""] = new() { V2Score = 11 } },
            Published = Time,
            Modified = DateTimeOffset.UnixEpoch,
        };
        var findings = packages.Take(40).Select((package, i) => new Finding(texts[i % texts.Length] + i, package)
        {
            Detail = i % 2 == 0 ? detail : null,
            FixedVersions = i % 3 == 0 ? texts : [],
            Severity = (Severity)(i % 5),
            PrimaryUrl = texts[i % texts.Length],
            Source = new AdvisoryBucket("x", "y") { SourceUrl = texts[i % texts.Length], SourceId = texts[i % texts.Length] },
            InstalledVersion = PackageVersions.Full(package),
        }).ToList();
        foreach (var name in texts)
        {
            AssertValid(new ScanReport(name, Time)
            {
                Distribution = new Distribution(name, name),
                Packages = packages,
                Findings = [.. findings.Skip(1)],
                Suppressed = [new SuppressedFinding(findings[0], new Suppression(name, SuppressionStatus.Ignored, name, Time))],
                Digest = "sha256:" + new string('1', 64),
                Secrets = [new SecretFinding("rule " + name, name, name, Severity.High, name, 1, 2, name)],
                Problems = [new ConfigurationProblem("DS" + name, name, Severity.Low, name, name)],
                Layers = [new ReportLayer("sha256:" + new string('0', 64), "sha256:" + new string('2', 64), 10), new ReportLayer("", "")],
                RepoTags = [name],
                RepoDigests = [name],
            }, isHostile: true);
        }
    }

    [Fact]
    public void A_report_of_nothing_is_valid() => AssertValid(new ScanReport("x", Time));

    [Theory]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library"}]}""")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"thing","name":"x"}]}""")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","x":1}""")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"x","licenses":[{"license":{"id":"Mine"}}]}]}""")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1"}""")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"x"},{"type":"library","name":"x"}]}""")]
    public void Documents_that_break_a_rule_are_told(string document) => Assert.NotEmpty(CycloneDx.Problems(JsonDocument.Parse(document).RootElement));

    [Fact]
    public void A_result_of_SARIF_without_a_message_is_told() =>
        Assert.NotEmpty(Sarif.Problems(JsonDocument.Parse("""{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"ruleId":"x"}]}]}""").RootElement));

    private static void AssertValid(ScanReport report, bool isHostile = false)
    {
        var bom = Json(s => CycloneDxWriter.Write(s, report, withFindings: true));
        Empty(CycloneDx.Problems(bom));
        var references = bom.GetProperty("components").EnumerateArray().Append(bom.GetProperty("metadata").GetProperty("component")).Select(one => one.GetProperty("bom-ref").GetString()!).ToList();
        Assert.Equal(references.Count, references.ToHashSet(StringComparer.Ordinal).Count);
        foreach (var one in bom.GetProperty("dependencies").EnumerateArray())
        {
            Assert.Contains(one.GetProperty("ref").GetString()!, references);
            if (one.TryGetProperty("dependsOn", out var needed)) Assert.All(needed.EnumerateArray(), other => Assert.Contains(other.GetString()!, references));
        }
        Empty(Sarif.Problems(Json(s => SarifReport.Write(s, report))));
        var spdx = SpdxRules.Problems(Json(s => SpdxWriter.Write(s, report)));
        // A name of several lines is written as it is.
        Empty(isHostile ? [.. spdx.Where(problem => !problem.StartsWith("[6.4]", StringComparison.Ordinal))] : spdx);
        Assert.Equal(JsonValueKind.Object, Json(s => TrivyReport.Write(s, report, listPackages: true, showSuppressed: true)).ValueKind);
        Assert.Equal(JsonValueKind.Object, Json(s => HarborReport.Write(s, report)).ValueKind);
    }

    private static void Empty(IReadOnlyList<string> problems) => Assert.True(problems.Count == 0, string.Join("\n", problems));

    private static JsonElement Json(Action<Stream> write)
    {
        using var output = new MemoryStream();
        write(output);
        return JsonDocument.Parse(output.ToArray()).RootElement;
    }
}
