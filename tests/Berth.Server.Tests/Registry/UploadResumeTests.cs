using Berth.Oci;
using Berth.Server.Access;

namespace Berth.Server.Tests.Registry;

/// <summary>Uploads that are cut off, taken up again, or wanted by two.</summary>
public abstract class UploadResumeTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task An_upload_goes_on_after_a_restart_of_the_server(string algorithm)
    {
        await using var app = await RegistryApp.StartAsync(Kind);
        var content = NewBytes(200_000);
        var digest = Digest.Of(content, algorithm == "sha512" ? DigestAlgorithm.Sha512 : DigestAlgorithm.Sha256);
        var id = PathOf(await app.StartUploadAsync("a"));
        (await app.PatchAsync(id, content[..120_000])).MustBe(202);
        await app.RestartAsync();
        Assert.Equal("0-119999", (await app.GetAsync(id)).MustBe(204).Header("Range"));
        (await app.PatchAsync(id, content[120_000..150_000], ("Content-Range", "120000-149999"))).MustBe(202);
        await app.RestartAsync();
        (await app.PutAsync($"{id}?digest={digest}", content[150_000..])).MustBe(201);
        await app.RestartAsync();
        Assert.Equal(content, (await app.GetAsync($"/v2/a/blobs/{digest}")).MustBe(200).Body);
    }

    [Fact]
    public async Task An_upload_goes_on_after_the_client_broke_off_in_the_middle_of_a_PATCH()
    {
        var (repository, content) = (NewRepository(), NewBytes(400_000));
        var path = PathOf(await App.StartUploadAsync(repository));
        (await App.PatchAsync(path, content[..100_000])).MustBe(202);
        await App.BreakOffAsync("PATCH", path, content[100_000..250_000], 300_000, () => App.UploadFile(path).Length > 100_000);

        // What arrived is kept; how much that is, only the server knows.
        var stands = 0;
        await Eventually.TrueAsync(async () =>
        {
            var range = (await App.GetAsync(path)).MustBe(204).Header("Range")!;
            stands = int.Parse(range[2..]) + 1;
            return stands > 100_000;
        }, "the broken PATCH is kept");
        Assert.InRange(stands, 100_001, 250_000);
        (await App.PatchAsync(path, content[stands..], ("Content-Range", $"{stands}-399999"))).MustBe(202);
        (await App.PutAsync($"{path}?digest={Digest.Of(content)}", [])).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).Body);
    }

    [Fact]
    public async Task A_PUT_that_broke_off_can_be_sent_again()
    {
        var (repository, content) = (NewRepository(), NewBytes(400_000));
        var path = PathOf(await App.StartUploadAsync(repository));
        (await App.PatchAsync(path, content[..100_000])).MustBe(202);
        await App.BreakOffAsync("PUT", $"{path}?digest={Digest.Of(content)}", content[100_000..250_000], 300_000, () => App.UploadFile(path).Length > 100_000);
        Assert.Equal("0-99999", (await App.GetAsync(path)).MustBe(204).Header("Range"));
        (await App.PutAsync($"{path}?digest={Digest.Of(content)}", content[100_000..])).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).Body);
    }

    [Fact]
    public async Task A_POST_that_broke_off_leaves_nothing()
    {
        await using var app = await RegistryApp.StartAsync(Kind);
        var content = NewBytes(400_000);
        await app.BreakOffAsync("POST", $"/v2/a/blobs/uploads/?digest={Digest.Of(content)}", content[..250_000], 400_000);
        await Eventually.TrueAsync(() => Directory.GetFiles(Path.Join(app.Folder, "data/storage/berth/uploads")).Length == 0, "the bytes are removed");
        (await app.HeadAsync($"/v2/a/blobs/{Digest.Of(content)}")).MustBe(404);
    }

    [Fact]
    public async Task Lost_bytes_end_the_upload_with_an_error_that_says_so()
    {
        var path = PathOf(await App.StartUploadAsync(NewRepository()));
        (await App.PatchAsync(path, NewBytes(1000))).MustBe(202);
        App.UploadFile(path).Delete();
        var answer = (await App.PatchAsync(path, NewBytes(1000))).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        Assert.Contains("start again", answer.Details[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_PATCHes_at_once_the_newcomer_goes_on_and_no_byte_is_lost_or_doubled()
    {
        var (repository, content) = (NewRepository(), NewBytes(300_000));
        var path = PathOf(await App.StartUploadAsync(repository));
        var never = new TaskCompletionSource();
        // The first hangs before its end, as over a connection that is dead without knowing it.
        var first = App.SendAsync(HttpMethod.Patch, path, new StreamContent(new UnsizedStream(content[..100_000], never.Task)));
        await Eventually.TrueAsync(() => App.UploadFile(path) is { Exists: true, Length: > 0 }, "the first has begun");
        var second = await App.PatchAsync(path, NewBytes(10), ("Content-Range", "250000-250009"));
        second.MustBe(416, "BLOB_UPLOAD_INVALID");
        var stands = int.Parse(second.Header("Range")![2..]) + 1;
        Assert.InRange(stands, 1, 100_000);
        (await App.PutAsync($"{path}?digest={Digest.Of(content)}", content[stands..], ("Content-Range", $"{stands}-299999"))).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).Body);
        never.SetResult();
        try
        {
            Assert.NotEqual(202, (await first).Status);
        }
        catch (HttpRequestException)
        {
            // Its connection was cut, which is an answer too.
        }
    }

    [Fact]
    public async Task Many_chunks_at_once_leave_one_order_of_them()
    {
        var (repository, content) = (NewRepository(), NewBytes(1000));
        var path = PathOf(await App.StartUploadAsync(repository));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => App.PatchAsync(path, content, ("Content-Range", "0-999"))));
        Assert.All(answers, a => Assert.True(a.Status is 202 or 416 or 404, $"{a.Status} {a.Text}"));
        Assert.Equal("0-999", (await App.GetAsync(path)).MustBe(204).Header("Range"));
        (await App.PutAsync($"{path}?digest={Digest.Of(content)}", [])).MustBe(201);
    }

    [Fact]
    public async Task Many_may_push_the_same_blob_at_once()
    {
        var (repository, content) = (NewRepository(), NewBytes(50_000));
        var digest = Digest.Of(content);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            if (i % 2 == 0)
            {
                await App.PushBlobAsync(repository, content);
                return;
            }
            var location = await App.StartUploadAsync(repository);
            (await App.PutAsync($"{location}?digest={digest}", content)).MustBe(201);
        }));
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{digest}")).Body);
    }

    [Fact]
    public async Task The_upload_of_another_user_is_unknown()
    {
        await using var app = await RegistryApp.StartAsync(Kind, services: NamedCallers.Allow((_, _, _) => true));
        var content = NewBytes(100);
        var location = await app.StartUploadAsync("a", NamedCallers.As("alice"));
        (await app.PatchAsync(location, content, NamedCallers.As("bob"))).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await app.GetAsync(location, NamedCallers.As("bob"))).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await app.DeleteAsync(location, NamedCallers.As("bob"))).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await app.PutAsync($"{location}?digest={Digest.Of(content)}", content, NamedCallers.As("bob"))).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await app.GetAsync(location)).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        (await app.PutAsync($"{location}?digest={Digest.Of(content)}", content, NamedCallers.As("alice"))).MustBe(201);
    }

    private static string PathOf(string location) => new Uri(location).AbsolutePath;
}

public sealed class UploadResumeTestsOnSqlite(SqliteRegistry registry) : UploadResumeTests(registry), IClassFixture<SqliteRegistry>;

public sealed class UploadResumeTestsOnPostgres(PostgresRegistry registry) : UploadResumeTests(registry), IClassFixture<PostgresRegistry>;

/// <summary>Mounts of blobs from other repositories (OCI distribution spec, "Mounting a blob from another repository").</summary>
public abstract class MountTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_blob_is_mounted_from_a_repository_that_holds_it(bool named)
    {
        var (source, target, content) = (NewRepository(), NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(source, content);
        // Asked before: the answer must not be remembered.
        (await App.HeadAsync($"/v2/{target}/blobs/{digest}")).MustBe(404);
        var answer = (await App.PostAsync($"/v2/{target}/blobs/uploads/?mount={digest}" + (named ? $"&from={source}" : ""))).MustBe(201);
        Assert.Equal($"{App.Url}/v2/{target}/blobs/{digest}", answer.Location);
        Assert.Equal(digest.Value, answer.Header("Docker-Content-Digest"));
        Assert.Equal(content, (await App.GetAsync(answer.Location)).MustBe(200).Body);
    }

    [Theory]
    [InlineData("?mount={0}&from=nobody/has-it")]
    [InlineData("?mount={0}&from=BAD//NAME")]
    [InlineData("?mount={0}")]
    [InlineData("?mount=sha256:abc")]
    [InlineData("?mount=")]
    public async Task A_mount_that_cannot_be_is_an_upload_instead(string query)
    {
        var digest = Digest.Of(NewBytes(1000));
        var answer = (await App.PostAsync($"/v2/{NewRepository()}/blobs/uploads/" + query.Replace("{0}", digest.Value, StringComparison.Ordinal))).MustBe(202);
        (await App.GetAsync(answer.Location)).MustBe(204);
    }

    [Fact]
    public async Task A_repository_that_the_caller_may_not_read_is_no_source()
    {
        await using var app = await RegistryApp.StartAsync(Kind, services: NamedCallers.Allow((name, repository, action) =>
            repository.StartsWith(name, StringComparison.Ordinal) || (repository.StartsWith("public", StringComparison.Ordinal) && action == RepositoryAction.Pull)));
        var content = NewBytes(1000);
        var digest = Digest.Of(content);
        (await app.PostAsync($"/v2/alice/a/blobs/uploads/?digest={digest}", content, NamedCallers.As("alice"))).MustBe(201);
        (await app.PostAsync($"/v2/bob/b/blobs/uploads/?mount={digest}&from=alice/a", null, NamedCallers.As("bob"))).MustBe(202);
        (await app.PostAsync($"/v2/bob/b/blobs/uploads/?mount={digest}", null, NamedCallers.As("bob"))).MustBe(202);
        (await app.HeadAsync($"/v2/bob/b/blobs/{digest}", NamedCallers.As("bob"))).MustBe(404);
        (await app.PostAsync($"/v2/public/p/blobs/uploads/?mount={digest}&from=alice/a", null, NamedCallers.As("public"))).MustBe(202);
        (await app.PostAsync($"/v2/public/p/blobs/uploads/?digest={digest}", content, NamedCallers.As("public"))).MustBe(201);
        (await app.PostAsync($"/v2/bob/b/blobs/uploads/?mount={digest}", null, NamedCallers.As("bob"))).MustBe(201);
        (await app.PostAsync($"/v2/bob/c/blobs/uploads/?mount={digest}&from=public/p", null, NamedCallers.As("bob"))).MustBe(201);
    }

    [Fact]
    public async Task A_mounted_blob_stays_when_its_source_lets_go()
    {
        var (source, target, content) = (NewRepository(), NewRepository(), NewBytes(1000));
        var digest = await App.PushBlobAsync(source, content);
        (await App.PostAsync($"/v2/{target}/blobs/uploads/?mount={digest}&from={source}")).MustBe(201);
        (await App.DeleteAsync($"/v2/{source}/blobs/{digest}")).MustBe(202);
        (await App.GetAsync($"/v2/{source}/blobs/{digest}")).MustBe(404, "BLOB_UNKNOWN");
        Assert.Equal(content, (await App.GetAsync($"/v2/{target}/blobs/{digest}")).MustBe(200).Body);
    }
}

public sealed class MountTestsOnSqlite(SqliteRegistry registry) : MountTests(registry), IClassFixture<SqliteRegistry>;

public sealed class MountTestsOnPostgres(PostgresRegistry registry) : MountTests(registry), IClassFixture<PostgresRegistry>;
