using Berth.Oci;

namespace Berth.Client.Content;

/// <summary>A manifest or index as a registry gave it, held against its digest.</summary>
/// <param name="Reference">Repository, with the digest.</param>
/// <param name="MediaType">Its own media type, else what the registry said.</param>
/// <param name="Content">The very bytes.</param>
/// <param name="Document">What it refers to.</param>
public sealed record RegistryManifest(ImageReference Reference, string MediaType, byte[] Content, ManifestDocument Document)
{
    public Digest Digest => Reference.Digest!.Value;
}
