using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Scanning;

/// <summary>Images whose layers are archives with the files of a test.</summary>
internal static class LayeredImage
{
    /// <summary>An image; each layer is a list of files with their texts.</summary>
    public static TestImage New(IReadOnlyList<IReadOnlyList<(string Path, string Text)>> layers, string architecture = "amd64", JsonObject? config = null, JsonObject? annotations = null)
    {
        var archives = layers.Select(Archive).ToList();
        var document = new JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. archives.Select(layer => (JsonNode)Digest.Of(layer).Value)]) },
        };
        if (config is not null) document["config"] = config;
        var bytes = Encoding.UTF8.GetBytes(document.ToJsonString());
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = TestImage.Describe(MediaTypes.OciConfig, bytes),
            ["layers"] = new JsonArray([.. archives.Select(layer => TestImage.Describe("application/vnd.oci.image.layer.v1.tar", layer))]),
        };
        if (annotations is not null) manifest["annotations"] = annotations;
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), [bytes, .. archives]);
    }

    /// <summary>A file that names an installed npm package.</summary>
    public static (string Path, string Text) Npm(string name, string version) => ($"app/node_modules/{name}/package.json", $$"""{"name":"{{name}}","version":"{{version}}"}""");

    /// <summary>An artifact with one document, about another manifest or about none.</summary>
    public static TestImage Document(string artifactType, string mediaType, string text, TestImage? subject)
    {
        var (config, content) = ("{}"u8.ToArray(), Encoding.UTF8.GetBytes(text));
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = artifactType,
            ["config"] = TestImage.Describe(MediaTypes.OciEmpty, config),
            ["layers"] = new JsonArray(TestImage.Describe(mediaType, content)),
        };
        if (subject is not null) manifest["subject"] = subject.Descriptor;
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), [config, content]);
    }

    /// <summary>An SPDX document with one npm package.</summary>
    public static string Spdx(string package, string version) => $$"""
        {"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"web","creationInfo":{"created":"2026-01-02T03:04:05Z","creators":["Tool: maker-1.0","Organization: Someone"]},
         "packages":[{"SPDXID":"SPDXRef-1","name":"{{package}}","versionInfo":"{{version}}",
          "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/{{package}}@{{version}}"}]}]}
        """;

    private static byte[] Archive(IReadOnlyList<(string Path, string Text)> files)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            // The same files are the same layer, whatever the time.
            foreach (var (path, text) in files)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path) { ModificationTime = DateTimeOffset.UnixEpoch, DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
        return buffer.ToArray();
    }
}
