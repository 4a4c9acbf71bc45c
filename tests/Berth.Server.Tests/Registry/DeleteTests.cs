using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>DELETE of tags, manifests and blobs (OCI distribution spec, "Content Management").</summary>
public abstract class DeleteTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    [Fact]
    public async Task A_deleted_tag_takes_nothing_else_along()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "a", image);
        await App.PushImageAsync(repository, "b", image);
        (await App.GetAsync($"/v2/{repository}/manifests/a")).MustBe(200);
        (await App.DeleteAsync($"/v2/{repository}/manifests/a")).MustBe(202);
        (await App.GetAsync($"/v2/{repository}/manifests/a")).MustBe(404, "MANIFEST_UNKNOWN");
        (await App.DeleteAsync($"/v2/{repository}/manifests/a")).MustBe(404, "MANIFEST_UNKNOWN");
        Assert.Equal(["b"], (await App.GetAsync($"/v2/{repository}/tags/list")).Texts("tags"));
        await App.PullAsync(repository, "b");
        (await App.DeleteAsync($"/v2/{repository}/manifests/b")).MustBe(202);
        await App.PullAsync(repository, image.Digest.Value);
    }

    [Fact]
    public async Task A_deleted_manifest_takes_its_tags_along_at_once()
    {
        var (repository, image, other) = (NewRepository(), TestImage.New(1), TestImage.New(2));
        await App.PushImageAsync(repository, "a", image);
        await App.PushImageAsync(repository, "b", image);
        await App.PushImageAsync(repository, "c", other);
        await App.PullAsync(repository, "a");
        await App.PullAsync(repository, image.Digest.Value);
        (await App.DeleteAsync($"/v2/{repository}/manifests/{image.Digest}")).MustBe(202);
        foreach (var reference in new[] { "a", "b", image.Digest.Value })
        {
            (await App.GetAsync($"/v2/{repository}/manifests/{reference}")).MustBe(404, "MANIFEST_UNKNOWN");
            (await App.HeadAsync($"/v2/{repository}/manifests/{reference}")).MustBe(404);
        }
        Assert.Equal(["c"], (await App.GetAsync($"/v2/{repository}/tags/list")).Texts("tags"));
        (await App.DeleteAsync($"/v2/{repository}/manifests/{image.Digest}")).MustBe(404, "MANIFEST_UNKNOWN");
        await App.PullAsync(repository, "c");
        // And may come back.
        await App.PushImageAsync(repository, "a", image);
        await App.PullAsync(repository, "a");
    }

    [Fact]
    public async Task A_deleted_manifest_is_no_referrer()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "a", image);
        var artifact = TestImage.Artifact(image.Descriptor, "application/x.test");
        await App.PushImageAsync(repository, artifact.Digest.Value, artifact);
        (await App.DeleteAsync($"/v2/{repository}/manifests/{artifact.Digest}")).MustBe(202);
        Assert.Empty((await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).ManifestDigests);
    }

    [Fact]
    public async Task A_deleted_blob_is_gone_at_once_and_may_come_back()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(repository, content);
        (await App.GetAsync($"/v2/{repository}/blobs/{digest}")).MustBe(200);
        (await App.DeleteAsync($"/v2/{repository}/blobs/{digest}")).MustBe(202);
        (await App.GetAsync($"/v2/{repository}/blobs/{digest}")).MustBe(404, "BLOB_UNKNOWN");
        (await App.HeadAsync($"/v2/{repository}/blobs/{digest}")).MustBe(404);
        (await App.DeleteAsync($"/v2/{repository}/blobs/{digest}")).MustBe(404, "BLOB_UNKNOWN");
        await App.PushBlobAsync(repository, content);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{digest}")).MustBe(200).Body);
    }

    [Theory]
    [InlineData("manifests", "sha256:abc", 400, "DIGEST_INVALID")]
    [InlineData("manifests", "-bad", 400, "TAG_INVALID")]
    [InlineData("manifests", "missing", 404, "MANIFEST_UNKNOWN")]
    [InlineData("blobs", "sha256:abc", 400, "DIGEST_INVALID")]
    [InlineData("blobs", "sha256:6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b", 404, "BLOB_UNKNOWN")]
    public async Task What_is_not_there_cannot_be_deleted(string kind, string reference, int status, string code)
    {
        (await App.DeleteAsync($"/v2/{NewRepository()}/{kind}/{reference}")).MustBe(status, code);
        var repository = NewRepository();
        await App.PushImageAsync(repository, "a", TestImage.New());
        (await App.DeleteAsync($"/v2/{repository}/{kind}/{reference}")).MustBe(status, code);
    }

    [Fact]
    public async Task Deleting_can_be_switched_off()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { Delete = false });
        var image = TestImage.New();
        await app.PushImageAsync("a", "v1", image);
        (await app.DeleteAsync("/v2/a/manifests/v1")).MustBe(405, "UNSUPPORTED");
        (await app.DeleteAsync($"/v2/a/manifests/{image.Digest}")).MustBe(405, "UNSUPPORTED");
        (await app.DeleteAsync($"/v2/a/blobs/{Digest.Of(image.Blobs[0])}")).MustBe(405, "UNSUPPORTED");
        // Giving up an upload is no deletion.
        (await app.DeleteAsync(await app.StartUploadAsync("a"))).MustBe(204);
        await app.PullAsync("a", "v1");
    }

    [Fact]
    public async Task A_read_only_registry_only_serves()
    {
        var image = TestImage.New();
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { ReadOnly = true });
        (await app.PutManifestAsync("a", "v1", image.Manifest)).MustBe(405, "UNSUPPORTED");
        (await app.PostAsync("/v2/a/blobs/uploads/")).MustBe(405, "UNSUPPORTED");
        (await app.PatchAsync("/v2/a/blobs/uploads/0123456789abcdef0123456789abcdef", [1])).MustBe(405, "UNSUPPORTED");
        (await app.DeleteAsync("/v2/a/manifests/v1")).MustBe(405, "UNSUPPORTED");
        (await app.GetAsync("/v2/a/manifests/v1")).MustBe(404, "MANIFEST_UNKNOWN");
        (await app.GetAsync("/v2/_catalog")).MustBe(200);
    }
}

public sealed class DeleteTestsOnSqlite(SqliteRegistry registry) : DeleteTests(registry), IClassFixture<SqliteRegistry>;

public sealed class DeleteTestsOnPostgres(PostgresRegistry registry) : DeleteTests(registry), IClassFixture<PostgresRegistry>;
