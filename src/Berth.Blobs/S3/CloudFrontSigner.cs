using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Blobs.S3;

/// <summary>
/// Signs URLs of a CloudFront distribution with a canned policy: "until then, this very URL"
/// (Amazon CloudFront Developer Guide, "Create a signed URL using a canned policy").
/// </summary>
internal sealed class CloudFrontSigner : IDisposable
{
    private readonly CloudFrontOptions _options;
    private readonly TimeProvider _time;
    private readonly string _base;
    private readonly RSA _key = RSA.Create();
    private readonly Lock _lock = new();

    /// <exception cref="IOException">The key cannot be read.</exception>
    public CloudFrontSigner(CloudFrontOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _base = WithScheme(options.BaseUrl).TrimEnd('/') + "/";
        try
        {
            _key.ImportFromPem(File.ReadAllText(options.PrivateKey));
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            _key.Dispose();
            throw new IOException($"{options.PrivateKey} is no RSA private key in PEM ({e.Message})", e);
        }
    }

    /// <summary>A URL of an object.</summary>
    public Uri Sign(string key, TimeSpan lifetime)
    {
        var url = _base + string.Join('/', key.Split('/').Select(Uri.EscapeDataString));
        var expires = (_time.GetUtcNow() + (_options.Duration ?? lifetime)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var policy = $$"""{"Statement":[{"Resource":"{{url}}","Condition":{"DateLessThan":{"AWS:EpochTime":""" + expires + "}}}]}";
        return new Uri($"{url}?Expires={expires}&Signature={SignatureOf(policy)}&Key-Pair-Id={Uri.EscapeDataString(_options.KeyPairId)}");
    }

    public void Dispose() => _key.Dispose();

    /// <summary>A URL with HTTPS where it has no scheme.</summary>
    internal static string WithScheme(string url) => url.Contains("://", StringComparison.Ordinal) ? url : "https://" + url;

    private string SignatureOf(string policy)
    {
        byte[] signature;
#pragma warning disable CA5350 // CloudFront verifies RSA with SHA-1, and nothing else.
        lock (_lock) signature = _key.SignData(Encoding.UTF8.GetBytes(policy), HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1);
#pragma warning restore CA5350
        return Convert.ToBase64String(signature).Replace('+', '-').Replace('=', '_').Replace('/', '~');
    }
}
