using System.Security.Cryptography;
using System.Text;
using Berth.Oci;

namespace Berth.Server.Scanning.Bases;

/// <summary>Names of sequences of layers (OCI image specification, config.md, "Layer ChainID").</summary>
internal static class ChainIds
{
    /// <summary>Most layers that an image is followed by.</summary>
    public const int MaxLayers = 1000;

    /// <summary>The chain ids of the first layer, the first two and so on; empty when there are too many layers, or one is named by no digest.</summary>
    /// <param name="diffIds">Digests of the uncompressed layers, the lowest first.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> diffIds)
    {
        if (diffIds.Count > MaxLayers || !diffIds.All(static id => Digest.TryParse(id, out _))) return [];
        var chain = new string[diffIds.Count];
        for (var i = 0; i < chain.Length; i++)
            chain[i] = i == 0 ? diffIds[0] : "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{chain[i - 1]} {diffIds[i]}")));
        return chain;
    }
}
