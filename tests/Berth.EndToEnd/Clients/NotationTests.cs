using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>notation: signatures as referrers, by the API and by the fallback tag.</summary>
public sealed class NotationTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private const string SignatureType = "application/vnd.cncf.notary.signature";
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("jws")]
    [InlineData("cose")]
    public async Task A_signature_through_the_referrers_API_is_verified(string format)
    {
        RegistryUnderTest.OnlyBerth("referrers API");
        var image = await PushAndTrust($"notation/{format}");
        await on.Shell.Run("notation", "sign", "--insecure-registry", "--force-referrers-tag=false", "--signature-format", format, image);
        await on.Shell.Run("notation", "verify", "--insecure-registry", image);
        var referrers = JsonNode.Parse(await on.Http.Text($"/v2/notation/{format}/referrers/{images.Small().Digest}", ct))!["manifests"]!.AsArray();
        Assert.Equal(SignatureType, Assert.Single(referrers)!["artifactType"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_signature_under_the_fallback_tag_is_verified()
    {
        var image = await PushAndTrust("notation/fallback");
        await on.Shell.Run("notation", "sign", "--insecure-registry", "--force-referrers-tag=true", image);
        await on.Shell.Run("notation", "verify", "--insecure-registry", image);
        Assert.Contains(SignatureType, (await on.Shell.Run("notation", "ls", "--insecure-registry", image)).Out, StringComparison.Ordinal);
        if (RegistryUnderTest.IsBerth)
        {
            var referrers = JsonNode.Parse(await on.Http.Text($"/v2/notation/fallback/referrers/{images.Small().Digest}", ct))!["manifests"]!.AsArray();
            Assert.Equal(SignatureType, Assert.Single(referrers)!["artifactType"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task An_unsigned_image_does_not_verify()
    {
        await on.Shell.MustFail("notation", "verify", "--insecure-registry", await PushAndTrust("notation/unsigned"));
    }

    private async Task<string> PushAndTrust(string repository)
    {
        if (!File.Exists(on.Shell.Folder.File("policy.json")))
        {
            await on.Shell.Run("notation", "cert", "generate-test", "--default", "test.local");
            on.Shell.Write("policy.json", """
                {"version":"1.0","trustPolicies":[{"name":"t","registryScopes":["*"],"signatureVerification":{"level":"strict"},
                "trustStores":["ca:test.local"],"trustedIdentities":["*"]}]}
                """);
            await on.Shell.Run("notation", "policy", "import", "policy.json");
        }

        await on.Http.Push(repository, "1", images.Small(), ct);
        return on.Name($"{repository}@{images.Small().Digest}");
    }
}
