using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static Berth.Server.Tests.Scanning.ScanningApp;

namespace Berth.Server.Tests.Scanning.Sboms;

public sealed class SbomTests
{
    private const string ArtifactType = "application/vnd.goharbor.harbor.sbom.v1";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_push_gets_a_bill_of_materials_as_accessory_and_referrer_that_goes_with_its_image(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.SetProjectAsync(("auto_sbom_generation", "true"));
        var image = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0")]]);
        await app.PushAsync("p/web", "1", image);
        var digest = (string)(await app.SbomAsync("1"))["sbom_digest"]!;

        var accessory = Assert.Single((await app.GetAsync(Web + "1?with_accessory=true"))["accessories"]!.AsArray())!;
        Assert.Equal(("sbom.harbor", digest), ((string?)accessory["type"], (string?)accessory["digest"]));
        var referrers = (await app.Registry.GetAsync($"/v2/p/web/referrers/{image.Digest}", PlatformApp.As("admin"))).Json.GetProperty("manifests");
        Assert.Equal(ArtifactType, Assert.Single(referrers.EnumerateArray()).GetProperty("artifactType").GetString());
        // It is no artifact of its own, and was not scanned by the setting that made it.
        Assert.Single((await app.GetAsync("/api/v2.0/projects/p/repositories/web/artifacts")).AsArray());
        Assert.Null((await app.GetAsync(Web + digest + "?with_sbom_overview=true"))["sbom_overview"]);

        var stored = await app.CallAsync("GET", $"{Web}{digest}/additions/sbom");
        Assert.Equal((200, "SPDX-2.3"), (stored.Status, (string?)stored.Json["spdxVersion"]));
        Assert.Contains("pkg:npm/left-pad@1.3.0", stored.Body, StringComparison.Ordinal);
        var made = await app.CallAsync("GET", Ours + "1/sbom?format=spdx");
        Assert.Equal((stored.Body, "application/spdx+json"), (made.Body, made.Header("Content-Type")));
        var other = await app.CallAsync("GET", Ours + "1/sbom?format=cyclonedx");
        Assert.Equal(("CycloneDX", "1.6"), ((string?)other.Json["bomFormat"], (string?)other.Json["specVersion"]));
        Assert.Equal(400, (await app.CallAsync("GET", Ours + "1/sbom?format=word")).Status);

        Assert.Equal(200, (await app.CallAsync("DELETE", Web + "1")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", Web + digest)).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_bill_of_materials_on_demand_is_the_same_again_and_each_image_of_an_index_has_its_own(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (one, two) = (LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0")]]), LayeredImage.New([[LayeredImage.Npm("right-pad", "1.0.0")]], "arm64"));
        foreach (var image in new[] { one, two }) await app.PushAsync("p/web", image.Digest.Value, image);
        await app.PushAsync("p/web", "multi", TestImage.Index([one, two]));
        Assert.Equal(404, (await app.CallAsync("GET", Ours + "multi/sbom")).Status);
        Assert.Equal(400, (await app.CallAsync("POST", Web + "multi/scan", body: """{"scan_type":"other"}""")).Status);

        Assert.Equal(202, (await app.CallAsync("POST", Web + "multi/scan", body: """{"scan_type":"sbom"}""")).Status);
        await app.SbomAsync("multi");
        var first = (string?)(await app.SbomAsync(one.Digest.Value))["sbom_digest"];
        Assert.NotEqual(first, (string?)(await app.SbomAsync(two.Digest.Value))["sbom_digest"]);

        var union = (await app.CallAsync("GET", Ours + "multi/sbom")).Body;
        Assert.Contains("pkg:npm/left-pad@1.3.0", union, StringComparison.Ordinal);
        Assert.Contains("pkg:npm/right-pad@1.0.0", union, StringComparison.Ordinal);
        Assert.DoesNotContain("left-pad", (await app.CallAsync("GET", Ours + "multi/sbom?platform=linux/arm64")).Body, StringComparison.Ordinal);
        Assert.Equal(2, (await app.GetAsync(Ours + "multi/sboms")).AsArray().Count(static sbom => (string?)sbom!["way"] == "generated"));

        // Again: another job, the same document, one referrer.
        var report = (string?)(await app.SbomAsync(one.Digest.Value))["report_id"];
        Assert.Equal(202, (await app.CallAsync("POST", $"{Web}{one.Digest}/scan", body: """{"scan_type":"sbom"}""")).Status);
        await Eventually.TrueAsync(async () => (string?)(await app.SbomAsync(one.Digest.Value))["report_id"] != report, "it was made again");
        Assert.Equal(first, (string?)(await app.SbomAsync(one.Digest.Value))["sbom_digest"]);
        Assert.Single((await app.Registry.GetAsync($"/v2/p/web/referrers/{one.Digest}", PlatformApp.As("admin"))).ManifestDigests);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Garbage_collection_leaves_a_bill_of_materials_with_its_image_and_a_client_deletes_both_at_once(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind, o => o with { Gc = o.Gc with { Delay = TimeSpan.FromSeconds(1), Interval = TimeSpan.FromHours(1) } });
        await app.SetProjectAsync(("auto_sbom_generation", "true"));
        var image = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0")]]);
        await app.PushAsync("p/web", "1", image);
        var digest = (string)(await app.SbomAsync("1"))["sbom_digest"]!;
        await CollectAsync(app);
        Assert.Equal(200, (await app.CallAsync("GET", $"{Web}{digest}/additions/sbom")).Status);
        // A tag leaves the image where it is, and with it what belongs to it.
        Assert.Equal(202, (await app.Registry.DeleteAsync("/v2/p/web/manifests/1", PlatformApp.As("admin"))).Status);
        Assert.Equal(200, (await app.CallAsync("GET", Web + digest)).Status);
        Assert.Equal(202, (await app.Registry.DeleteAsync($"/v2/p/web/manifests/{image.Digest}", PlatformApp.As("admin"))).Status);
        Assert.Equal(404, (await app.CallAsync("GET", Web + digest)).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Another_document_takes_the_place_of_the_old_one(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.SetProjectAsync(("auto_sbom_generation", "true"));
        var image = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0")]]);
        await app.PushAsync("p/web", "1", image);
        var before = (string)(await app.SbomAsync("1"))["sbom_digest"]!;
        // As if the image had come at another time, which stands in the document.
        await app.Database.WriteAsync(Durability.Full, async (session, ct) => await session.ExecuteAsync(Age, [image.Digest.Value, 1_000_000_000_000L], ct) == 1, CancellationToken.None);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan", body: """{"scan_type":"sbom"}""")).Status);
        await Eventually.TrueAsync(async () => (string)(await app.SbomAsync("1"))["sbom_digest"]! != before, "another document is attached");
        Assert.Equal(404, (await app.CallAsync("GET", Web + before)).Status);
        Assert.Single((await app.GetAsync(Web + "1"))["accessories"]!.AsArray());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_others_attach_is_listed_with_its_maker_and_judged_where_the_project_prefers_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var image = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0")]]);
        await app.PushAsync("p/web", "1", image);
        var attached = LayeredImage.Document("application/spdx+json", "application/spdx+json", LayeredImage.Spdx("right-pad", "1.0.0"), image);
        await app.PushAsync("p/web", attached.Digest.Value, attached);
        // What is no document, and one about another image, harm nobody.
        var broken = LayeredImage.Document("application/spdx+json", "application/spdx+json", """{"spdxVersion":"SPDX-2.3","packages":7}""", image);
        await app.PushAsync("p/web", broken.Digest.Value, broken);
        var foreign = LayeredImage.Document("application/vnd.in-toto+json", "application/vnd.in-toto+json", StatementOf(LayeredImage.Spdx("other", "1.0.0"), "sha256", new string('0', 64)), image);
        await app.PushAsync("p/web", foreign.Digest.Value, foreign);

        var listed = (await app.GetAsync(Ours + "1/sboms")).AsArray();
        var one = Assert.Single(listed, sbom => (string?)sbom!["manifest_digest"] == attached.Digest.Value)!;
        Assert.Equal(("referrer", "spdx", "Tool: maker-1.0"), ((string?)one["way"], (string?)one["format"], (string?)one["tools"]![0]));
        Assert.Equal(LayeredImage.Spdx("right-pad", "1.0.0"), (await app.CallAsync("GET", $"{Ours}1/sboms/{one["digest"]}")).Body);
        Assert.False(Assert.Single(listed, sbom => (string?)sbom!["manifest_digest"] == foreign.Digest.Value)!["is_about_image"]!.GetValue<bool>());

        await app.ScanAsync("1");
        Assert.Equal(["CVE-2020-1 left-pad 1.3.0"], await app.FindingsAsync("1"));
        await app.SetProjectAsync(("prefer_attached_sbom", "true"));
        var overview = await app.ScanAsync("1");
        Assert.Equal(["CVE-2020-2 right-pad 1.0.0"], await app.FindingsAsync("1"));
        await app.LogHasAsync("1", overview, $"of {attached.Digest} are judged");
        Assert.Equal((string?)one["digest"], (string?)(await app.GetAsync(Ours + "1/problems"))["images"]![0]!["package_source"]);
        Assert.Contains("right-pad", (await app.CallAsync("GET", Ours + "1/report")).Body, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_attestation_that_a_build_puts_beside_an_image_of_an_index_is_read(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.SetProjectAsync(("prefer_attached_sbom", "true"));
        var image = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0")]]);
        var attestation = Attestation(StatementOf(LayeredImage.Spdx("right-pad", "1.0.0"), "sha256", image.Digest.Value["sha256:".Length..]));
        foreach (var one in new[] { image, attestation }) await app.PushAsync("p/web", one.Digest.Value, one);
        var index = JsonNode.Parse(TestImage.Index([image, attestation]).Manifest)!.AsObject();
        index["manifests"]![1]!["platform"] = new JsonObject { ["os"] = "unknown", ["architecture"] = "unknown" };
        index["manifests"]![1]!["annotations"] = new JsonObject { ["vnd.docker.reference.type"] = "attestation-manifest", ["vnd.docker.reference.digest"] = image.Digest.Value };
        await app.PushAsync("p/web", "built", new TestImage(MediaTypes.OciIndex, Encoding.UTF8.GetBytes(index.ToJsonString()), []));

        await app.ScanAsync("built");
        Assert.Equal(["CVE-2020-2 right-pad 1.0.0"], await app.FindingsAsync("built"));
        var listed = Assert.Single((await app.GetAsync(Ours + "built/sboms")).AsArray())!;
        Assert.Equal(("buildkit", "in-toto", true), ((string?)listed["way"], (string?)listed["wrapping"], listed["is_judged"]!.GetValue<bool>()));
        Assert.Equal(200, (await app.CallAsync("GET", Ours + "built/sbom")).Status);
    }

    // The delay is a second: until every review has been looked at.
    private static Task CollectAsync(PlatformApp app) => Eventually.TrueAsync(async () =>
    {
        await app.Services.GetRequiredService<Collector>().RunAsync(tell: null, rest: 0, CancellationToken.None);
        return (await app.GetAsync("/api/berth/v1/gc"))["waiting"]!.GetValue<long>() == 0;
    }, "all reviews are looked at");

    private static string StatementOf(string document, string algorithm, string hex) => new JsonObject
    {
        ["_type"] = "https://in-toto.io/Statement/v0.1",
        ["predicateType"] = "https://spdx.dev/Document",
        ["subject"] = new JsonArray(new JsonObject { ["name"] = "_", ["digest"] = new JsonObject { [algorithm] = hex } }),
        ["predicate"] = JsonNode.Parse(document),
    }.ToJsonString();

    // As BuildKit writes it: an image whose layers are documents.
    private static TestImage Attestation(string statement)
    {
        var content = Encoding.UTF8.GetBytes(statement);
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"unknown","os":"unknown","config":{},"rootfs":{"type":"layers","diff_ids":["{{{Digest.Of(content)}}}"]}}""");
        var layer = TestImage.Describe("application/vnd.in-toto+json", content);
        layer["annotations"] = new JsonObject { ["in-toto.io/predicate-type"] = "https://spdx.dev/Document" };
        var manifest = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["config"] = TestImage.Describe(MediaTypes.OciConfig, config), ["layers"] = new JsonArray(layer) };
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), [config, content]);
    }

    private static readonly Statement Age = new("UPDATE manifests SET created_at = @1 WHERE digest = @0");
}
