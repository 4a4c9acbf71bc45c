using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Scanning;

/// <summary>Bills of materials as real clients see them: oras finds and pulls what the server made, and what oras and both forms of cosign attach is judged by the server.</summary>
public sealed class SbomClientTests(SignedInRegistryAndShell on) : IClassFixture<SignedInRegistryAndShell>
{
    private const string ArtifactType = "application/vnd.goharbor.harbor.sbom.v1";
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Oras_discovers_and_pulls_the_bill_of_materials_of_a_push()
    {
        RegistryUnderTest.OnlyBerth("bills of materials");
        await Prepare("made", """{"metadata":{"auto_sbom_generation":"true"}}""");
        var digest = await Push("made/web");
        await Until(async () => (string?)(await Artifact("made", "1"))["sbom_overview"]?["scan_status"] == "Success", "the bill of materials is made");

        var found = JsonNode.Parse((await on.Shell.Run("oras", "discover", "--plain-http", "--distribution-spec", "v1.1-referrers-api", "--format", "json", on.Name($"made/web@{digest}"))).Out)!;
        var sbom = Assert.Single((found["referrers"] ?? found["manifests"])!.AsArray())!;
        Assert.Equal(ArtifactType, (string?)sbom["artifactType"]);
        await on.Shell.Run("oras", "pull", "--plain-http", "-o", "made-sbom", on.Name($"made/web@{sbom["digest"]}"));
        Assert.Contains("pkg:npm/left-pad@1.3.0", await File.ReadAllTextAsync(on.Shell.Folder.File("made-sbom", "sbom.spdx.json"), ct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("oras", "document")]
    [InlineData("cosign", "sigstore-bundle")]
    [InlineData("cosign-trixie", "dsse")]
    public async Task What_a_client_attaches_is_judged_where_the_project_prefers_it(string client, string wrapping)
    {
        RegistryUnderTest.OnlyBerth("bills of materials");
        var project = "by-" + client;
        await Prepare(project, """{"metadata":{"prefer_attached_sbom":"true"}}""");
        await Advisories();
        var image = on.Name($"{project}/web@{await Push($"{project}/web")}");
        on.Shell.Write("bom.spdx.json", """
            {"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"web","creationInfo":{"created":"2026-01-02T03:04:05Z","creators":["Tool: maker-1.0"]},
             "packages":[{"SPDXID":"SPDXRef-1","name":"right-pad","versionInfo":"1.0.0",
              "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/right-pad@1.0.0"}]}]}
            """);
        await Attach(client, image);

        var api = new ManagementApi(on.Address);
        var listed = Assert.Single((await api.Call(HttpMethod.Get, $"/api/berth/v1/projects/{project}/repositories/web/artifacts/1/sboms", null, ct))!.AsArray())!;
        Assert.Equal((wrapping, true, "Tool: maker-1.0"), ((string?)listed["wrapping"], listed["is_about_image"]!.GetValue<bool>(), (string?)listed["tools"]![0]));
        await api.Call(HttpMethod.Post, $"/api/v2.0/projects/{project}/repositories/web/artifacts/1/scan", "{}", ct);
        await Until(async () => (await Artifact(project, "1"))["scan_overview"]?.AsObject().First().Value?["scan_status"]?.GetValue<string>() == "Success", "the scan has ended");
        var report = (await api.Call(HttpMethod.Get, $"/api/v2.0/projects/{project}/repositories/web/artifacts/1/additions/vulnerabilities", null, ct))!.ToJsonString();
        Assert.Contains("OSV-2026-2", report, StringComparison.Ordinal);
        Assert.DoesNotContain("OSV-2026-1", report, StringComparison.Ordinal);
    }

    private async Task Attach(string client, string image)
    {
        if (client == "oras")
        {
            await on.Shell.Run("oras", "attach", "--plain-http", "--artifact-type", "application/spdx+json", image, "bom.spdx.json:application/spdx+json");
            return;
        }
        if (!File.Exists(on.Shell.Folder.File("cosign.key"))) await on.Shell.Run("cosign", "generate-key-pair");
        await on.Shell.Run("cosign", "signing-config", "create", "--out", "sc.json");
        await on.Shell.Run("cosign", "trusted-root", "create", "--out", "tr.json");
        string[] how = client == "cosign" ? ["--signing-config", "sc.json", "--trusted-root", "tr.json"] : ["--tlog-upload=false"];
        await on.Shell.Run(client, ["attest", "--key", "cosign.key", .. how, "--type", "spdxjson", "--predicate", "bom.spdx.json", "-y", image]);
    }

    private async Task Prepare(string project, string settings)
    {
        var api = new ManagementApi(on.Address);
        await api.Call(HttpMethod.Post, "/api/v2.0/projects", $$"""{"project_name":"{{project}}"}""", ct);
        await api.Call(HttpMethod.Put, $"/api/v2.0/projects/{project}", settings, ct);
        await on.Shell.Run("oras", "login", "--plain-http", "-u", RegistryUnderTest.User, "-p", RegistryUnderTest.Password, on.Address);
        on.Http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
    }

    /// <summary>Pushes an image with the npm package left-pad 1.3.0.</summary>
    private async Task<string> Push(string repository)
    {
        var layout = new OciLayoutWriter(on.Shell.Folder.Folder($"layout-{repository.Replace('/', '-')}"));
        var layer = Layers.Gzip(layout, ImageFormat.Oci, LayerFile.Text("app/node_modules/left-pad/package.json", """{"name":"left-pad","version":"1.3.0"}"""));
        var image = layout.Finish(layout.AddImage(ImageFormat.Oci, "amd64", [layer]));
        await on.Http.Push(repository, "1", image, ct);
        return image.Digest;
    }

    /// <summary>Makes a database with a flaw of each of the two packages in the data folder of the running server.</summary>
    private async Task Advisories()
    {
        var place = Path.Combine(on.Registry.DataFolder, "advisories");
        if (Directory.Exists(place)) return;
        foreach (var (id, package) in new[] { ("OSV-2026-1", "left-pad"), ("OSV-2026-2", "right-pad") })
        {
            on.Shell.Write($"advisories/{id}.json", $$"""
                {"id":"{{id}}","modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z","summary":"a flaw",
                 "affected":[{"package":{"ecosystem":"npm","name":"{{package}}"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"3.0.0"}]}]}]}
                """);
        }
        await on.Shell.Run(RegistryUnderTest.BerthBinary(), "db", "build", on.Shell.Folder.Folder("advisories"), "--db", place);
    }

    private async Task<JsonNode> Artifact(string project, string reference) => (await new ManagementApi(on.Address).Call(
        HttpMethod.Get, $"/api/v2.0/projects/{project}/repositories/web/artifacts/{reference}?with_scan_overview=true&with_sbom_overview=true", null, ct))!;

    private async Task Until(Func<Task<bool>> holds, string what)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 300, $"after a minute not yet: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, ct);
        }
    }
}
