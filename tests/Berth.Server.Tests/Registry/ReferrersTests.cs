using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>The referrers list (OCI distribution spec, "Listing Referrers").</summary>
public abstract class ReferrersTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    [Fact]
    public async Task Nothing_referred_is_an_empty_index()
    {
        foreach (var digest in new[] { Digest.Of([1]), Digest.Of([1], DigestAlgorithm.Sha512) })
        {
            var answer = (await App.GetAsync($"/v2/{NewRepository()}/referrers/{digest}")).MustBe(200);
            Assert.Equal(MediaTypes.OciIndex, answer.Header("Content-Type"));
            Assert.Equal($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[]}""", answer.Text);
            Assert.Null(answer.Header("OCI-Filters-Applied"));
            Assert.Null(answer.Header("Link"));
        }
        (await App.GetAsync($"/v2/{NewRepository()}/referrers/sha256:abc")).MustBe(400, "DIGEST_INVALID");
        (await App.GetAsync($"/v2/{NewRepository()}/referrers/latest")).MustBe(400, "DIGEST_INVALID");
    }

    [Fact]
    public async Task Each_referrer_is_described_with_type_and_annotations()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "v1", image);
        var withType = TestImage.Artifact(image.Descriptor, "application/x.sbom", 1, new JsonObject { ["org.example"] = "é \"quoted\"" });
        // Without an artifactType the configuration's type stands in.
        var image2 = TestImage.New(2, MediaTypes.OciManifest, new JsonObject { ["subject"] = image.Descriptor });
        // An index may refer too; without artifactType it has none.
        var index = TestImage.Index([image], MediaTypes.OciIndex, new JsonObject { ["subject"] = image.Descriptor });
        var typedIndex = TestImage.Index([image], MediaTypes.OciIndex, new JsonObject { ["subject"] = image.Descriptor, ["artifactType"] = "application/x.list" });
        foreach (var referrer in new[] { withType, image2, index, typedIndex }) await App.PushImageAsync(repository, referrer.Digest.Value, referrer);

        var answer = (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).MustBe(200);
        var listed = answer.Json.GetProperty("manifests").EnumerateArray().ToDictionary(m => m.GetProperty("digest").GetString()!);
        Assert.Equal(4, listed.Count);
        Assert.Equal(answer.ManifestDigests.Order(StringComparer.Ordinal), answer.ManifestDigests);
        foreach (var (referrer, type) in new[] { (withType, "application/x.sbom"), (image2, MediaTypes.OciConfig), (index, null), (typedIndex, "application/x.list") })
        {
            var descriptor = listed[referrer.Digest.Value];
            Assert.Equal(referrer.MediaType, descriptor.GetProperty("mediaType").GetString());
            Assert.Equal(referrer.Manifest.Length, descriptor.GetProperty("size").GetInt32());
            Assert.Equal(type, descriptor.TryGetProperty("artifactType", out var shown) ? shown.GetString() : null);
        }
        Assert.Equal("é \"quoted\"", listed[withType.Digest.Value].GetProperty("annotations").GetProperty("org.example").GetString());
        Assert.False(listed[image2.Digest.Value].TryGetProperty("annotations", out _));
        // Neither the subject nor other repositories know of it.
        Assert.Empty((await App.GetAsync($"/v2/{repository}/referrers/{withType.Digest}")).ManifestDigests);
        Assert.Empty((await App.GetAsync($"/v2/{NewRepository()}/referrers/{image.Digest}")).ManifestDigests);
    }

    [Fact]
    public async Task A_referrer_may_come_before_its_subject()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        var artifact = TestImage.Artifact(image.Descriptor, "application/x.test");
        await App.PushImageAsync(repository, artifact.Digest.Value, artifact);
        Assert.Equal([artifact.Digest.Value], (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).ManifestDigests);
        await App.PushImageAsync(repository, "v1", image);
        Assert.Equal([artifact.Digest.Value], (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).ManifestDigests);
        (await App.DeleteAsync($"/v2/{repository}/manifests/{image.Digest}")).MustBe(202);
        Assert.Equal([artifact.Digest.Value], (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).ManifestDigests);
    }

    [Fact]
    public async Task A_filter_is_applied_and_said_so()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "v1", image);
        var artifacts = Enumerable.Range(0, 6).Select(i => TestImage.Artifact(image.Descriptor, i % 2 == 0 ? "application/x.even" : "application/x.odd+json", i)).ToArray();
        foreach (var artifact in artifacts) await App.PushImageAsync(repository, artifact.Digest.Value, artifact);
        var answer = (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}?artifactType=application%2Fx.odd%2Bjson")).MustBe(200);
        Assert.Equal("artifactType", answer.Header("OCI-Filters-Applied"));
        Assert.Equal(artifacts.Where((_, i) => i % 2 == 1).Select(a => a.Digest.Value).Order(StringComparer.Ordinal), answer.ManifestDigests);
        answer = (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}?artifactType=application/x.none")).MustBe(200);
        Assert.Equal("artifactType", answer.Header("OCI-Filters-Applied"));
        Assert.Empty(answer.ManifestDigests);
        (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}?artifactType=a%00b")).MustBe(200);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&artifactType=application/x.a%2Bb")]
    public async Task Pages_are_linked(string filter)
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "v1", image);
        var artifacts = Enumerable.Range(0, 5).Select(i => TestImage.Artifact(image.Descriptor, "application/x.a+b", i)).ToArray();
        foreach (var artifact in artifacts) await App.PushImageAsync(repository, artifact.Digest.Value, artifact);
        var found = new List<string>();
        var pages = 0;
        for (var path = $"/v2/{repository}/referrers/{image.Digest}?n=2{filter}"; path is not null; pages++)
        {
            var answer = (await App.GetAsync(path)).MustBe(200);
            Assert.InRange(answer.ManifestDigests.Length, 1, 2);
            Assert.Equal(filter.Length == 0 ? null : "artifactType", answer.Header("OCI-Filters-Applied"));
            found.AddRange(answer.ManifestDigests);
            path = ListTests.NextOf(answer);
        }
        Assert.Equal(3, pages);
        Assert.Equal(artifacts.Select(a => a.Digest.Value).Order(StringComparer.Ordinal), found);
    }

    [Fact]
    public async Task Pages_have_a_limit()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { ReferrersMaxEntries = 2 });
        var image = TestImage.New();
        await app.PushImageAsync("a", "v1", image);
        foreach (var i in Enumerable.Range(0, 3)) { var artifact = TestImage.Artifact(image.Descriptor, "application/x.a", i); await app.PushImageAsync("a", artifact.Digest.Value, artifact); }
        var answer = (await app.GetAsync($"/v2/a/referrers/{image.Digest}?n=50")).MustBe(200);
        Assert.Equal(2, answer.ManifestDigests.Length);
        Assert.Single((await app.GetAsync(ListTests.NextOf(answer)!)).ManifestDigests);
    }

    [Fact]
    public async Task The_fallback_tag_of_an_older_client_is_read_in()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "v1", image);
        // One names no subject: only the index under the tag tells.
        var silent = TestImage.Artifact(null, "application/x.signature", 1, new JsonObject { ["of"] = "silent" });
        var outspoken = TestImage.Artifact(image.Descriptor, "application/x.signature", 2);
        foreach (var artifact in new[] { silent, outspoken }) await App.PushImageAsync(repository, artifact.Digest.Value, artifact);
        Assert.Equal([outspoken.Digest.Value], (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).ManifestDigests);

        var index = TestImage.Index([silent, outspoken]);
        var tag = image.Digest.Value.Replace(':', '-');
        await App.PushImageAsync(repository, tag, index);
        var answer = (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).MustBe(200);
        Assert.Equal(new[] { silent, outspoken }.Select(a => a.Digest.Value).Order(StringComparer.Ordinal), answer.ManifestDigests);
        var found = answer.Json.GetProperty("manifests").EnumerateArray().Single(m => m.GetProperty("digest").GetString() == silent.Digest.Value);
        Assert.Equal("application/x.signature", found.GetProperty("artifactType").GetString());
        Assert.Equal("silent", found.GetProperty("annotations").GetProperty("of").GetString());
        Assert.Equal(index.Manifest, (await App.GetAsync($"/v2/{repository}/manifests/{tag}")).Body);
    }
}

public sealed class ReferrersTestsOnSqlite(SqliteRegistry registry) : ReferrersTests(registry), IClassFixture<SqliteRegistry>;

public sealed class ReferrersTestsOnPostgres(PostgresRegistry registry) : ReferrersTests(registry), IClassFixture<PostgresRegistry>;
