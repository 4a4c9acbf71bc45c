using System.Security.Cryptography;
using System.Text;
using Berth.Oci;

namespace Berth.Torture.Harness;

/// <summary>A configuration, a layer of a few kilobytes and the manifest of both.</summary>
public sealed record SmallImage(byte[] Config, byte[] Layer, byte[] Manifest)
{
    /// <summary>An image that nobody else has.</summary>
    public static SmallImage Random(string note = "")
    {
        var layer = RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(100, 8000));
        return Of(layer, note);
    }

    /// <summary>The same image for the same number.</summary>
    public static SmallImage Number(int number) => Of(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"layer {number} ", 200))), "");

    public Digest ManifestDigest => Digest.Of(Manifest);

    private static SmallImage Of(byte[] layer, string note)
    {
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{Digest.Of(layer)}}}"]}}""");
        var manifest = Encoding.UTF8.GetBytes($$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","config":{"mediaType":"{{{MediaTypes.OciConfig}}}","digest":"{{{Digest.Of(config)}}}","size":{{{config.Length}}}},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{{Digest.Of(layer)}}}","size":{{{layer.Length}}}}],"annotations":{"note":"{{{note}}}"}}
            """);
        return new SmallImage(config, layer, manifest);
    }
}
