using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>Blobs on their way in (OCI distribution spec, "Pushing blobs").</summary>
public abstract class UploadTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    public static TheoryData<string> Algorithms => ["sha256", "sha512"];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task A_blob_comes_in_one_POST(string algorithm)
    {
        var (repository, content) = (NewRepository(), NewBytes(5000));
        var digest = DigestOf(content, algorithm);
        var answer = (await App.PostAsync($"/v2/{repository}/blobs/uploads/?digest={digest}", content)).MustBe(201);
        Assert.Equal($"{App.Url}/v2/{repository}/blobs/{digest}", answer.Location);
        Assert.Equal(digest.Value, answer.Header("Docker-Content-Digest"));
        Assert.Equal(content, (await App.GetAsync(answer.Location)).MustBe(200).Body);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task A_blob_comes_in_POST_and_PUT(string algorithm)
    {
        var (repository, content) = (NewRepository(), NewBytes(5000));
        var digest = DigestOf(content, algorithm);
        var started = (await App.PostAsync($"/v2/{repository}/blobs/uploads/")).MustBe(202);
        Assert.StartsWith($"{App.Url}/v2/{repository}/blobs/uploads/", started.Location, StringComparison.Ordinal);
        Assert.Equal("0-0", started.Header("Range"));
        Assert.Equal("0", started.Header("Content-Length"));
        Assert.EndsWith(started.Header("Docker-Upload-UUID")!, started.Location, StringComparison.Ordinal);
        Assert.Null(started.Header("OCI-Chunk-Min-Length"));
        var answer = (await App.PutAsync($"{started.Location}?digest={digest}", content)).MustBe(201);
        Assert.Equal(digest.Value, answer.Header("Docker-Content-Digest"));
        Assert.Equal(content, (await App.GetAsync(answer.Location)).MustBe(200).Body);
        (await App.GetAsync(started.Location)).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
    }

    [Theory]
    [InlineData("sha256", null, "{0}-{1}")]
    [InlineData("sha256", "sha256", "bytes {0}-{1}/*")]
    [InlineData("sha512", "sha512", "{0}-{1}")]
    // The client changes its mind: the bytes are hashed again.
    [InlineData("sha512", null, "{0}-{1}")]
    [InlineData("sha256", "sha512", "{0}-{1}")]
    public async Task A_blob_comes_in_chunks(string algorithm, string? announced, string form)
    {
        var (repository, content) = (NewRepository(), NewBytes(300_000));
        var digest = DigestOf(content, algorithm);
        var location = (await App.PostAsync($"/v2/{repository}/blobs/uploads/" + (announced is null ? "" : $"?digest-algorithm={announced}"))).MustBe(202).Location;
        foreach (var (first, last) in new[] { (0, 99_999), (100_000, 100_000), (100_001, 249_999) })
        {
            var chunk = (await App.PatchAsync(location, content[first..(last + 1)], ("Content-Range", string.Format(form, first, last)))).MustBe(202);
            Assert.Equal($"0-{last}", chunk.Header("Range"));
            var status = (await App.GetAsync(chunk.Location)).MustBe(204);
            Assert.Equal($"0-{last}", status.Header("Range"));
            Assert.Equal(chunk.Location, status.Location);
            location = chunk.Location;
        }
        var answer = (await App.PutAsync($"{location}?digest={digest}", content[250_000..], ("Content-Range", "250000-299999"))).MustBe(201);
        Assert.Equal(content, (await App.GetAsync(answer.Location)).MustBe(200).Body);
    }

    [Fact]
    public async Task A_blob_comes_in_streams_without_Content_Range()
    {
        var (repository, content) = (NewRepository(), NewBytes(200_000));
        var location = await App.StartUploadAsync(repository);
        // Without Content-Length too: the chunked transfer coding.
        var stream = new StreamContent(new UnsizedStream(content[..150_000]));
        location = (await App.SendAsync(HttpMethod.Patch, location, stream)).MustBe(202).Location;
        location = (await App.PatchAsync(location, content[150_000..])).MustBe(202).Location;
        (await App.PutAsync($"{location}?digest={Digest.Of(content)}", [])).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).Body);
    }

    [Fact]
    public async Task An_empty_blob_is_a_blob()
    {
        var repository = NewRepository();
        var location = await App.StartUploadAsync(repository);
        (await App.PutAsync($"{location}?digest={Digest.Of([])}", [])).MustBe(201);
        Assert.Empty((await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of([])}")).MustBe(200).Body);
    }

    [Theory]
    [InlineData(0, 99)]
    [InlineData(101, 200)]
    [InlineData(99, 198)]
    public async Task A_chunk_out_of_order_is_answered_with_416_and_where_the_upload_stands(int first, int last)
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var location = await App.StartUploadAsync(repository);
        location = (await App.PatchAsync(location, content[..100], ("Content-Range", "0-99"))).MustBe(202).Location;
        var refused = (await App.PatchAsync(location, content[first..(last + 1)], ("Content-Range", $"{first}-{last}"))).MustBe(416, "BLOB_UPLOAD_INVALID");
        Assert.Equal("0-99", refused.Header("Range"));
        Assert.Equal(location, refused.Location);
        // It goes on as if nothing had been.
        (await App.PatchAsync(refused.Location, content[100..500], ("Content-Range", "100-499"))).MustBe(202);
        (await App.PutAsync($"{location}?digest={Digest.Of(content)}", content[300..], ("Content-Range", "300-999"))).MustBe(416, "BLOB_UPLOAD_INVALID");
        (await App.PutAsync($"{location}?digest={Digest.Of(content)}", content[500..], ("Content-Range", "500-999"))).MustBe(201);
    }

    [Theory]
    [InlineData("0-98", "SIZE_INVALID")]
    [InlineData("0-100", "SIZE_INVALID")]
    [InlineData("99-0", "BLOB_UPLOAD_INVALID")]
    [InlineData("-99", "BLOB_UPLOAD_INVALID")]
    [InlineData("0-", "BLOB_UPLOAD_INVALID")]
    [InlineData("bytes 0-99", "BLOB_UPLOAD_INVALID")]
    [InlineData("0-9999999999999999999999", "BLOB_UPLOAD_INVALID")]
    [InlineData("x", "BLOB_UPLOAD_INVALID")]
    public async Task A_chunk_with_a_wrong_Content_Range_is_refused(string range, string code)
    {
        var location = await App.StartUploadAsync(NewRepository());
        (await App.PatchAsync(location, NewBytes(100), ("Content-Range", range))).MustBe(400, code);
        Assert.Equal("0-0", (await App.GetAsync(location)).MustBe(204).Header("Range"));
    }

    [Fact]
    public async Task A_chunk_shorter_than_its_Content_Range_is_refused_and_the_upload_stands_where_it_stood()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var location = await App.StartUploadAsync(repository);
        var stream = new StreamContent(new UnsizedStream(content[..100]));
        stream.Headers.TryAddWithoutValidation("Content-Range", "0-499");
        (await App.SendAsync(HttpMethod.Patch, location, stream)).MustBe(400, "SIZE_INVALID");
        Assert.Equal("0-0", (await App.GetAsync(location)).MustBe(204).Header("Range"));
        (await App.PutAsync($"{location}?digest={Digest.Of(content)}", content)).MustBe(201);
    }

    [Fact]
    public async Task Another_digest_than_the_content_has_is_refused_and_ends_the_upload()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var other = Digest.Of(NewBytes(1000));
        var answer = (await App.PostAsync($"/v2/{repository}/blobs/uploads/?digest={other}", content)).MustBe(400, "DIGEST_INVALID");
        Assert.Contains(Digest.Of(content).Value, answer.Details[0], StringComparison.Ordinal);
        (await App.HeadAsync($"/v2/{repository}/blobs/{other}")).MustBe(404);

        var location = await App.StartUploadAsync(repository);
        (await App.PutAsync($"{location}?digest={other}", content)).MustBe(400, "DIGEST_INVALID");
        (await App.HeadAsync($"/v2/{repository}/blobs/{other}")).MustBe(404);
        (await App.HeadAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).MustBe(404);
        (await App.GetAsync(location)).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
    }

    [Theory]
    [InlineData("?digest=sha256:abc")]
    [InlineData("?digest=md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("?digest=x")]
    [InlineData("?digest-algorithm=md5")]
    public async Task A_digest_that_is_none_is_refused_at_the_start(string query) =>
        (await App.PostAsync($"/v2/{NewRepository()}/blobs/uploads/{query}")).MustBe(400, "DIGEST_INVALID");

    [Theory]
    [InlineData("")]
    [InlineData("?digest=")]
    [InlineData("?digest=sha256:abc")]
    public async Task An_upload_is_not_finished_without_a_digest(string query)
    {
        var location = await App.StartUploadAsync(NewRepository());
        (await App.PutAsync(location + query, NewBytes(10))).MustBe(400, "DIGEST_INVALID");
        (await App.GetAsync(location)).MustBe(204);
    }

    [Fact]
    public async Task A_cancelled_upload_is_gone_with_its_bytes()
    {
        var location = await App.StartUploadAsync(NewRepository());
        (await App.PatchAsync(location, NewBytes(1000))).MustBe(202);
        var id = location[(location.LastIndexOf('/') + 1)..];
        Assert.True(File.Exists(Path.Join(App.Folder, "data/storage/berth/uploads", id)));
        (await App.DeleteAsync(location)).MustBe(204);
        Assert.False(File.Exists(Path.Join(App.Folder, "data/storage/berth/uploads", id)));
        (await App.DeleteAsync(location)).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await App.PatchAsync(location, NewBytes(10))).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("x")]
    [InlineData("..")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    public async Task An_unknown_upload_is_unknown_to_every_method(string id)
    {
        var path = $"{App.Url}/v2/{NewRepository()}/blobs/uploads/{Uri.EscapeDataString(id).Replace(".", "%2e", StringComparison.Ordinal)}";
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Patch, HttpMethod.Delete })
        {
            var answer = await App.SendAsync(method, path);
            // A path of dots is none: the server takes it away before anybody looks.
            if (id != "..") answer.MustBe(404, "BLOB_UPLOAD_UNKNOWN");
            else Assert.InRange(answer.Status, 400, 499);
        }
        var put = await App.PutAsync($"{path}?digest={Digest.Of([])}", []);
        Assert.InRange(put.Status, 400, 499);
    }

    [Fact]
    public async Task An_upload_belongs_to_its_repository()
    {
        var location = await App.StartUploadAsync(NewRepository());
        var id = location[(location.LastIndexOf('/') + 1)..];
        var elsewhere = $"/v2/{NewRepository()}/blobs/uploads/{id}";
        (await App.GetAsync(elsewhere)).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await App.PutAsync($"{elsewhere}?digest={Digest.Of([])}", [])).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await App.GetAsync(location)).MustBe(204);
    }

    [Fact]
    public async Task Upload_ids_do_not_repeat_and_have_128_bits()
    {
        var repository = NewRepository();
        var ids = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            var location = await App.StartUploadAsync(repository);
            var id = location[(location.LastIndexOf('/') + 1)..];
            Assert.Matches("^[0-9a-f]{32}$", id);
            Assert.True(ids.Add(id));
        }
    }

    [Fact]
    public async Task The_same_blob_may_be_pushed_again()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(repository, content);
        await App.PushBlobAsync(repository, content);
        var location = await App.StartUploadAsync(repository);
        (await App.PutAsync($"{location}?digest={digest}", content)).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{digest}")).Body);
    }

    [Fact]
    public async Task The_last_slash_of_uploads_may_be_missing() => (await App.PostAsync($"/v2/{NewRepository()}/blobs/uploads")).MustBe(202);

    [Fact]
    public async Task The_smallest_chunk_is_told_when_one_is_set()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { ChunkMinBytes = 4096 });
        Assert.Equal("4096", (await app.PostAsync("/v2/a/blobs/uploads/")).MustBe(202).Header("OCI-Chunk-Min-Length"));
    }

    [Fact]
    public async Task A_blob_beyond_the_limit_is_refused_with_413()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { MaxBlobBytes = 1000 });
        var content = NewBytes(1001);
        (await app.PostAsync($"/v2/a/blobs/uploads/?digest={Digest.Of(content)}", content)).MustBe(413, "SIZE_INVALID");
        var location = await app.StartUploadAsync("a");
        (await app.PatchAsync(location, content[..600])).MustBe(202);
        (await app.PatchAsync(location, content[600..])).MustBe(413, "SIZE_INVALID");
        (await app.GetAsync(location)).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        await app.PushBlobAsync("a", content[..1000]);
        Assert.Empty(Directory.GetFiles(Path.Join(app.Folder, "data/storage/berth/uploads")));
    }

    [Fact]
    public async Task Too_many_open_uploads_are_refused_with_429()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { MaxUploadsPerCaller = 2 });
        var first = await app.StartUploadAsync("a");
        await app.StartUploadAsync("a");
        (await app.PostAsync("/v2/b/blobs/uploads/")).MustBe(429, "TOOMANYREQUESTS");
        (await app.DeleteAsync(first)).MustBe(204);
        await app.StartUploadAsync("b");
    }

    [Fact]
    public async Task A_full_disk_refuses_uploads_with_507()
    {
        await using var app = await RegistryApp.StartAsync(Kind, more: o => o with { Storage = o.Storage with { MinFreeBytes = long.MaxValue / 2 } });
        (await app.PostAsync("/v2/a/blobs/uploads/")).MustBe(507, "STORAGE_FULL");
        (await app.PostAsync($"/v2/a/blobs/uploads/?digest={Digest.Of([1])}", [1])).MustBe(507, "STORAGE_FULL");
        Assert.Empty(Directory.GetFiles(Path.Join(app.Folder, "data/storage/berth/uploads")));
    }

    private static Digest DigestOf(byte[] content, string algorithm) =>
        Digest.Of(content, algorithm == "sha512" ? DigestAlgorithm.Sha512 : DigestAlgorithm.Sha256);
}

public sealed class UploadTestsOnSqlite(SqliteRegistry registry) : UploadTests(registry), IClassFixture<SqliteRegistry>;

public sealed class UploadTestsOnPostgres(PostgresRegistry registry) : UploadTests(registry), IClassFixture<PostgresRegistry>;
