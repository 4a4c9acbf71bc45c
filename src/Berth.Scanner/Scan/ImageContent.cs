namespace Berth.Scanner.Scan;

/// <summary>An image as a scan takes it: its documents in memory, its layers to be opened one by one.</summary>
/// <param name="Name">Name for reports.</param>
public sealed record ImageContent(string Name)
{
    /// <summary>Digest of the manifest; empty where there is none (archives of <c>docker save</c>).</summary>
    public string Digest { get; init; } = "";

    /// <summary>Digest of the configuration.</summary>
    public string ImageId { get; init; } = "";

    /// <summary>Media type of the manifest; empty where there is none.</summary>
    public string MediaType { get; init; } = "";

    public IReadOnlyList<string> RepoTags { get; init; } = [];

    public IReadOnlyList<string> RepoDigests { get; init; } = [];

    /// <summary>The configuration (OCI image specification, config.md).</summary>
    public ReadOnlyMemory<byte> Config { get; init; }

    /// <summary>Layers, the lowest first.</summary>
    public IReadOnlyList<ImageLayer> Layers { get; init; } = [];
}

/// <summary>A layer of an image.</summary>
/// <param name="DiffId">Digest of the uncompressed layer as the configuration says; the scan checks it.</param>
/// <param name="Digest">Digest as stored; empty when unknown.</param>
/// <param name="SizeBytes">Size as stored.</param>
/// <param name="Open">Gives its bytes from the start; called once or twice.</param>
public sealed record ImageLayer(string DiffId, string Digest, long SizeBytes, Func<CancellationToken, ValueTask<Stream>> Open);

/// <summary>An image that cannot be scanned, with the reason for whoever asked.</summary>
public sealed class ImageRefusedException(string message, Exception? inner = null) : Exception(message, inner);
