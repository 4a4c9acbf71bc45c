using System.Diagnostics;
using System.Globalization;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Transfer;

namespace Berth.Microbenchmarks;

/// <summary>
/// S3 by AWS's own SDK and its transfer utility, driven by lines on standard input: what <c>bench/run --stores</c> compares Berth with. Environment:
/// <c>BERTH_TEST_S3</c> (ENDPOINT;ACCESS;SECRET) and <c>S3_BUCKET</c>, which is made.
/// </summary>
internal static class DirectS3
{
    public static async Task<int> RunAsync()
    {
        var settings = (Environment.GetEnvironmentVariable("BERTH_TEST_S3") ?? "").Split(';');
        var bucket = Environment.GetEnvironmentVariable("S3_BUCKET") ?? "berth-bench";
        using var client = new AmazonS3Client(new BasicAWSCredentials(settings[1], settings[2]), new AmazonS3Config
        {
            ServiceURL = settings[0],
            ForcePathStyle = true,
            // The same as Berth does at a service that is not AWS.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
        await client.PutBucketAsync(bucket);
        Console.WriteLine("ready");
        using var transfers = new TransferUtility(client, new TransferUtilityConfig { ConcurrentServiceRequests = 4 });
        var sink = GC.AllocateUninitializedArray<byte>(1 << 20);
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            var start = Stopwatch.GetTimestamp();
            var bytes = 0L;
            if (words[0] == "put")
            {
                await using var file = File.OpenRead(words[2]);
                bytes = file.Length;
                await transfers.UploadAsync(new TransferUtilityUploadRequest { BucketName = bucket, Key = words[1], FilePath = words[2], PartSize = 16 << 20, DisablePayloadSigning = false });
            }
            else
            {
                using var answer = await client.GetObjectAsync(bucket, words[1]);
                for (int n; (n = await answer.ResponseStream.ReadAsync(sink)) > 0;) bytes += n;
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(start).TotalSeconds} {bytes}"));
        }
        return 0;
    }
}
