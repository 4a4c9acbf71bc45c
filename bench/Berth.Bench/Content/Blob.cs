using System.Security.Cryptography;

namespace Berth.Bench.Content;

/// <summary>A blob or manifest in memory with its digest.</summary>
internal sealed record Blob(byte[] Bytes, string Digest)
{
    internal static Blob Of(byte[] bytes) => new(bytes, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes)));

    internal static Blob Random(int sizeBytes) => Of(RandomNumberGenerator.GetBytes(sizeBytes));
}
