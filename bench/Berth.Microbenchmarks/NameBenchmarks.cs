using BenchmarkDotNet.Attributes;
using Berth.Oci;

namespace Berth.Microbenchmarks;

/// <summary>What every request path is read with: digests, repository names, tags.</summary>
[MemoryDiagnoser]
public class NameBenchmarks
{
    private readonly string _digest = Digest.Of("a layer"u8).Value;
    private readonly string _path = $"/v2/library/debian/blobs/{Digest.Of("a layer"u8).Value}";
    private readonly string _tag = "v1.27.3-bookworm-slim";
    private readonly byte[] _hash = new byte[32];

    [Benchmark]
    public bool DigestFromString() => Digest.TryParse(_digest, out _);

    [Benchmark]
    public bool DigestFromPath() => Digest.TryParse(_path.AsSpan("/v2/library/debian/blobs/".Length), out _);

    [Benchmark]
    public Digest DigestFromHash() => Digest.FromHash(DigestAlgorithm.Sha256, _hash);

    [Benchmark]
    public bool ReadRepositoryName() => RepositoryName.TryParse(_path.AsSpan("/v2/".Length, "library/debian".Length), out _);

    [Benchmark]
    public bool CheckRepositoryName() => RepositoryName.IsValid(_path.AsSpan("/v2/".Length, "library/debian".Length));

    [Benchmark]
    public bool ReadTagName() => TagName.TryParse(_tag, out _);
}
