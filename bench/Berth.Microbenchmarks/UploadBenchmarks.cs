using System.Buffers;
using BenchmarkDotNet.Attributes;
using Berth.Blobs;
using Berth.Blobs.FileSystem;
using Berth.Blobs.Hashing;
using Berth.Oci;

namespace Berth.Microbenchmarks;

/// <summary>The inner loops of an upload: hashing, saving the state of the hash, writing and committing a file. One operation is 1 MiB.</summary>
[MemoryDiagnoser]
public class UploadBenchmarks
{
    private const int SizeBytes = 1 << 20;
    private readonly byte[] _content = new byte[SizeBytes];
    private readonly ResumableHash _running = ResumableHash.Start(DigestAlgorithm.Sha256);
    private string _folder = "";
    private IBlobStore? _store;
    private long _number;

    [GlobalSetup]
    public void Setup()
    {
        new Random(1).NextBytes(_content);
        _folder = Directory.CreateTempSubdirectory("berth-microbenchmarks-").FullName;
        _store = new FileSystemBlobStore(_folder, minFreeBytes: 0, TimeProvider.System);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _running.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Benchmark]
    public Digest Hash()
    {
        using var hash = ResumableHash.Start(DigestAlgorithm.Sha256);
        hash.Append(_content);
        return hash.Current();
    }

    [Benchmark]
    public byte[]? SaveHashState() => _running.Save();

    /// <summary>Durable: the figure is mostly the disk's.</summary>
    [Benchmark]
    public async Task WriteAndCommit()
    {
        var key = $"bench-{_number++}";
        var digest = Digest.Of(BitConverter.GetBytes(_number));
        await using (var upload = await _store!.OpenUploadAsync(new UploadMark(key, 0, null), CancellationToken.None))
        {
            await upload.AppendAsync(new ReadOnlySequence<byte>(_content), CancellationToken.None);
            await upload.CommitAsync(digest, CancellationToken.None);
        }
        await _store.DeleteAsync(_store.PlaceOf(key, digest), CancellationToken.None);
    }
}
