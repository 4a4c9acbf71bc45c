using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>cosign 3 (bundles as referrers) and 2.5 (tags beside the image), with a key and without any outside service.</summary>
public sealed class CosignTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_signature_and_an_attestation_of_version_3_are_stored_and_verified()
    {
        var image = await PushAndMakeKey("cosign/three");
        await Offline();
        await on.Shell.Run("cosign", ["sign", .. NewForm, image]);
        await on.Shell.Run("cosign", ["attest", .. NewForm[..^1], "--type", "custom", "--predicate", on.Shell.Write("predicate.json", """{"a":1}"""), "-y", image]);
        await on.Shell.Run("cosign", "verify", "--key", "cosign.pub", "--insecure-ignore-tlog", image);
        await on.Shell.Run("cosign", "verify-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog", "--type", "custom", image);
        if (RegistryUnderTest.IsBerth)
        {
            Assert.Equal(2, (await Referrers("cosign/three")).Count);
        }
    }

    [Fact]
    public async Task A_signature_and_an_attestation_of_version_2_are_stored_under_tags_and_verified()
    {
        var image = await PushAndMakeKey("cosign/two");
        await on.Shell.Run("cosign-trixie", "sign", "--key", "cosign.key", "--tlog-upload=false", "-y", image);
        await on.Shell.Run(
            "cosign-trixie", "attest", "--key", "cosign.key", "--tlog-upload=false", "--type", "custom", "--predicate", on.Shell.Write("predicate.json", """{"a":1}"""), "-y", image);
        await on.Shell.Run("cosign-trixie", "verify", "--key", "cosign.pub", "--insecure-ignore-tlog", image);
        await on.Shell.Run("cosign-trixie", "verify-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog", "--type", "custom", image);

        var tag = images.Small().Digest.Replace(':', '-');
        await on.Http.CheckWhole("cosign/two", $"{tag}.sig", ct);
        await on.Http.CheckWhole("cosign/two", $"{tag}.att", ct);
        // The newer client reads what the older wrote.
        await on.Shell.Run("cosign", "verify", "--key", "cosign.pub", "--insecure-ignore-tlog", image);
    }

    [Fact]
    public async Task A_signature_of_version_2_as_a_referrer_is_verified()
    {
        RegistryUnderTest.OnlyBerth("referrers API");
        var image = await PushAndMakeKey("cosign/two-referrers");
        await on.Shell.Run(
            "env", "COSIGN_EXPERIMENTAL=1", "cosign-trixie", "sign", "--key", "cosign.key", "--tlog-upload=false", "-y", "--registry-referrers-mode=oci-1-1", image);
        await on.Shell.Run("env", "COSIGN_EXPERIMENTAL=1", "cosign-trixie", "verify", "--key", "cosign.pub", "--insecure-ignore-tlog", "--experimental-oci11", image);
        Assert.Single(await Referrers("cosign/two-referrers"));
    }

    [Fact]
    public async Task Another_key_does_not_verify()
    {
        var image = await PushAndMakeKey("cosign/wrong");
        await on.Shell.Run("cosign-trixie", "sign", "--key", "cosign.key", "--tlog-upload=false", "-y", image);
        await on.Shell.Run("cosign", "generate-key-pair", "--output-key-prefix", "other");
        await on.Shell.MustFail("cosign-trixie", "verify", "--key", "other.pub", "--insecure-ignore-tlog", image);
    }

    private static string[] NewForm => ["--key", "cosign.key", "--signing-config", "sc.json", "--trusted-root", "tr.json", "-y"];

    private async Task<string> PushAndMakeKey(string repository)
    {
        if (!File.Exists(on.Shell.Folder.File("cosign.key")))
        {
            await on.Shell.Run("cosign", "generate-key-pair");
        }

        await on.Http.Push(repository, "1", images.Small(), ct);
        return on.Name($"{repository}@{images.Small().Digest}");
    }

    /// <summary>Version 3 asks the public service unless these two files say that there is none.</summary>
    private async Task Offline()
    {
        await on.Shell.Run("cosign", "signing-config", "create", "--out", "sc.json");
        await on.Shell.Run("cosign", "trusted-root", "create", "--out", "tr.json");
    }

    private async Task<JsonArray> Referrers(string repository) =>
        JsonNode.Parse(await on.Http.Text($"/v2/{repository}/referrers/{images.Small().Digest}", ct))!["manifests"]!.AsArray();
}
