using System.Text;

namespace Berth.Bench.Content;

/// <summary>An image that no registry has seen before: one layer, its configuration, its manifest.</summary>
internal sealed record SmallImage(Blob Layer, Blob Config, Blob Manifest)
{
    internal const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

    /// <summary>The empty content of the OCI image specification, for manifests that have no layers of their own.</summary>
    internal static Blob Empty { get; } = Blob.Of("{}"u8.ToArray());

    internal static SmallImage Create()
    {
        var layer = Blob.Random(Limits.SmallBlobBytes);
        var config = ConfigFor(layer);
        return new SmallImage(layer, config, ManifestOf(config, layer));
    }

    internal static Blob ConfigFor(params ReadOnlySpan<Blob> layers)
    {
        var diffIds = string.Join(',', layers.ToArray().Select(l => $"\"{l.Digest}\""));
        return Blob.Of(Encoding.UTF8.GetBytes(
            $$"""{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin"],"Cmd":["/app"]},"rootfs":{"type":"layers","diff_ids":[{{diffIds}}]},"history":[{"created_by":"bench"}]}"""));
    }

    /// <summary>An OCI image manifest over the given blobs.</summary>
    internal static Blob ManifestOf(Blob config, params ReadOnlySpan<Blob> layers)
    {
        var list = string.Join(',', layers.ToArray().Select(l => Descriptor(LayerType, l)));
        return Blob.Of(Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{{Descriptor(ConfigType, config)}},"layers":[{{list}}]}"""));
    }

    /// <summary>An OCI manifest without layers; the note makes its digest one of its own.</summary>
    internal static Blob EmptyManifest(string note)
    {
        var annotations = $$"""{"note":"{{note}}"}""";
        var empty = Descriptor("application/vnd.oci.empty.v1+json", Empty);
        return Blob.Of(Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","artifactType":"application/vnd.berth.bench","config":{{empty}},"layers":[{{empty}}],"annotations":{{annotations}}}"""));
    }

    private static string Descriptor(string mediaType, Blob content) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{content.Digest}}","size":{{content.Bytes.Length}}}""";
}
