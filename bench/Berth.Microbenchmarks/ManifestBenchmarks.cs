using System.Text;
using BenchmarkDotNet.Attributes;
using Berth.Oci;

namespace Berth.Microbenchmarks;

/// <summary>Reading and hashing of manifests as a push does it.</summary>
[MemoryDiagnoser]
public class ManifestBenchmarks
{
    private const string ImageType = "application/vnd.oci.image.manifest.v1+json";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
    private byte[] _manifest = [];

    [Params(1, 8, 100)]
    public int Layers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var layers = string.Join(',', Enumerable.Range(0, Layers).Select(i => Descriptor(LayerType, $"layer {i}")));
        _manifest = Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{ImageType}}","config":{{Descriptor(ConfigType, "config")}},"layers":[{{layers}}]}""");
        if (!ManifestReader.TryRead(_manifest, ImageType, out var read, out var error) || read.Layers.Count != Layers)
            throw new InvalidOperationException($"the manifest of the benchmark is not one: {error}");
    }

    [Benchmark]
    public ManifestDocument Read() => ManifestReader.TryRead(_manifest, ImageType, out var document, out _) ? document : throw new InvalidOperationException();

    [Benchmark]
    public Digest Hash() => Digest.Of(_manifest);

    private static string Descriptor(string mediaType, string content) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{Digest.Of(Encoding.UTF8.GetBytes(content))}}","size":{{content.Length}}}""";
}
