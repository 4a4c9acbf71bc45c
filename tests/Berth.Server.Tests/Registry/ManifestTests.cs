using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>Manifests in and out (OCI distribution spec, "Pushing Manifests" and "Pulling manifests").</summary>
public abstract class ManifestTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    [Theory]
    [InlineData(MediaTypes.OciManifest)]
    [InlineData(MediaTypes.DockerManifest)]
    public async Task An_image_is_pushed_by_tag_and_pulled_by_tag_and_digest(string mediaType)
    {
        var (repository, image) = (NewRepository(), TestImage.New(1, mediaType));
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        var put = (await App.PutManifestAsync(repository, "v1", image.Manifest, mediaType)).MustBe(201);
        Assert.Equal($"{App.Url}/v2/{repository}/manifests/v1", put.Location);
        Assert.Equal(image.Digest.Value, put.Header("Docker-Content-Digest"));
        Assert.Null(put.Header("OCI-Subject"));
        Assert.Null(put.Header("OCI-Tag"));
        foreach (var reference in new[] { "v1", image.Digest.Value })
        {
            for (var round = 0; round < 2; round++)
            {
                var get = (await App.GetAsync($"/v2/{repository}/manifests/{reference}")).MustBe(200);
                var head = (await App.HeadAsync($"/v2/{repository}/manifests/{reference}")).MustBe(200);
                Assert.Equal(image.Manifest, get.Body);
                Assert.Empty(head.Body);
                foreach (var answer in new[] { get, head })
                {
                    Assert.Equal(mediaType, answer.Header("Content-Type"));
                    Assert.Equal(image.Manifest.Length.ToString(), answer.Header("Content-Length"));
                    Assert.Equal(image.Digest.Value, answer.Header("Docker-Content-Digest"));
                    Assert.Equal($"\"{image.Digest}\"", answer.Header("ETag"));
                    // A tag moves, a digest does not.
                    Assert.Equal(reference == "v1" ? null : "max-age=31536000, immutable", answer.Header("Cache-Control"));
                }
                (await App.GetAsync($"/v2/{repository}/manifests/{reference}", ("If-None-Match", $"\"{image.Digest}\""))).MustBe(304);
                (await App.HeadAsync($"/v2/{repository}/manifests/{reference}", ("If-None-Match", $"\"{image.Digest}\""))).MustBe(304);
            }
        }
        await App.PullAsync(repository, "v1");
    }

    [Theory]
    [InlineData(MediaTypes.OciIndex, MediaTypes.OciManifest)]
    [InlineData(MediaTypes.DockerManifestList, MediaTypes.DockerManifest)]
    public async Task An_index_is_pushed_after_its_images(string mediaType, string childType)
    {
        var repository = NewRepository();
        TestImage[] children = [TestImage.New(1, childType), TestImage.New(2, childType)];
        foreach (var child in children) await App.PushImageAsync(repository, child.Digest.Value, child);
        var index = TestImage.Index(children, mediaType);
        await App.PushImageAsync(repository, "multi", index);
        Assert.Equal(index.Manifest, await App.PullAsync(repository, "multi"));
        if (mediaType != MediaTypes.OciIndex) return;
        var nested = TestImage.Index([index, children[0]]);
        await App.PushImageAsync(repository, "nested", nested);
        Assert.Equal(nested.Manifest, await App.PullAsync(repository, "nested"));
    }

    [Fact]
    public async Task A_manifest_is_pushed_by_sha512_digest()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        var digest = Digest.Of(image.Manifest, DigestAlgorithm.Sha512);
        var put = (await App.PutManifestAsync(repository, $"{digest}?tag=v1", image.Manifest)).MustBe(201);
        Assert.Equal(digest.Value, put.Header("Docker-Content-Digest"));
        Assert.Equal("v1", put.Header("OCI-Tag"));
        Assert.Equal(digest.Value, (await App.HeadAsync($"/v2/{repository}/manifests/v1")).MustBe(200).Header("Docker-Content-Digest"));
        Assert.Equal(image.Manifest, (await App.GetAsync($"/v2/{repository}/manifests/{digest}")).MustBe(200).Body);
        (await App.GetAsync($"/v2/{repository}/manifests/{image.Digest}")).MustBe(404, "MANIFEST_UNKNOWN");
    }

    [Fact]
    public async Task A_manifest_pushed_by_digest_takes_several_tags()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        var put = (await App.PutManifestAsync(repository, $"{image.Digest}?tag=b&tag=a&tag=b", image.Manifest)).MustBe(201);
        Assert.Equal("b, a", put.Header("OCI-Tag"));
        Assert.Equal(["a", "b"], (await App.GetAsync($"/v2/{repository}/tags/list")).Texts("tags"));
        (await App.PutManifestAsync(repository, $"{image.Digest}?tag=b&tag=-bad", image.Manifest)).MustBe(400, "TAG_INVALID");
        var many = string.Join("&", Enumerable.Range(0, 101).Select(i => $"tag=t{i}"));
        (await App.PutManifestAsync(repository, $"{image.Digest}?{many}", image.Manifest)).MustBe(414, "TAG_INVALID");
        Assert.Equal(["a", "b"], (await App.GetAsync($"/v2/{repository}/tags/list")).Texts("tags"));
    }

    [Fact]
    public async Task A_tag_moves_and_the_old_manifest_stays()
    {
        var (repository, first, second) = (NewRepository(), TestImage.New(1), TestImage.New(2));
        await App.PushImageAsync(repository, "latest", first);
        Assert.Equal(first.Manifest, await App.PullAsync(repository, "latest"));
        await App.PushImageAsync(repository, "latest", second);
        Assert.Equal(second.Manifest, await App.PullAsync(repository, "latest"));
        Assert.Equal(first.Manifest, await App.PullAsync(repository, first.Digest.Value));
    }

    [Fact]
    public async Task The_subject_is_told_back()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "v1", image);
        var artifact = TestImage.Artifact(image.Descriptor, "application/x.test");
        await App.PushBlobAsync(repository, artifact.Blobs[0]);
        var put = (await App.PutManifestAsync(repository, artifact.Digest.Value, artifact.Manifest)).MustBe(201);
        Assert.Equal(image.Digest.Value, put.Header("OCI-Subject"));
    }

    [Fact]
    public async Task Missing_blobs_are_refused_and_each_is_named()
    {
        var (repository, image) = (NewRepository(), TestImage.New(11));
        await App.PushBlobAsync(repository, image.Blobs[0]);
        var answer = (await App.PutManifestAsync(repository, "v1", image.Manifest)).MustBe(404, "MANIFEST_BLOB_UNKNOWN");
        Assert.Equal(image.Blobs.Skip(1).Select(b => Digest.Of(b).Value).Order(), answer.Details.Order());
        (await App.GetAsync($"/v2/{repository}/manifests/v1")).MustBe(404, "MANIFEST_UNKNOWN");
    }

    [Fact]
    public async Task Missing_images_of_an_index_are_refused_and_each_is_named()
    {
        var repository = NewRepository();
        TestImage[] children = [TestImage.New(1), TestImage.New(2), TestImage.New(3)];
        await App.PushImageAsync(repository, "one", children[0]);
        var answer = (await App.PutManifestAsync(repository, "multi", TestImage.Index(children).Manifest, MediaTypes.OciIndex)).MustBe(404, "MANIFEST_BLOB_UNKNOWN");
        Assert.Equal(children.Skip(1).Select(c => c.Digest.Value).Order(), answer.Details.Order());
    }

    [Theory]
    [InlineData(IndexPlatforms.None, 201)]
    [InlineData(IndexPlatforms.List, 201)]
    [InlineData(IndexPlatforms.All, 404)]
    public async Task Which_images_of_an_index_must_exist_is_a_setting(IndexPlatforms platforms, int status)
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { IndexPlatforms = platforms, IndexPlatformList = ["linux/amd64"] });
        TestImage[] children = [TestImage.New(1), TestImage.New(2)];
        // The first entry is linux/amd64.
        await app.PushImageAsync("a", "one", children[0]);
        (await app.PutManifestAsync("a", "multi", TestImage.Index(children).Manifest, MediaTypes.OciIndex)).MustBe(status);
        (await app.PutManifestAsync("a", "turned", TestImage.Index(children.Reverse()).Manifest, MediaTypes.OciIndex)).MustBe(platforms == IndexPlatforms.None ? 201 : 404);
    }

    [Fact]
    public async Task A_layer_of_another_size_than_the_blob_is_refused()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        var layers = new JsonArray(image.Blobs.Skip(1).Select(b => (JsonNode)TestImage.Describe("application/x.layer", b)).ToArray());
        layers[0]!["size"] = image.Blobs[1].Length + 1;
        var answer = (await App.PutManifestAsync(repository, "v1", image.With("layers", layers).Manifest)).MustBe(400, "MANIFEST_INVALID");
        Assert.Contains(Digest.Of(image.Blobs[1]).Value, answer.Details[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_of_another_repository_does_not_count()
    {
        var image = TestImage.New(12);
        await App.PushImageAsync(NewRepository(), "v1", image);
        Assert.Equal(3, (await App.PutManifestAsync(NewRepository(), "v1", image.Manifest)).MustBe(404, "MANIFEST_BLOB_UNKNOWN").Details.Length);
    }

    [Fact]
    public async Task Layers_that_need_not_be_pushed_may_be_missing()
    {
        var (repository, image) = (NewRepository(), TestImage.New(13));
        await App.PushBlobAsync(repository, image.Blobs[0]);
        var layer = TestImage.Describe("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", image.Blobs[1]);
        layer["urls"] = new JsonArray("https://example.com/layer");
        (await App.PutManifestAsync(repository, "v1", image.With("layers", new JsonArray(layer)).Manifest)).MustBe(201);
    }

    [Fact]
    public async Task Another_digest_than_the_manifest_has_is_refused()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        (await App.PutManifestAsync(repository, Digest.Of([1]).Value, image.Manifest)).MustBe(400, "DIGEST_INVALID");
        (await App.PutManifestAsync(repository, "sha256:abc", image.Manifest)).MustBe(400, "DIGEST_INVALID");
        (await App.GetAsync($"/v2/{repository}/manifests/{image.Digest}")).MustBe(404, "MANIFEST_UNKNOWN");
    }

    [Fact]
    public async Task The_exact_bytes_come_back_whatever_their_form()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        var text = Encoding.UTF8.GetString(image.Manifest);
        foreach (var form in new[] { text, "\r\n\t " + text + "\n\n", text.Replace("\"schemaVersion\"", "\"x-unknown\": [1, {\"a\": \"\\u00e9 é \\ud83d\\ude00\"}],\n\"schemaVersion\"", StringComparison.Ordinal), text.Replace("/", "\\/", StringComparison.Ordinal) })
        {
            var bytes = Encoding.UTF8.GetBytes(form);
            (await App.PutManifestAsync(repository, "v1", bytes)).MustBe(201);
            Assert.Equal(bytes, (await App.GetAsync($"/v2/{repository}/manifests/v1")).Body);
            Assert.Equal(bytes, (await App.GetAsync($"/v2/{repository}/manifests/{Digest.Of(bytes)}")).Body);
        }
    }

    [Fact]
    public async Task A_manifest_up_to_the_limit_is_taken_and_one_beyond_is_refused_with_413()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        const int limit = 4 * 1024 * 1024;
        var padded = new byte[limit + 1];
        padded.AsSpan().Fill((byte)' ');
        image.Manifest.CopyTo(padded, 0);
        (await App.PutManifestAsync(repository, "big", padded)).MustBe(413, "SIZE_INVALID");
        using var unsized = new StreamContent(new UnsizedStream(padded));
        unsized.Headers.TryAddWithoutValidation("Content-Type", image.MediaType);
        (await App.SendAsync(HttpMethod.Put, $"/v2/{repository}/manifests/big", unsized)).MustBe(413, "SIZE_INVALID");
        (await App.PutManifestAsync(repository, "big", padded[..limit])).MustBe(201);
        Assert.Equal(padded[..limit], (await App.GetAsync($"/v2/{repository}/manifests/big")).Body);
    }

    [Theory]
    [InlineData("application/vnd.example.manifest.v1+json", 201)]
    [InlineData("application/json", 400)]
    [InlineData("", 400)]
    [InlineData("text/plain; charset=utf-8", 201)]
    public async Task A_manifest_of_any_named_type_is_kept_with_its_type(string mediaType, int status)
    {
        var repository = NewRepository();
        var content = Encoding.UTF8.GetBytes($$"""{"of":"{{mediaType}}"}""");
        var put = await App.PutManifestAsync(repository, "v1", content, mediaType);
        if (status != 201)
        {
            put.MustBe(400, "MANIFEST_INVALID");
            return;
        }
        put.MustBe(201);
        var answer = (await App.GetAsync($"/v2/{repository}/manifests/v1")).MustBe(200);
        Assert.Equal(content, answer.Body);
        Assert.Equal(MediaTypes.WithoutParameters(mediaType), answer.Header("Content-Type"));
    }

    [Fact]
    public async Task The_document_names_its_type_when_the_request_does_not()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        foreach (var said in new[] { "", "application/json", "application/octet-stream", MediaTypes.OciManifest + "; charset=utf-8", MediaTypes.OciManifest.ToUpperInvariant() })
        {
            (await App.PutManifestAsync(repository, "v1", image.Manifest, said)).MustBe(201);
            Assert.Equal(MediaTypes.OciManifest, (await App.HeadAsync($"/v2/{repository}/manifests/v1")).Header("Content-Type"));
        }
    }

    [Fact]
    public async Task A_type_that_the_settings_do_not_allow_is_refused()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { ManifestMediaTypes = ["application/x.ours"] });
        (await app.PutManifestAsync("a", "v1", "{}"u8.ToArray(), "application/x.theirs")).MustBe(400, "MANIFEST_INVALID");
        (await app.PutManifestAsync("a", "v1", "{}"u8.ToArray(), "application/x.ours")).MustBe(201);
        await app.PushImageAsync("a", "v2", TestImage.New());
    }

    [Fact]
    public async Task An_old_client_gets_the_amd64_image_of_a_manifest_list()
    {
        var repository = NewRepository();
        TestImage[] children = [TestImage.New(1, MediaTypes.DockerManifest), TestImage.New(2, MediaTypes.DockerManifest)];
        foreach (var child in children) await App.PushImageAsync(repository, child.Digest.Value, child);
        var list = TestImage.Index(children, MediaTypes.DockerManifestList);
        await App.PushImageAsync(repository, "multi", list);
        var path = $"/v2/{repository}/manifests/multi";
        var old = (await App.GetAsync(path, ("Accept", MediaTypes.DockerManifest))).MustBe(200);
        Assert.Equal(children[0].Manifest, old.Body);
        Assert.Equal(children[0].Digest.Value, old.Header("Docker-Content-Digest"));
        Assert.Equal(MediaTypes.DockerManifest, old.Header("Content-Type"));
        foreach (var accept in new[] { "*/*", MediaTypes.DockerManifestList, $"{MediaTypes.DockerManifest}, {MediaTypes.DockerManifestList};q=0.5", MediaTypes.OciManifest, "text/html" })
            Assert.Equal(list.Manifest, (await App.GetAsync(path, ("Accept", accept))).MustBe(200).Body);
        // By digest there is nothing to choose.
        Assert.Equal(list.Manifest, (await App.GetAsync($"/v2/{repository}/manifests/{list.Digest}", ("Accept", MediaTypes.DockerManifest))).Body);
    }

    [Fact]
    public async Task Names_that_look_like_the_protocol_are_names()
    {
        foreach (var repository in new[] { "a/manifests/b", "a/blobs/uploads", "v2/v2", "tags/list", "a/referrers" })
        {
            var image = TestImage.New();
            await App.PushImageAsync(repository, "manifests", image);
            Assert.Equal(image.Manifest, await App.PullAsync(repository, "manifests"));
        }
    }
}

public sealed class ManifestTestsOnSqlite(SqliteRegistry registry) : ManifestTests(registry), IClassFixture<SqliteRegistry>;

public sealed class ManifestTestsOnPostgres(PostgresRegistry registry) : ManifestTests(registry), IClassFixture<PostgresRegistry>;
