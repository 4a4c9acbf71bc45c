using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Berth.Blobs.S3;

namespace Berth.Server.Tests.Registry;

/// <summary>
/// A folder of its own in a bucket of the server that a variable names (<c>URL;ACCESSKEY;SECRETKEY</c>, the variables of the drivers' tests), looked at
/// with a client that is not ours.
/// </summary>
internal sealed class TestBucket : IAsyncDisposable
{
    private const string Bucket = "berth-server-tests";

    private static int s_made;

    private readonly AmazonS3Client _raw;
    private readonly string _prefix = $"run-{Environment.ProcessId}-{Interlocked.Increment(ref s_made)}/";

    private TestBucket(string url, string accessKey, string secretKey)
    {
        Options = new S3Options { Bucket = Bucket, Endpoint = url, AccessKey = accessKey, SecretKey = secretKey, PartBytes = 5 << 20, RootDirectory = "/" + _prefix };
        _raw = new AmazonS3Client(new BasicAWSCredentials(accessKey, secretKey), new AmazonS3Config { ServiceURL = url, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
    }

    /// <summary>How Berth gets there.</summary>
    public S3Options Options { get; }

    /// <summary>An empty folder; the test is skipped where there is no server.</summary>
    public static async Task<TestBucket> OpenAsync(string variable)
    {
        var words = Environment.GetEnvironmentVariable(variable)?.Split(';');
        Assert.SkipWhen(words is not { Length: 3 }, $"{variable} is not set");
        var bucket = new TestBucket(words![0], words[1], words[2]);
        try
        {
            await bucket._raw.PutBucketAsync(Bucket);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode is "BucketAlreadyExists" or "BucketAlreadyOwnedByYou")
        {
            // By another test.
        }
        await bucket.ClearAsync();
        return bucket;
    }

    /// <summary>Keys of all objects and unfinished multipart uploads.</summary>
    public async Task<IReadOnlyList<string>> ListAsync()
    {
        var objects = await ObjectsAsync();
        var uploads = await _raw.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = Bucket, Prefix = _prefix });
        return [.. objects.Select(o => o.Key), .. (uploads.MultipartUploads ?? []).Select(u => "unfinished " + u.Key)];
    }

    /// <summary>Waits until there is exactly as much as said, unfinished uploads included.</summary>
    public async Task HoldsAsync(int count, Func<Task>? meanwhile = null)
    {
        IReadOnlyList<string> last = [];
        var held = await Record.ExceptionAsync(() => Eventually.TrueAsync(async () =>
        {
            if (meanwhile is not null) await meanwhile();
            return (last = await ListAsync()).Count == count;
        }, $"{count} objects in the bucket"));
        Assert.True(held is null, $"{held?.Message}; there are: {string.Join(", ", last)}");
    }

    /// <summary>The bytes of all objects.</summary>
    public async Task<IReadOnlyList<byte[]>> ReadAllAsync()
    {
        var all = new List<byte[]>();
        foreach (var item in await ObjectsAsync())
        {
            using var answer = await _raw.GetObjectAsync(Bucket, item.Key);
            var bytes = new MemoryStream();
            await answer.ResponseStream.CopyToAsync(bytes);
            all.Add(bytes.ToArray());
        }
        return all;
    }

    /// <summary>Key, size, time and hash of every object, to see that nothing was changed.</summary>
    public async Task<IReadOnlyList<string>> StateAsync() =>
        [.. (await ObjectsAsync()).Select(o => $"{o.Key} {o.Size} {o.LastModified:O} {o.ETag}").Order(StringComparer.Ordinal)];

    /// <summary>Writes an object, by its key behind <see cref="S3Options.RootDirectory"/>.</summary>
    public Task WriteAsync(string key, string text) => _raw.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = _prefix + key, ContentBody = text });

    /// <summary>Removes an object.</summary>
    public Task RemoveAsync(string key) => _raw.DeleteObjectAsync(Bucket, _prefix + key);

    public async ValueTask DisposeAsync()
    {
        await ClearAsync();
        _raw.Dispose();
    }

    private async Task<IReadOnlyList<S3Object>> ObjectsAsync() =>
        (await _raw.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket, Prefix = _prefix })).S3Objects ?? [];

    private async Task ClearAsync()
    {
        await Parallel.ForEachAsync(await ObjectsAsync(), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (item, ct) => await _raw.DeleteObjectAsync(Bucket, item.Key, ct));
    }
}
