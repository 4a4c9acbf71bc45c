using System.Text.Json.Nodes;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Adoption;

/// <summary>A data folder of Docker Registry is taken over in place, with Docker Registry's own configuration file. The tests share one folder.</summary>
public sealed class AdoptionTests(OldRegistry old, ImageFixtures images) : IClassFixture<OldRegistry>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_old_registry_holds_two_hundred_images_of_every_kind()
    {
        await using var registry = await old.StartDockerRegistry(ct);
        await old.CheckServed(registry.Http, ct);
        Assert.Equal(OldRegistry.ImageCount, old.Tagged.Count(manifest => manifest.Reference.StartsWith('v')));
        Assert.Equal(4, old.Tagged.Select(manifest => manifest.MediaType).Distinct().Count());
        Assert.Equal(20, old.Referrers.Count);
        Assert.True(old.Untagged.Count > 100);
    }

    [Fact]
    public async Task Every_tag_and_every_untagged_manifest_is_served_byte_identical()
    {
        await old.Adopt(again: false, ct);
        await using var registry = await old.StartBerth(ct);
        await old.CheckServed(registry.Http, ct);
    }

    [Fact]
    public async Task Referrers_of_fallback_tags_are_answered_by_the_API()
    {
        await old.Adopt(again: false, ct);
        await using var registry = await old.StartBerth(ct);
        foreach (var (repository, subject, referrer) in old.Referrers)
        {
            var answer = JsonNode.Parse(await registry.Http.Text($"/v2/{repository}/referrers/{subject}", ct))!;
            Assert.Equal([referrer], answer["manifests"]!.AsArray().Select(descriptor => descriptor!["digest"]!.GetValue<string>()));
        }
    }

    [Fact]
    public async Task Adoption_may_be_repeated()
    {
        await old.Adopt(again: false, ct);
        await old.Adopt(again: true, ct);
        await using var registry = await old.StartBerth(ct);
        await old.CheckServed(registry.Http, ct);
    }

    [Fact]
    public async Task Docker_Registry_can_go_back_to_its_folder_with_the_same_configuration()
    {
        await old.Adopt(again: false, ct);
        await using (var berth = await old.StartBerth(ct))
        {
            await berth.Http.Push("after/adoption", "new", images.TwentyLayers(), ct);
            await berth.Http.CheckSame("after/adoption", "new", images.TwentyLayers(), ct);
        }

        await using var registry = await old.StartDockerRegistry(ct);
        await old.CheckServed(registry.Http, ct);
    }
}
