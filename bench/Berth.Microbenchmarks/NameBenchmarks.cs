using BenchmarkDotNet.Attributes;
using Berth.Oci;

namespace Berth.Microbenchmarks;

/// <summary>What every request path is read with: digests, repository names, tags.</summary>
[MemoryDiagnoser]
public class NameBenchmarks
{
    private readonly string _digest = Digest.Of("a layer"u8).Value;
    private readonly string _path = $"/v2/library/debian/blobs/{Digest.Of("a layer"u8).Value}";
    private readonly byte[] _hash = new byte[32];

    [Benchmark]
    public bool Digest_from_a_string() => Digest.TryParse(_digest, out _);

    [Benchmark]
    public bool Digest_from_a_part_of_a_path() => Digest.TryParse(_path.AsSpan("/v2/library/debian/blobs/".Length), out _);

    [Benchmark]
    public Digest Digest_from_a_hash() => Digest.FromHash(DigestAlgorithm.Sha256, _hash);

    [Benchmark]
    public bool Repository_name() => RepositoryName.TryParse(_path.AsSpan("/v2/".Length, "library/debian".Length), out _);

    [Benchmark]
    public bool Repository_name_checked_only() => RepositoryName.IsValid(_path.AsSpan("/v2/".Length, "library/debian".Length));

    [Benchmark]
    public bool Tag_name() => TagName.TryParse("v1.27.3-bookworm-slim", out _);
}
