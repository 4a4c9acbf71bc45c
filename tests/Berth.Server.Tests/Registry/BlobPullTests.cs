using System.Text;
using Berth.Oci;

namespace Berth.Server.Tests.Registry;

/// <summary>GET and HEAD of blobs (OCI distribution spec, "Pulling blobs"; RFC 9110 sections 13 and 14).</summary>
public abstract class BlobPullTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    // Above and below the size whose bytes are kept in memory.
    public static TheoryData<int> Sizes => [0, 1, 999, 64 * 1024, 64 * 1024 + 1, 300_000];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task A_blob_is_answered_whole_with_all_its_headers(int size)
    {
        var (repository, content) = (NewRepository(), NewBytes(size));
        var digest = await App.PushBlobAsync(repository, content);
        for (var round = 0; round < 2; round++)
        {
            var head = (await App.HeadAsync($"/v2/{repository}/blobs/{digest}")).MustBe(200);
            var get = (await App.GetAsync($"/v2/{repository}/blobs/{digest}")).MustBe(200);
            Assert.Empty(head.Body);
            Assert.Equal(content, get.Body);
            foreach (var answer in new[] { head, get })
            {
                Assert.Equal(size.ToString(), answer.Header("Content-Length"));
                Assert.Equal("application/octet-stream", answer.Header("Content-Type"));
                Assert.Equal(digest.Value, answer.Header("Docker-Content-Digest"));
                Assert.Equal($"\"{digest}\"", answer.Header("ETag"));
                Assert.Equal("bytes", answer.Header("Accept-Ranges"));
                Assert.Equal("max-age=31536000, immutable", answer.Header("Cache-Control"));
                Assert.Equal("registry/2.0", answer.Header("Docker-Distribution-Api-Version"));
            }
        }
    }

    [Theory]
    [InlineData("bytes=0-0", 0, 0)]
    [InlineData("bytes=0-9", 0, 9)]
    [InlineData("bytes=10-", 10, 99_999)]
    [InlineData("bytes=99999-99999", 99_999, 99_999)]
    [InlineData("bytes=99990-200000", 99_990, 99_999)]
    [InlineData("bytes=-1", 99_999, 99_999)]
    [InlineData("bytes=-500", 99_500, 99_999)]
    [InlineData("bytes=-1000000", 0, 99_999)]
    [InlineData("BYTES=5-6", 5, 6)]
    [InlineData("bytes= 5-6 ", 5, 6)]
    [InlineData("bytes=200000-,5-6", 5, 6)]
    public async Task A_range_is_answered_with_206(string range, int first, int last)
    {
        var (repository, content) = (NewRepository(), NewBytes(100_000));
        var digest = await App.PushBlobAsync(repository, content);
        var answer = (await App.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", range))).MustBe(206);
        Assert.Equal($"bytes {first}-{last}/100000", answer.Header("Content-Range"));
        Assert.Equal((last - first + 1).ToString(), answer.Header("Content-Length"));
        Assert.Equal(digest.Value, answer.Header("Docker-Content-Digest"));
        Assert.Equal(content[first..(last + 1)], answer.Body);
        var head = (await App.HeadAsync($"/v2/{repository}/blobs/{digest}", ("Range", range))).MustBe(206);
        Assert.Equal(answer.Header("Content-Range"), head.Header("Content-Range"));
        Assert.Equal(answer.Header("Content-Length"), head.Header("Content-Length"));
    }

    [Fact]
    public async Task A_range_of_a_small_blob_is_cut_out_of_memory()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(repository, content);
        await App.GetAsync($"/v2/{repository}/blobs/{digest}");
        var answer = (await App.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", "bytes=100-899"))).MustBe(206);
        Assert.Equal(content[100..900], answer.Body);
    }

    [Theory]
    [InlineData("bytes=100000-")]
    [InlineData("bytes=100000-100001")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=100000-,200000-")]
    public async Task A_range_outside_of_the_blob_is_answered_with_416(string range)
    {
        var (repository, content) = (NewRepository(), NewBytes(100_000));
        var digest = await App.PushBlobAsync(repository, content);
        var answer = await App.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", range));
        Assert.Equal(416, answer.Status);
        Assert.Equal("bytes */100000", answer.Header("Content-Range"));
        Assert.Single(answer.Codes);
    }

    [Theory]
    [InlineData("bytes=9-5")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=")]
    [InlineData("bytes=5")]
    [InlineData("bytes=--5")]
    [InlineData("bytes=+1-5")]
    [InlineData("items=0-5")]
    [InlineData("bytes=0-99999,0-99999")]
    public async Task A_range_that_makes_no_sense_is_ignored(string range)
    {
        var (repository, content) = (NewRepository(), NewBytes(100_000));
        var digest = await App.PushBlobAsync(repository, content);
        var answer = (await App.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", range))).MustBe(200);
        Assert.Equal(content, answer.Body);
        Assert.Null(answer.Header("Content-Range"));
    }

    [Fact]
    public async Task More_ranges_than_the_limit_are_ignored()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(repository, content);
        var range = "bytes=" + string.Join(",", Enumerable.Range(0, 33).Select(i => $"{i * 2}-{i * 2}"));
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", range))).MustBe(200).Body);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(100_000)]
    public async Task Several_ranges_are_answered_as_multipart(int size)
    {
        var (repository, content) = (NewRepository(), NewBytes(size));
        var digest = await App.PushBlobAsync(repository, content);
        var answer = (await App.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", "bytes=0-9, 500-599, -5"))).MustBe(206);
        Assert.Null(answer.Header("Content-Range"));
        var type = answer.Header("Content-Type")!;
        Assert.StartsWith("multipart/byteranges; boundary=", type, StringComparison.Ordinal);
        var boundary = type["multipart/byteranges; boundary=".Length..];
        var expected = new MemoryStream();
        foreach (var (first, last) in new[] { (0, 9), (500, 599), (size - 5, size - 1) })
        {
            expected.Write(Encoding.ASCII.GetBytes($"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {first}-{last}/{size}\r\n\r\n"));
            expected.Write(content.AsSpan(first, last - first + 1));
        }
        expected.Write(Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"));
        Assert.Equal(expected.ToArray(), answer.Body);
        Assert.Equal(expected.Length.ToString(), answer.Header("Content-Length"));
    }

    [Fact]
    public async Task If_Range_decides_whether_the_range_counts()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(repository, content);
        var path = $"/v2/{repository}/blobs/{digest}";
        Assert.Equal(content[..10], (await App.GetAsync(path, ("Range", "bytes=0-9"), ("If-Range", $"\"{digest}\""))).MustBe(206).Body);
        Assert.Equal(content, (await App.GetAsync(path, ("Range", "bytes=0-9"), ("If-Range", "\"other\""))).MustBe(200).Body);
        Assert.Equal(content, (await App.GetAsync(path, ("Range", "bytes=0-9"), ("If-Range", $"W/\"{digest}\""))).MustBe(200).Body);
        Assert.Equal(content, (await App.GetAsync(path, ("Range", "bytes=0-9"), ("If-Range", "Sat, 29 Oct 1994 19:43:31 GMT"))).MustBe(200).Body);
    }

    [Theory]
    [InlineData("\"{0}\"", 304)]
    [InlineData("W/\"{0}\"", 304)]
    [InlineData("{0}", 304)]
    [InlineData("*", 304)]
    [InlineData("\"x\", \"{0}\"", 304)]
    [InlineData("\"x\"", 200)]
    public async Task If_None_Match_saves_the_body(string condition, int status)
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(repository, content);
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            var answer = (await App.SendAsync(method, $"/v2/{repository}/blobs/{digest}", null, ("If-None-Match", condition.Replace("{0}", digest.Value, StringComparison.Ordinal)))).MustBe(status);
            Assert.Equal($"\"{digest}\"", answer.Header("ETag"));
            if (status == 304) Assert.Empty(answer.Body);
        }
    }

    [Fact]
    public async Task A_sha512_blob_is_found_under_its_own_digest_only()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(repository, content, DigestAlgorithm.Sha512);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{digest}")).MustBe(200).Body);
        (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).MustBe(404, "BLOB_UNKNOWN");
    }

    [Fact]
    public async Task A_blob_of_another_repository_is_unknown()
    {
        var digest = await App.PushBlobAsync(NewRepository(), NewBytes(100));
        var answer = (await App.GetAsync($"/v2/{NewRepository()}/blobs/{digest}")).MustBe(404, "BLOB_UNKNOWN");
        Assert.Equal([digest.Value], answer.Details);
        Assert.Empty((await App.HeadAsync($"/v2/{NewRepository()}/blobs/{digest}")).MustBe(404).Body);
    }

    [Fact]
    public async Task A_mirror_request_is_answered_from_local_content()
    {
        var (repository, content) = (NewRepository(), NewBytes(100));
        var digest = await App.PushBlobAsync(repository, content);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{digest}?ns=docker.io")).MustBe(200).Body);
        (await App.GetAsync("/v2/?ns=docker.io")).MustBe(200);
    }
}

public sealed class BlobPullTestsOnSqlite(SqliteRegistry registry) : BlobPullTests(registry), IClassFixture<SqliteRegistry>;

public sealed class BlobPullTestsOnPostgres(PostgresRegistry registry) : BlobPullTests(registry), IClassFixture<PostgresRegistry>;
