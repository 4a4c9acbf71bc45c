using System.Security.Cryptography;
using System.Text;
using System.Web;
using Berth.Blobs.Objects;
using Berth.Blobs.S3;
using Berth.Oci;

namespace Berth.Blobs.Tests.S3;

/// <summary>What needs no server: settings, and URLs that CloudFront signs.</summary>
public sealed class S3SettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Settings_that_cannot_work_are_named()
    {
        var good = new S3Options { Bucket = "bucket" };
        Assert.Empty(good.Validate());
        var bad = good with { Bucket = "", AccessKey = "a", WebIdentityTokenFile = "f", KeyId = "k", PartBytes = 1, Accelerate = true, Endpoint = "minio:9000", Checksum = "md5" };
        Assert.Equal(["Bucket", "SecretKey", "RoleArn", "KeyId", "PartBytes", "Accelerate", "Checksum"], bad.Validate().Select(p => p.Setting));
    }

    /// <summary>The addresses that the SDK makes of the settings, seen in signed URLs.</summary>
    [Theory]
    [InlineData("", false, false, "https://bucket.s3.eu-central-1.amazonaws.com/")]
    [InlineData("", true, false, "https://bucket.s3.dualstack.eu-central-1.amazonaws.com/")]
    [InlineData("", false, true, "https://bucket.s3-accelerate.amazonaws.com/")]
    [InlineData("minio:9000", false, false, "https://minio:9000/bucket/")]
    [InlineData("http://minio:9000", false, false, "http://minio:9000/bucket/")]
    public async Task Addresses_follow_the_settings(string endpoint, bool dualStack, bool accelerate, string expected)
    {
        var options = new S3Options
        {
            Bucket = "bucket",
            Region = "eu-central-1",
            AccessKey = "a",
            SecretKey = "s",
            SessionToken = "t",
            Endpoint = endpoint,
            UseDualStack = dualStack,
            Accelerate = accelerate,
        };
        var store = S3BlobStore.Open(options, null, new PartMemory(), TimeProvider.System);
        using var disposed = (IDisposable)store;
        var url = await store.SignReadAsync(store.PlaceOf("upload", default), TimeSpan.FromMinutes(5), CancellationToken.None);
        Assert.StartsWith(expected + "berth/blobs/up/upload?", url!.ToString(), StringComparison.Ordinal);
        Assert.Contains("X-Amz-Security-Token=t", url.Query, StringComparison.Ordinal);
        Assert.Contains("eu-central-1%2Fs3%2Faws4_request", url.Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CloudFront_signs_the_URL_of_the_object_until_a_time()
    {
        using var key = RSA.Create(2048);
        var file = Path.Join(_folder, "key.pem");
        await File.WriteAllTextAsync(file, key.ExportRSAPrivateKeyPem());
        var cloudFront = new CloudFrontOptions { BaseUrl = "d1.cloudfront.net/x/", PrivateKey = file, KeyPairId = "APK1", Duration = TimeSpan.FromMinutes(20) };
        Assert.Empty(cloudFront.Validate());
        var store = S3BlobStore.Open(new S3Options { Bucket = "bucket", Region = "us-east-1", RootDirectory = "/root" }, cloudFront, new PartMemory(), TimeProvider.System);
        using var disposed = (IDisposable)store;
        var digest = Digest.Of([1]);
        var url = await store.SignReadAsync(new BlobPlace(digest, null), TimeSpan.FromMinutes(5), CancellationToken.None);

        var resource = $"https://d1.cloudfront.net/x/root/docker/registry/v2/blobs/sha256/{digest.Hex[..2]}/{digest.Hex}/data";
        Assert.Equal(resource, url!.GetLeftPart(UriPartial.Path));
        var query = HttpUtility.ParseQueryString(url.Query);
        Assert.Equal("APK1", query["Key-Pair-Id"]);
        var expires = DateTimeOffset.FromUnixTimeSeconds(long.Parse(query["Expires"]!));
        Assert.InRange(expires, TimeProvider.System.GetUtcNow().AddMinutes(15), TimeProvider.System.GetUtcNow().AddMinutes(20));
        var policy = "{\"Statement\":[{\"Resource\":\"" + resource + "\",\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":" + query["Expires"] + "}}}]}";
        var signature = Convert.FromBase64String(query["Signature"]!.Replace('-', '+').Replace('_', '=').Replace('~', '/'));
        Assert.True(key.VerifyData(Encoding.UTF8.GetBytes(policy), signature, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1));
    }

    [Fact]
    public async Task CloudFront_without_a_usable_key_is_refused()
    {
        var file = Path.Join(_folder, "key.pem");
        Assert.Equal(["PrivateKey", "KeyPairId", "IpFilteredBy"], new CloudFrontOptions { BaseUrl = "d1", PrivateKey = file, IpFilteredBy = "aws" }.Validate().Select(p => p.Setting));
        await File.WriteAllTextAsync(file, "no key");
        Assert.Throws<IOException>(() => S3BlobStore.Open(
            new S3Options { Bucket = "bucket", Region = "us-east-1" }, new CloudFrontOptions { BaseUrl = "d1", PrivateKey = file, KeyPairId = "k" }, new PartMemory(), TimeProvider.System));
    }
}
