using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>oras: artifacts of any kind and the referrers API.</summary>
public sealed class OrasTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private const string SbomType = "application/vnd.example.sbom";
    private const string ScanType = "application/vnd.example.scan";
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_artifact_is_pushed_and_pulled()
    {
        on.Shell.Write("artifact.json", """{"hello":"oras"}""");
        await on.Shell.Run("oras", "push", "--plain-http", "--artifact-type", SbomType, on.Name("oras/artifact:1"), "artifact.json:application/json");
        var manifest = await on.Http.CheckWhole("oras/artifact", "1", ct);
        Assert.Equal(SbomType, JsonNode.Parse(manifest.Bytes)!["artifactType"]!.GetValue<string>());

        await on.Shell.Run("oras", "pull", "--plain-http", "-o", "artifact-back", on.Name("oras/artifact:1"));
        Assert.Equal("""{"hello":"oras"}""", await File.ReadAllTextAsync(on.Shell.Folder.File("artifact-back", "artifact.json"), ct));
    }

    [Fact]
    public async Task Attached_artifacts_are_discovered()
    {
        await PushWithReferrers("oras/attached");
        Assert.Equal([SbomType, ScanType], await Discovered("oras/attached:1"));
    }

    [Fact]
    public async Task The_referrers_API_answers_without_a_fallback_tag()
    {
        RegistryUnderTest.OnlyBerth("referrers API");
        await PushWithReferrers("oras/api");
        Assert.Equal([SbomType, ScanType], await Discovered("oras/api:1", "--distribution-spec", "v1.1-referrers-api"));
        Assert.Equal([ScanType], await Discovered("oras/api:1", "--distribution-spec", "v1.1-referrers-api", "--artifact-type", ScanType));
        Assert.Equal(["1"], (await on.Shell.Run("oras", "repo", "tags", "--plain-http", on.Name("oras/api"))).Lines);
    }

    [Fact]
    public async Task A_fallback_tag_is_read_into_the_referrers_API()
    {
        RegistryUnderTest.OnlyBerth("referrers API");
        await on.Http.Push("oras/fallback", "1", images.Small(), ct);
        on.Shell.Write("fallback.json", "{}");
        await on.Shell.Run(
            "oras", "attach", "--plain-http", "--distribution-spec", "v1.1-referrers-tag", "--artifact-type", SbomType, on.Name("oras/fallback:1"), "fallback.json:application/json");
        Assert.Equal([SbomType], await Discovered("oras/fallback:1", "--distribution-spec", "v1.1-referrers-tag"));
        Assert.Equal([SbomType], await Discovered("oras/fallback:1", "--distribution-spec", "v1.1-referrers-api"));
    }

    [Fact]
    public async Task An_artifact_and_its_referrers_pushed_as_a_layout_keep_their_bytes()
    {
        var layout = new OciLayoutWriter(on.Shell.Folder.Folder("referrers"));
        var subject = layout.AddArtifact("application/vnd.example.thing", layout.AddBlob("text/plain", "thing"u8.ToArray()));
        var referrer = layout.AddArtifact(SbomType, layout.AddBlob("application/json", "{}"u8.ToArray()), subject);
        await on.Http.Push("oras/bytes", "referrer", layout.Finish(referrer), ct);
        await on.Http.Push("oras/bytes", "subject", layout.Finish(subject), ct);

        var pulled = await on.Http.CheckWhole("oras/bytes", referrer.Digest, ct);
        Assert.Equal(subject.Digest, ManifestContent.SubjectOf(pulled.Bytes));
        if (RegistryUnderTest.IsBerth)
        {
            // The referrer was there before its subject.
            Assert.Equal([SbomType], await Discovered("oras/bytes:subject", "--distribution-spec", "v1.1-referrers-api"));
        }
    }

    [Fact]
    public async Task A_copy_takes_the_referrers_along()
    {
        await PushWithReferrers("oras/source");
        await on.Shell.Run("oras", "cp", "-r", "--from-plain-http", "--to-plain-http", on.Name("oras/source:1"), on.Name("oras/target:1"));
        await on.Http.CheckSame("oras/target", "1", images.MultiArch(), ct);
        Assert.Equal([SbomType, ScanType], await Discovered("oras/target:1"));
    }

    [Fact]
    public async Task A_backup_is_restored_with_referrers()
    {
        await PushWithReferrers("oras/backup");
        await on.Shell.Run("oras", "backup", "--plain-http", "--include-referrers", "-o", "backup", on.Name("oras/backup:1"));
        await on.Shell.Run("oras", "restore", "--plain-http", "--input", "backup", on.Name("oras/restored:1"));
        await on.Http.CheckSame("oras/restored", "1", images.MultiArch(), ct);
        Assert.Equal([SbomType, ScanType], await Discovered("oras/restored:1"));
    }

    [Fact]
    public async Task A_deleted_manifest_is_gone()
    {
        on.Shell.Write("delete.txt", "delete");
        await on.Shell.Run("oras", "push", "--plain-http", on.Name("oras/delete:1"), "delete.txt:text/plain");
        await on.Shell.Run("oras", "manifest", "delete", "-f", "--plain-http", on.Name("oras/delete:1"));
        await on.Shell.MustFail("oras", "manifest", "fetch", "--plain-http", on.Name("oras/delete:1"));
    }

    [Fact]
    public async Task Repositories_and_tags_are_listed()
    {
        await on.Http.Push("oras/list", "2", images.Small(), ct);
        await on.Http.Push("oras/list", "1", images.Small(), ct);
        Assert.Contains("oras/list", (await on.Shell.Run("oras", "repo", "ls", "--plain-http", on.Address)).Lines);
        RegistryUnderTest.EqualInOrder(["1", "2"], (await on.Shell.Run("oras", "repo", "tags", "--plain-http", on.Name("oras/list"))).Lines);
    }

    [Fact]
    public async Task Blobs_are_pushed_and_fetched_alone()
    {
        on.Shell.Write("blob.txt", "a blob alone");
        var pushed = await on.Shell.Run("oras", "blob", "push", "--plain-http", "--descriptor", on.Name("oras/blob"), "blob.txt");
        var digest = JsonNode.Parse(pushed.Out)!["digest"]!.GetValue<string>();
        Assert.Equal("a blob alone", (await on.Shell.Run("oras", "blob", "fetch", "--plain-http", "-o", "-", on.Name($"oras/blob@{digest}"))).Out.TrimEnd('\n'));
    }

    private async Task PushWithReferrers(string repository)
    {
        await on.Http.Push(repository, "1", images.MultiArch(), ct);
        on.Shell.Write("sbom.json", """{"sbom":true}""");
        on.Shell.Write("scan.json", """{"scan":true}""");
        await on.Shell.Run("oras", "attach", "--plain-http", "--artifact-type", SbomType, on.Name($"{repository}:1"), "sbom.json:application/json");
        await on.Shell.Run("oras", "attach", "--plain-http", "--artifact-type", ScanType, on.Name($"{repository}:1"), "scan.json:application/json");
    }

    private async Task<IEnumerable<string>> Discovered(string reference, params string[] options)
    {
        var output = await on.Shell.Run("oras", ["discover", "--plain-http", "--format", "json", .. options, on.Name(reference)]);
        return JsonNode.Parse(output.Out)!["referrers"]!.AsArray().Select(referrer => referrer!["artifactType"]!.GetValue<string>()).Order();
    }
}
