using Berth.Blobs;
using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;
using Berth.Server.Tests.Platform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Registry;

/// <summary>Blobs that come whole and small in one request, cut off at each step of their commit.</summary>
public abstract class SmallBlobTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    /// <summary>Where the process ends, and whether the blob comes in PUT or in POST alone.</summary>
    public static TheoryData<int, bool> Cuts
    {
        get
        {
            var cuts = new TheoryData<int, bool>();
            foreach (var cut in Enum.GetValues<Cut>())
            {
                cuts.Add((int)cut, true);
                cuts.Add((int)cut, false);
            }
            return cuts;
        }
    }

    private enum Cut
    {
        BeforeTheBytes,
        AfterTheBytes,
        BeforeTheName,
        AfterTheName,
    }

    [Theory, MemberData(nameof(Cuts))]
    public async Task A_push_that_was_cut_off_can_be_sent_again(int cut, bool inPut)
    {
        await using var app = await StartAsync((Cut)cut);
        var content = NewBytes(3000);
        var path = await CutOffAsync(app, content, inPut);
        if (inPut) Assert.Equal("0-0", (await app.GetAsync(path)).MustBe(204).Header("Range"));
        var again = inPut ? await app.PutAsync($"{path}?digest={Digest.Of(content)}", content) : await app.PostAsync(path, content);
        again.MustBe(201);
        Assert.Equal(content, (await app.GetAsync($"/v2/a/blobs/{Digest.Of(content)}")).MustBe(200).Body);
        await NothingIsLeftAsync(app, Digest.Of(content), isBlob: true);
    }

    [Theory, MemberData(nameof(Cuts))]
    public async Task What_a_push_that_was_cut_off_leaves_is_removed_by_the_janitor(int cut, bool inPut)
    {
        await using var app = await StartAsync((Cut)cut);
        var content = NewBytes(3000);
        await CutOffAsync(app, content, inPut);
        (await app.HeadAsync($"/v2/a/blobs/{Digest.Of(content)}")).MustBe(404);
        await NothingIsLeftAsync(app, Digest.Of(content), isBlob: false);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_given_up_after_its_bytes_were_named_leaves_nothing(bool byPatch)
    {
        await using var app = await StartAsync(Cut.AfterTheName);
        var content = NewBytes(3000);
        var path = await CutOffAsync(app, content, inPut: true);
        // A chunk in between does not make the server forget what it had begun.
        if (byPatch) (await app.PatchAsync(path, content[..10])).MustBe(202);
        (await app.DeleteAsync(path)).MustBe(204);
        (await app.GetAsync(path)).MustBe(404, "BLOB_UPLOAD_UNKNOWN");
        await NothingIsLeftAsync(app, Digest.Of(content), isBlob: false);
    }

    [Fact]
    public async Task The_janitor_leaves_content_that_another_push_has_recorded_meanwhile()
    {
        await using var app = await StartAsync(Cut.AfterTheName);
        var content = NewBytes(3000);
        await CutOffAsync(app, content, inPut: true);
        await app.PushBlobAsync("b", content);
        await NothingIsLeftAsync(app, Digest.Of(content), isBlob: true);
        Assert.Equal(content, (await app.GetAsync($"/v2/b/blobs/{Digest.Of(content)}")).MustBe(200).Body);
    }

    [Theory]
    [InlineData(SmallBody.MaxBytes)]
    [InlineData(SmallBody.MaxBytes + 1)]
    public async Task A_blob_at_the_limit_of_small_ones_is_like_any_other(int size)
    {
        var (repository, content) = (NewRepository(), NewBytes(size));
        var other = NewBytes(size);
        var location = await App.StartUploadAsync(repository);
        (await App.PutAsync($"{location}?digest={Digest.Of(content)}", content, ("Content-Range", $"0-{size - 1}"))).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).MustBe(200).Body);
        await App.PushBlobAsync(repository, other);
        Assert.Equal(other, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(other)}")).MustBe(200).Body);
    }

    [Fact]
    public async Task A_small_blob_without_Content_Length_is_like_any_other()
    {
        var (repository, content) = (NewRepository(), NewBytes(5000));
        var location = await App.StartUploadAsync(repository);
        (await App.SendAsync(HttpMethod.Put, $"{location}?digest={Digest.Of(content)}", new StreamContent(new UnsizedStream(content)))).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).MustBe(200).Body);
    }

    [Fact]
    public async Task A_small_PUT_that_broke_off_can_be_sent_again()
    {
        var (repository, content) = (NewRepository(), NewBytes(5000));
        var path = new Uri(await App.StartUploadAsync(repository)).AbsolutePath;
        // Not before the server has taken the request: of two that come at the same time, the later one wins.
        await App.BreakOffAsync(
            "PUT", $"{path}?digest={Digest.Of(content)}", content[..2000], 5000, () => App.Services.GetRequiredService<ActiveUploads>().Count > 0);
        (await App.PutAsync($"{path}?digest={Digest.Of(content)}", content)).MustBe(201);
        Assert.Equal(content, (await App.GetAsync($"/v2/{repository}/blobs/{Digest.Of(content)}")).MustBe(200).Body);
    }

    // A janitor that finds everything too old: what it leaves is what must be there.
    private Task<RegistryApp> StartAsync(Cut cut) =>
        RegistryApp.StartAsync(Kind, new RegistryOptions { UploadExpiry = TimeSpan.Zero }, services: s =>
            s.AddSingleton(p => StoreSetup.Open(
                p.GetRequiredService<BerthOptions>().Storage, p.GetRequiredService<BerthOptions>().DataFolder, p.GetRequiredService<Database>(), p.GetRequiredService<TimeProvider>(), (_, store) => new CutOffStore(store, cut))));

    // Where the client would send its request again.
    private static async Task<string> CutOffAsync(RegistryApp app, byte[] content, bool inPut)
    {
        var location = inPut ? await app.StartUploadAsync("a") : $"/v2/a/blobs/uploads/?digest={Digest.Of(content)}";
        var answer = inPut ? await app.PutAsync($"{location}?digest={Digest.Of(content)}", content) : await app.PostAsync(location, content);
        Assert.InRange(answer.Status, 500, 599);
        return location;
    }

    private static async Task NothingIsLeftAsync(RegistryApp app, Digest digest, bool isBlob)
    {
        await Eventually.TrueAsync(async () =>
        {
            await app.Services.GetRequiredService<UploadJanitor>().RunAsync(CancellationToken.None);
            var rows = await app.Services.GetRequiredService<Database>().ReadAsync(0, static (s, _, ct) => s.ScalarAsync(CountUploads, [], ct), CancellationToken.None);
            return rows == 0 && Directory.GetFiles(PathsOf(app).Uploads).Length == 0;
        }, "nothing is left for the janitor");
        Assert.Equal(isBlob, File.Exists(PathsOf(app).Content(digest)));
    }

    private static ContentPaths PathsOf(RegistryApp app) => new(Path.Join(app.Folder, "data/storage"));

    private static readonly Statement CountUploads = new("SELECT count(*) FROM uploads");

    /// <summary>Fails once at a step, as far as the store is concerned as if the process had ended there.</summary>
    private sealed class CutOffStore(IBlobStore store, Cut cut) : StoreWrapper(store)
    {
        private int _cuts;

        public override async ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct)
        {
            EndAt(Cut.BeforeTheBytes);
            await base.WriteUploadAsync(uploadKey, content, ct);
            EndAt(Cut.AfterTheBytes);
        }

        public override async ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct)
        {
            EndAt(Cut.BeforeTheName);
            await base.NameUploadAsync(uploadKey, digest, ct);
            EndAt(Cut.AfterTheName);
        }

        private void EndAt(Cut step)
        {
            if (step == cut && Interlocked.Increment(ref _cuts) == 1) throw new IOException("the store was cut off");
        }
    }
}

public sealed class SmallBlobTestsOnSqlite(SqliteRegistry registry) : SmallBlobTests(registry), IClassFixture<SqliteRegistry>;

public sealed class SmallBlobTestsOnPostgres(PostgresRegistry registry) : SmallBlobTests(registry), IClassFixture<PostgresRegistry>;
