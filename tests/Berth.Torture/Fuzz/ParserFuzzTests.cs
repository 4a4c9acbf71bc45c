using System.Text;
using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Torture.Fuzz;

/// <summary>Parsers of what comes from outside, called directly: a refusal is fine, an exception is not.</summary>
public sealed class ParserFuzzTests
{
    private const string Hex = "6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b";

    private static readonly byte[][] Manifests =
    [
        Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"a/b","config":{"mediaType":"c/d","digest":"sha256:{{{Hex}}}","size":3},"layers":[{"mediaType":"e/f","digest":"sha256:{{{Hex}}}","size":4,"urls":["https://x/y"]}],"subject":{"mediaType":"g/h","digest":"sha256:{{{Hex}}}","size":5},"annotations":{"k":"v"}}"""),
        Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"sha256:{{{Hex}}}","size":3,"platform":{"os":"linux","architecture":"amd64"}}]}"""),
    ];

    [Fact]
    public Task The_manifest_reader_never_throws() => FuzzServer.LoopAsync(random =>
    {
        for (var i = 0; i < 200; i++)
        {
            var content = Mutations.Bytes(random, Mutations.Pick<byte[]>(random, Manifests));
            var type = Mutations.Pick(random, MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest, MediaTypes.DockerManifestList, MediaTypes.OciArtifact, "", "a/b");
            if (!ManifestReader.TryRead(content, type, out var document, out var error)) Assert.NotEqual("", error);
            else Assert.All(document.Layers.Concat(document.Manifests), d => Assert.True(!d.Digest.IsDefault && d.Size >= 0));
        }
        return Task.CompletedTask;
    });

    [Fact]
    public Task Paths_names_and_ranges_never_throw() => FuzzServer.LoopAsync(random =>
    {
        for (var i = 0; i < 200; i++)
        {
            var path = Mutations.Text(random, Mutations.Pick(random, "/a/b/manifests/latest", $"/a/blobs/sha256:{Hex}", "/a/blobs/uploads/", "/a/blobs/uploads/0123456789abcdef0123456789abcdef", "/a/tags/list", $"/a/referrers/sha256:{Hex}", "/_catalog", "/"));
            if (!path.StartsWith('/')) path = "/" + path;
            var parsed = RegistryPath.Parse(path);
            _ = ManifestReference.TryParse(parsed.Reference, out _);
            // What passes for a name or digest is safe as a piece of a path.
            if (RepositoryName.IsValid(parsed.Name)) Assert.DoesNotContain("..", parsed.Name.ToString(), StringComparison.Ordinal);
            if (Digest.TryParse(parsed.Reference, out var digest)) Assert.Matches("^[0-9a-f]+$", digest.Hex.ToString());

            var size = random.Next(3) * 1000L;
            var outcome = ByteRanges.Parse(Mutations.Text(random, "bytes=0-10,20-,-5"), size, out var ranges);
            Assert.Equal(outcome == RangeOutcome.Partial, ranges.Count > 0);
            Assert.All(ranges, r => Assert.True(r.First >= 0 && r.Last >= r.First && r.Last < size));
            if (ByteRanges.TryParseContentRange(Mutations.Text(random, Mutations.Pick(random, "0-99", "bytes 0-99/100")), out var range)) Assert.True(range.First >= 0 && range.Length > 0);
            var type = MediaTypes.WithoutParameters(Mutations.Text(random, "application/vnd.oci.image.manifest.v1+json; charset=utf-8"));
            if (MediaTypes.IsValid(type)) Assert.InRange(type.Length, 3, 255);
        }
        return Task.CompletedTask;
    });
}
