using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Oci.Tests;

/// <summary>Reading manifests; what is refused is tabled with the protocol's tests of the server.</summary>
public sealed class ManifestReaderTests
{
    [Fact]
    public void An_image_is_read_with_everything_a_registry_needs()
    {
        var subject = Descriptor(3, "application/x.subject");
        var layer = Descriptor(2, "application/x.layer");
        layer["urls"] = new JsonArray("https://example.com/a", "https://example.com/b");
        var document = Read(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = "application/x.artifact",
            ["config"] = Descriptor(1, MediaTypes.OciConfig),
            ["layers"] = new JsonArray(layer),
            ["subject"] = subject,
            ["annotations"] = new JsonObject { ["a"] = "é\n\"" },
            ["unknown"] = new JsonObject { ["layers"] = new JsonArray(1, 2), ["deep"] = new JsonArray(new JsonArray(new JsonObject())) },
        }, MediaTypes.OciManifest);
        Assert.Equal((MediaTypes.OciManifest, "application/x.artifact", "application/x.artifact", false), (document.MediaType, document.ArtifactType, document.ReferrerType, document.IsIndex));
        Assert.Equal((DigestOf(1), 1L, MediaTypes.OciConfig), (document.Config!.Digest, document.Config.Size, document.Config.MediaType));
        Assert.Equal(["https://example.com/a", "https://example.com/b"], Assert.Single(document.Layers).Urls);
        Assert.Equal(DigestOf(3), document.Subject!.Digest);
        Assert.Equal("é\n\"", JsonNode.Parse(document.AnnotationsJson!)!["a"]!.GetValue<string>());
        Assert.Empty(document.Manifests);
    }

    [Fact]
    public void An_index_is_read_with_its_platforms()
    {
        var entry = Descriptor(1, MediaTypes.OciManifest);
        entry["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "arm64", ["os.features"] = new JsonArray("x") };
        var document = Read(new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(entry, Descriptor(2, "")) }, MediaTypes.OciIndex);
        Assert.True(document.IsIndex);
        Assert.Equal(MediaTypes.OciIndex, document.MediaType);
        Assert.Equal([("linux", "arm64"), (null, null)], document.Manifests.Select(m => (m.Os, m.Architecture)));
        Assert.Null(document.ReferrerType);
    }

    [Fact]
    public void An_artifact_manifest_lists_its_blobs_and_the_config_names_the_type_of_an_image()
    {
        var artifact = Read(new JsonObject { ["mediaType"] = MediaTypes.OciArtifact, ["artifactType"] = "application/x.a", ["blobs"] = new JsonArray(Descriptor(1, "b")) }, "");
        Assert.Equal(DigestOf(1), Assert.Single(artifact.Layers).Digest);
        var image = Read(new JsonObject { ["schemaVersion"] = 2, ["config"] = Descriptor(1, "application/x.config"), ["layers"] = new JsonArray() }, MediaTypes.OciManifest);
        Assert.Equal("application/x.config", image.ReferrerType);
    }

    [Fact]
    public void Null_fields_are_as_good_as_none()
    {
        var document = Read(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = null,
            ["artifactType"] = null,
            ["subject"] = null,
            ["annotations"] = null,
            ["manifests"] = null,
            ["config"] = Descriptor(1, "c"),
            ["layers"] = new JsonArray(),
        }, MediaTypes.OciManifest);
        Assert.Null(document.Subject);
        Assert.Null(document.AnnotationsJson);
        Assert.Equal(MediaTypes.OciManifest, document.MediaType);
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var texts = ArbMap.Default.GeneratorFor<NonNull<string>>().Select(t => Clean(t.Get));
        var descriptors = Gen.Choose(0, 50).SelectMany(_ => texts, (seed, type) => (Seed: seed, Type: type)).ListOf();
        Prop.ForAll(descriptors.ToArbitrary(), layers =>
        {
            var document = Read(new JsonObject
            {
                ["schemaVersion"] = 2,
                ["config"] = Descriptor(1, "c"),
                ["layers"] = new JsonArray([.. layers.Select(l => (JsonNode)Descriptor(l.Seed, l.Type))]),
                ["annotations"] = new JsonObject(layers.Select((l, i) => KeyValuePair.Create($"{i} {l.Type}", (JsonNode?)JsonValue.Create(l.Type)))),
            }, MediaTypes.OciManifest);
            Assert.Equal(layers.Select(l => (DigestOf(l.Seed), (long)l.Seed, l.Type)), document.Layers.Select(l => (l.Digest, l.Size, l.MediaType)));
            var annotations = JsonNode.Parse(document.AnnotationsJson!)!.AsObject();
            Assert.Equal(layers.Select((l, i) => $"{i} {l.Type}"), annotations.Select(a => a.Key));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Broken_bytes_end_in_a_message()
    {
        var whole = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(1, "c"),
            ["layers"] = new JsonArray(Descriptor(2, "l")),
            ["subject"] = Descriptor(3, "s"),
            ["annotations"] = new JsonObject { ["a"] = "b" },
        }.ToJsonString());
        for (var length = 0; length < whole.Length; length++) Refused(whole[..length]);
        var changes = Gen.Choose(0, whole.Length - 1).SelectMany(_ => Gen.Choose(0, 255), (at, value) => (At: at, Value: (byte)value)).ListOf(3);
        Prop.ForAll(changes.ToArbitrary(), list =>
        {
            var bytes = (byte[])whole.Clone();
            foreach (var (at, value) in list) bytes[at] = value;
            if (ManifestReader.TryRead(bytes, MediaTypes.OciManifest, out var document, out var error)) Assert.NotNull(document.Config);
            else Assert.NotEqual("", error);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Theory]
    [InlineData(65)]
    [InlineData(1_000_000)]
    public void Depth_has_a_limit(int depth) => Refused(Encoding.UTF8.GetBytes("{\"x\":" + new string('[', depth) + new string(']', depth) + "}"));

    [Theory]
    [InlineData("\"artifactType\":\"a\\u0000\"")]
    [InlineData("\"artifactType\":\"a\\ud800\"")]
    [InlineData("\"\\ud800\":1,\"artifactType\":5")]
    [InlineData("\"layers\":[],\"layers\":[]")]
    // The same name, written in another way.
    [InlineData("\"layers\":[],\"layer\\u0073\":[]")]
    public void Text_that_two_readers_take_differently_is_refused(string fields) =>
        Refused(Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"config":{{Descriptor(1, "c").ToJsonString()}},"layers2":[],{{fields}}}"""));

    private static void Refused(byte[] content)
    {
        Assert.False(ManifestReader.TryRead(content, MediaTypes.OciManifest, out _, out var error));
        Assert.NotEqual("", error);
    }

    private static ManifestDocument Read(JsonObject document, string contentType)
    {
        Assert.True(ManifestReader.TryRead(JsonSerializer.SerializeToUtf8Bytes(document), contentType, out var read, out var error), error);
        return read;
    }

    // Lone surrogates cannot be written as UTF-8, and a NUL is refused.
    private static string Clean(string text) => new([.. text.Where(c => c != '\0' && !char.IsSurrogate(c))]);

    private static Digest DigestOf(int seed) => Digest.Of(BitConverter.GetBytes(seed));

    private static JsonObject Descriptor(int seed, string mediaType) => new() { ["mediaType"] = mediaType, ["digest"] = DigestOf(seed).Value, ["size"] = seed };
}
