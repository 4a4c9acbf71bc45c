using Amazon.S3;
using Amazon.S3.Model;
using Berth.Oci;
using Npgsql;

namespace Berth.Torture.Cluster;

/// <summary>Compares database and bucket, both ways, and the database with itself.</summary>
public sealed class StoreCheck(TestCluster cluster, NpgsqlDataSource database)
{
    private const string Contents = "berth/blobs/";
    private const string Probes = "berth/probe/";

    /// <summary>What garbage collection has yet to do.</summary>
    public async Task<string> PendingAsync(CancellationToken ct)
    {
        var pending = new List<string>();
        foreach (var (name, sql) in new[]
        {
            ("uploads", "SELECT count(*) FROM uploads"),
            ("blob reviews", "SELECT count(*) FROM blob_reviews"),
            ("manifest reviews", "SELECT count(*) FROM manifest_reviews"),
            ("removals", "SELECT count(*) FROM blob_removals"),
        })
        {
            if (await CountAsync(sql, ct) is > 0 and var n) pending.Add($"{n} {name}");
        }
        return string.Join(", ", pending);
    }

    /// <summary>Makes the leases of killed replicas, and the pauses after a store's failures, end now instead of in minutes.</summary>
    public async Task LetLeasesEndAsync(CancellationToken ct)
    {
        await using var command = database.CreateCommand("""
            UPDATE blob_removals SET due_at = created_at WHERE due_at > created_at;
            UPDATE blob_reviews SET claimed_until = 0 WHERE claimed_until > 0;
            UPDATE manifest_reviews SET claimed_until = 0 WHERE claimed_until > 0
            """);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Objects of the bucket that no row knows of; a multipart upload counts as one.</summary>
    public async Task<IReadOnlyCollection<string>> OrphansAsync(CancellationToken ct)
    {
        var known = (await BlobsAsync(ct)).Select(b => b.Key).ToHashSet();
        var objects = await ObjectsAsync(ct);
        var parted = await cluster.Store.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = TestCluster.Bucket, Prefix = cluster.Prefix }, ct);
        return [.. objects.Where(o => !known.Contains(o.Key)).Select(o => $"{o.Key}, {o.Value} bytes"), .. (parted.MultipartUploads ?? []).Select(u => $"{u.Key}, unfinished")];
    }

    /// <summary>Everything that is wrong: rows without objects, other bytes, dangling references, blobs that nothing needs, wrong sums.</summary>
    public async Task<IReadOnlyCollection<string>> RunAsync(ClusterHttp http, CancellationToken ct)
    {
        var wrong = new List<string>();
        wrong.AddRange((await OrphansAsync(ct)).Select(o => $"orphan in the bucket: {o}"));
        var objects = await ObjectsAsync(ct);
        var blobs = await BlobsAsync(ct);
        foreach (var blob in blobs)
        {
            if (!objects.TryGetValue(blob.Key, out var size)) wrong.Add($"blob {blob.Digest} has no object {blob.Key}");
            else if (size != blob.Size) wrong.Add($"blob {blob.Digest} has {blob.Size} bytes, its object {size}");
            else if (await DigestAsync(blob, ct) != blob.Digest) wrong.Add($"blob {blob.Digest} has other bytes in {blob.Key}");
        }
        foreach (var (what, sql) in s_dangling)
        {
            if (await CountAsync(sql, ct) is > 0 and var n) wrong.Add($"{n} {what}");
        }
        using var usage = System.Text.Json.JsonDocument.Parse((await http.GetAsync("/api/berth/v1/usage", ct)).Body);
        var (told, stored) = (usage.RootElement.GetProperty("stored_bytes").GetInt64(), objects.Values.Sum());
        if (told != stored) wrong.Add($"usage tells of {told} stored bytes, the bucket has {stored}");
        return wrong;
    }

    public async Task<long> CountAsync(string sql, CancellationToken ct)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Keys and sizes of the run's objects, without those that replicas test the store with: one that is killed in that moment leaves its four bytes.</summary>
    private async Task<Dictionary<string, long>> ObjectsAsync(CancellationToken ct)
    {
        var objects = await ListObjectsAsync(cluster.Store, TestCluster.Bucket, cluster.Prefix, ct);
        foreach (var probe in objects.Keys.Where(k => k.StartsWith(cluster.Prefix + Probes, StringComparison.Ordinal)).ToList()) objects.Remove(probe);
        return objects;
    }

    /// <summary>Keys and sizes below a prefix.</summary>
    public static async Task<Dictionary<string, long>> ListObjectsAsync(AmazonS3Client store, string bucket, string prefix, CancellationToken ct)
    {
        var objects = new Dictionary<string, long>(StringComparer.Ordinal);
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = prefix };
        ListObjectsV2Response page;
        do
        {
            page = await store.ListObjectsV2Async(request, ct);
            foreach (var entry in page.S3Objects ?? []) objects[entry.Key] = entry.Size ?? 0;
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
        return objects;
    }

    private static readonly (string What, string Sql)[] s_dangling =
    [
        ("references of manifests to blobs that are not there", "SELECT count(*) FROM manifest_blobs m LEFT JOIN blobs b ON b.id = m.blob_id WHERE b.id IS NULL"),
        ("references of manifests that are not there", "SELECT count(*) FROM manifest_blobs m LEFT JOIN manifests x ON x.id = m.manifest_id WHERE x.id IS NULL"),
        ("links to blobs that are not there", "SELECT count(*) FROM repository_blobs l LEFT JOIN blobs b ON b.id = l.blob_id WHERE b.id IS NULL"),
        ("tags of manifests that are not there", "SELECT count(*) FROM tags t LEFT JOIN manifests m ON m.id = t.manifest_id WHERE m.id IS NULL"),
        ("children of indexes that are not there", """
            SELECT count(*) FROM manifest_children l JOIN manifests i ON i.id = l.manifest_id
            LEFT JOIN manifests c ON c.repository_id = i.repository_id AND c.digest = l.child_digest WHERE c.id IS NULL
            """),
        ("blobs that no manifest names after garbage collection", "SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM manifest_blobs m WHERE m.blob_id = b.id)"),
        ("blobs of manifests that their repository does not hold", """
            SELECT count(*) FROM manifest_blobs m JOIN manifests x ON x.id = m.manifest_id
            WHERE NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.repository_id = x.repository_id AND l.blob_id = m.blob_id)
            """),
        ("manifests without a tag that their project does not keep", $"""
            SELECT count(*) FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE r.name LIKE '{ClusterModel.SweptProject}/%'
            AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
            AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = m.repository_id AND l.child_digest = m.digest)
            AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repository_id = m.repository_id AND s.digest = m.subject)
            """),
    ];

    private async Task<List<(string Digest, long Size, string Key)>> BlobsAsync(CancellationToken ct)
    {
        var blobs = new List<(string, long, string)>();
        await using var command = database.CreateCommand("SELECT digest, size, key FROM blobs");
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            var key = rows.GetString(2);
            blobs.Add((rows.GetString(0), rows.GetInt64(1), $"{cluster.Prefix}{Contents}{key[..2]}/{key}"));
        }
        return blobs;
    }

    private async Task<string> DigestAsync((string Digest, long Size, string Key) blob, CancellationToken ct)
    {
        using var content = await cluster.Store.GetObjectAsync(TestCluster.Bucket, blob.Key, ct);
        using var copy = new MemoryStream();
        await content.ResponseStream.CopyToAsync(copy, ct);
        return Digest.Of(copy.ToArray()).Value;
    }
}
