using Berth.Oci;

namespace Berth.Server.Tests.Registry;

/// <summary>If-Match and If-None-Match on PUT: compare-and-swap of a tag (RFC 9110 section 13.1).</summary>
public abstract class CompareAndSwapTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    [Fact]
    public async Task A_tag_moves_only_from_where_the_client_thinks_it_is()
    {
        var images = await PushThreeAsync();
        async Task<Answer> PutAsync(TestImage image, string condition, string value) =>
            await App.PutManifestAsync(images.Repository, "v1", image.Manifest, MediaTypes.OciManifest, (condition, value));

        (await PutAsync(images.All[0], "If-Match", $"\"{images.All[0].Digest}\"")).MustBe(412, "PRECONDITION_FAILED");
        (await PutAsync(images.All[0], "If-Match", "*")).MustBe(412, "PRECONDITION_FAILED");
        var created = (await PutAsync(images.All[0], "If-None-Match", "*")).MustBe(201);
        Assert.Equal($"\"{images.All[0].Digest}\"", created.Header("ETag"));
        (await PutAsync(images.All[1], "If-None-Match", "*")).MustBe(412, "PRECONDITION_FAILED");
        (await PutAsync(images.All[1], "If-Match", $"\"{images.All[1].Digest}\"")).MustBe(412, "PRECONDITION_FAILED");
        (await PutAsync(images.All[1], "If-Match", $"W/\"{images.All[0].Digest}\"")).MustBe(412, "PRECONDITION_FAILED");
        (await PutAsync(images.All[1], "If-Match", $"\"x\", \"{images.All[0].Digest}\"")).MustBe(201);
        (await PutAsync(images.All[2], "If-Match", "*")).MustBe(201);
        Assert.Equal(images.All[2].Manifest, (await App.GetAsync($"/v2/{images.Repository}/manifests/v1")).Body);
    }

    [Fact]
    public async Task A_failed_condition_leaves_nothing_behind()
    {
        var (repository, image) = (NewRepository(), TestImage.New(31));
        foreach (var blob in image.Blobs) await App.PushBlobAsync(repository, blob);
        var refused = await App.PutManifestAsync(repository, $"{image.Digest}?tag=a&tag=b", image.Manifest, MediaTypes.OciManifest, ("If-Match", "*"));
        refused.MustBe(412, "PRECONDITION_FAILED");
        (await App.HeadAsync($"/v2/{repository}/manifests/{image.Digest}")).MustBe(404);
        Assert.Empty((await App.GetAsync($"/v2/{repository}/tags/list")).Texts("tags"));
    }

    [Fact]
    public async Task Of_thirty_who_create_a_tag_at_once_exactly_one_wins()
    {
        var (repository, images) = await PushThreeAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i =>
            App.PutManifestAsync(repository, "race", images[i % 3].Manifest, MediaTypes.OciManifest, ("If-None-Match", "*"))));
        Assert.Equal(1, answers.Count(a => a.Status == 201));
        Assert.Equal(29, answers.Count(a => a.Status == 412));
        var winner = answers.Single(a => a.Status == 201).Header("Docker-Content-Digest");
        Assert.Equal(winner, (await App.HeadAsync($"/v2/{repository}/manifests/race")).Header("Docker-Content-Digest"));
    }

    [Fact]
    public async Task Of_thirty_who_move_a_tag_at_once_exactly_one_wins()
    {
        var (repository, images) = await PushThreeAsync();
        (await App.PutManifestAsync(repository, "race", images[0].Manifest)).MustBe(201);
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i =>
            App.PutManifestAsync(repository, "race", images[1 + (i % 2)].Manifest, MediaTypes.OciManifest, ("If-Match", $"\"{images[0].Digest}\""))));
        Assert.Equal(1, answers.Count(a => a.Status == 201));
        Assert.Equal(29, answers.Count(a => a.Status == 412));
    }

    [Fact]
    public async Task No_increment_is_lost_when_all_read_and_swap()
    {
        var repository = NewRepository();
        var images = Enumerable.Range(0, 9).Select(i => TestImage.Artifact(null, "application/x.count", i)).ToArray();
        foreach (var image in images) await App.PushImageAsync(repository, image.Digest.Value, image);
        (await App.PutManifestAsync(repository, "count", images[0].Manifest)).MustBe(201);
        // Each of four callers counts up by two.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            for (var done = 0; done < 2;)
            {
                var now = (await App.HeadAsync($"/v2/{repository}/manifests/count")).MustBe(200).Header("ETag")!;
                var at = Array.FindIndex(images, i => $"\"{i.Digest}\"" == now);
                var put = await App.PutManifestAsync(repository, "count", images[at + 1].Manifest, MediaTypes.OciManifest, ("If-Match", now));
                if (put.Status == 201) done++;
                else put.MustBe(412, "PRECONDITION_FAILED");
            }
        }));
        Assert.Equal(images[8].Manifest, (await App.GetAsync($"/v2/{repository}/manifests/count")).Body);
    }

    [Fact]
    public async Task Many_pushes_of_many_tags_at_once_all_count()
    {
        var (repository, images) = await PushThreeAsync();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            (await App.PutManifestAsync(repository, $"t{i % 20:00}", images[i % 3].Manifest)).MustBe(201)));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"t{i:00}"), (await App.GetAsync($"/v2/{repository}/tags/list")).Texts("tags"));
    }

    private async Task<(string Repository, TestImage[] All)> PushThreeAsync()
    {
        var repository = NewRepository();
        var images = Enumerable.Range(21, 3).Select(i => TestImage.New(i)).ToArray();
        foreach (var image in images) await App.PushImageAsync(repository, image.Digest.Value, image);
        return (repository, images);
    }
}

public sealed class CompareAndSwapTestsOnSqlite(SqliteRegistry registry) : CompareAndSwapTests(registry), IClassFixture<SqliteRegistry>;

public sealed class CompareAndSwapTestsOnPostgres(PostgresRegistry registry) : CompareAndSwapTests(registry), IClassFixture<PostgresRegistry>;
