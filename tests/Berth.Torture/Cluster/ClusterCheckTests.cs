using Amazon.S3.Model;

namespace Berth.Torture.Cluster;

/// <summary>A checker that finds nothing proves nothing: here is something to find.</summary>
public sealed class ClusterCheckTests
{
    private const string Settings = """
        gc: { enabled: false }
        health: { storageEnabled: false }
        """;

    [Fact]
    public async Task What_is_lost_came_back_dangles_or_stays_behind_is_found()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var cluster = await TestCluster.StartAsync(1, isDirect: true, Settings, ct);
        await using var database = cluster.OpenDatabase();
        using var http = new ClusterHttp(cluster.NginxAddress);
        var model = new ClusterModel();
        var (lost, back, hollow) = (await PushAsync("lost"), await PushAsync("back"), await PushAsync("hollow"));
        var check = new StoreCheck(cluster, database);
        Assert.Empty(await check.RunAsync(http, ct));
        Assert.Empty(await FindAsync());

        // A manifest that was acknowledged goes, one that was deleted stays, an object goes, and another one comes.
        Assert.Equal(202, (await http.SendAsync(HttpMethod.Delete, lost.Path, ct)).Status);
        model.Deleted(back, isPending: false, DateTimeOffset.UnixEpoch);
        await using (var command = database.CreateCommand($"SELECT key FROM blobs WHERE digest = '{hollow.Blobs[1].Digest}'"))
        {
            var key = (string)(await command.ExecuteScalarAsync(ct))!;
            await cluster.Store.DeleteObjectAsync(TestCluster.Bucket, $"{cluster.Prefix}berth/blobs/{key[..2]}/{key}", ct);
        }
        await cluster.Store.PutObjectAsync(new PutObjectRequest
        {
            BucketName = TestCluster.Bucket,
            Key = cluster.Prefix + "berth/blobs/aa/nobodys",
            ContentBody = "nobody's",
            UseChunkEncoding = false,
            DisableDefaultChecksumValidation = true,
        }, ct);

        var found = await FindAsync();
        Assert.Contains($"{lost} was acknowledged and is lost", found);
        Assert.Contains(found, f => f.StartsWith("kept/a:lost answers 404", StringComparison.Ordinal));
        Assert.Contains($"{back} was deleted and is there again", found);
        var wrong = await check.RunAsync(http, ct);
        Assert.Contains(wrong, w => w.StartsWith($"orphan in the bucket: {cluster.Prefix}berth/blobs/aa/nobodys", StringComparison.Ordinal));
        Assert.Contains(wrong, w => w.StartsWith($"blob {hollow.Blobs[1].Digest} has no object", StringComparison.Ordinal));
        Assert.Contains(wrong, w => w.Contains("stored bytes", StringComparison.Ordinal));
        Assert.Contains(wrong, w => w.Contains("blobs that no manifest names", StringComparison.Ordinal));

        async Task<IReadOnlyCollection<string>> FindAsync()
        {
            var journal = new ClusterJournal(TimeProvider.System);
            await ClusterCheck.RunAsync(model, [http], journal, ct);
            return journal.Findings;
        }

        async Task<ClusterManifest> PushAsync(string name)
        {
            if (model.Manifests.Count == 0)
                Assert.Equal(201, (await http.SendAsync(HttpMethod.Post, "/api/v2.0/projects", ct, """{"project_name":"kept"}"""u8.ToArray(), "application/json")).Status);
            var image = ClusterContent.Image("kept/a", name, [Bytes.Of(name, 3000)]);
            var tag = new ClusterTag("kept/a", name);
            foreach (var blob in image.Blobs)
                Assert.Equal(201, (await http.SendAsync(HttpMethod.Post, $"/v2/kept/a/blobs/uploads/?digest={blob.Digest}", ct, blob.Content)).Status);
            Assert.Equal(201, (await http.SendAsync(HttpMethod.Put, tag.Path, ct, image.Content, image.MediaType)).Status);
            model.Manifests.Add(image);
            model.Tags.Add(tag);
            ClusterModel.Pushed(image, tag, isPending: false);
            return image;
        }
    }
}
