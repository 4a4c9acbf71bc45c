namespace Berth.Blobs.S3;

/// <summary>Signed URLs of a CloudFront distribution before the bucket (Docker Registry's storage middleware <c>cloudfront</c>).</summary>
public sealed record CloudFrontOptions
{
    /// <summary>URL of the distribution; without a scheme HTTPS. Empty: none.</summary>
    public string BaseUrl { get; init; } = "";

    /// <summary>File with the RSA private key, in PEM.</summary>
    public string PrivateKey { get; init; } = "";

    /// <summary>Id of its key pair.</summary>
    public string KeyPairId { get; init; } = "";

    /// <summary>How long a URL is good; without a value: as long as the store's other signed URLs.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Who goes to the bucket directly: only <c>none</c>, see <see cref="Validate"/>.</summary>
    public string IpFilteredBy { get; init; } = "none";

    /// <summary>All that is wrong, each with the name of its setting.</summary>
    public IEnumerable<(string Setting, string Problem)> Validate()
    {
        if (BaseUrl.Length == 0) yield break;
        if (!Uri.TryCreate(CloudFrontSigner.WithScheme(BaseUrl), UriKind.Absolute, out _)) yield return (nameof(BaseUrl), "is no URL");
        if (!File.Exists(PrivateKey)) yield return (nameof(PrivateKey), "is no file that can be read");
        if (KeyPairId.Length == 0) yield return (nameof(KeyPairId), "name the key pair");
        if (Duration <= TimeSpan.Zero) yield return (nameof(Duration), "is longer than nothing");
        if (IpFilteredBy is not ("" or "none"))
            yield return (nameof(IpFilteredBy), "is none: Berth downloads no list of AWS's addresses; name the networks that are to be served without CloudFront in the rules for redirects");
    }
}
