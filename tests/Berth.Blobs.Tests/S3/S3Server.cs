using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Berth.Blobs.S3;

namespace Berth.Blobs.Tests.S3;

/// <summary>
/// A server of S3's protocol that the environment names: <c>PREFIX=URL;ACCESSKEY;SECRETKEY</c>, <c>BERTH_TEST_S3</c> for one that does what AWS does (Ceph),
/// <c>BERTH_TEST_S3_STRICT</c> for one that lacks much of it (OpenStack Swift).
/// </summary>
internal sealed class S3Server
{
    private S3Server(string url, string accessKey, string secretKey)
    {
        Url = new Uri(url);
        Options = new S3Options { Bucket = "berth-tests", Endpoint = url, AccessKey = accessKey, SecretKey = secretKey, PartBytes = 5 << 20 };
        Raw = new AmazonS3Client(new BasicAWSCredentials(accessKey, secretKey), new AmazonS3Config { ServiceURL = url, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
    }

    public Uri Url { get; }

    /// <summary>How to get there.</summary>
    public S3Options Options { get; }

    /// <summary>A client that is not ours.</summary>
    public AmazonS3Client Raw { get; }

    /// <summary>The server of a variable, with the bucket made; the test is skipped when there is none.</summary>
    public static async Task<S3Server> OpenAsync(string variable)
    {
        var words = Environment.GetEnvironmentVariable(variable)?.Split(';');
        Assert.SkipWhen(words is not { Length: 3 }, $"{variable} is not set");
        var server = new S3Server(words![0], words[1], words[2]);
        try
        {
            await server.Raw.PutBucketAsync(server.Options.Bucket);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode is "BucketAlreadyExists" or "BucketAlreadyOwnedByYou")
        {
            // By another test.
        }
        return server;
    }

    /// <summary>Keys of all objects and unfinished multipart uploads below a prefix.</summary>
    public async Task<IReadOnlyCollection<string>> ListAsync(string prefix)
    {
        var objects = await Raw.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Options.Bucket, Prefix = prefix });
        var uploads = await Raw.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = Options.Bucket, Prefix = prefix });
        return [.. (objects.S3Objects ?? []).Select(o => o.Key), .. (uploads.MultipartUploads ?? []).Select(u => u.Key)];
    }

    public Task PutAsync(string key, byte[] content) => Raw.PutObjectAsync(new PutObjectRequest
    {
        BucketName = Options.Bucket,
        Key = key,
        InputStream = new MemoryStream(content),
        UseChunkEncoding = false,
        DisableDefaultChecksumValidation = true,
    });
}
