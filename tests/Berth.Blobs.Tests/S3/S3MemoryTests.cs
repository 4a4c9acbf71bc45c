using System.Buffers;
using System.Security.Cryptography;
using Berth.Blobs.Objects;
using Berth.Blobs.S3;
using Berth.Oci;

namespace Berth.Blobs.Tests.S3;

/// <summary>Large uploads stream: what they hold in memory does not grow with them.</summary>
public sealed class S3MemoryTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_large_upload_and_its_download_hold_a_few_parts()
    {
        var megabytes = int.Parse(Environment.GetEnvironmentVariable("BERTH_TEST_UPLOAD_MEGABYTES") ?? "200");
        const int Part = 5 << 20;
        var server = await S3Server.OpenAsync("BERTH_TEST_S3");
        var memory = new PartMemory(4 * Part);
        var root = "m/" + RandomNumberGenerator.GetHexString(12, lowercase: true);
        var store = S3BlobStore.Open(server.Options with { RootDirectory = root, PartConcurrency = 2 }, null, memory, TimeProvider.System);
        using var disposed = (IDisposable)store;
        var megabyte = new byte[1 << 20];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var most = 0L;
        var digest = Digest.Of([]);
        await using (var appender = await store.OpenUploadAsync(new UploadMark("large", 0, null), None))
        {
            for (var i = 0; i < megabytes; i++)
            {
                RandomNumberGenerator.Fill(megabyte.AsSpan(0, 64));
                hash.AppendData(megabyte);
                await appender.AppendAsync(new ReadOnlySequence<byte>(megabyte), None);
                most = Math.Max(most, memory.UsedBytes);
            }
            digest = Digest.Parse("sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset()));
            await appender.CommitAsync(digest, None);
        }
        // One part fills, two are sent.
        Assert.InRange(most, Part, 4 * Part);
        Assert.Equal(0, memory.UsedBytes);

        var place = store.PlaceOf("large", digest);
        using (var reader = await store.OpenReadAsync(place, 0, None))
        {
            for (long offset = 0; offset < reader!.Length;)
            {
                var n = await reader.ReadAsync(megabyte, offset, None);
                Assert.NotEqual(0, n);
                hash.AppendData(megabyte, 0, n);
                offset += n;
            }
        }
        Assert.Equal(digest, Digest.Parse("sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset())));
        await store.DeleteAsync(place, None);
    }
}
