using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Blobs.Gcs;

/// <summary>URLs of version 4 that read one object (Google's "GOOG4-RSA-SHA256").</summary>
internal static class GcsSignature
{
    private const string Algorithm = "GOOG4-RSA-SHA256";

    /// <summary>Makes a URL.</summary>
    /// <param name="endpoint">Scheme and host that clients use.</param>
    /// <param name="path">Bucket and object, escaped: <c>/bucket/key</c>.</param>
    /// <param name="signer">Whose signature it is.</param>
    /// <param name="now">The time.</param>
    /// <param name="lifetime">How long from now; a week at most.</param>
    /// <param name="sign">Signs bytes with RSA and SHA-256.</param>
    public static async ValueTask<Uri> SignAsync(Uri endpoint, string path, string signer, DateTimeOffset now, TimeSpan lifetime, Func<byte[], ValueTask<byte[]>> sign)
    {
        var time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/auto/storage/goog4_request";
        var seconds = (long)Math.Clamp(lifetime.TotalSeconds, 1, TimeSpan.FromDays(7).TotalSeconds);
        // In the order of their names, as the canonical form wants them.
        (string Name, string Value)[] parameters =
        [
            ("X-Goog-Algorithm", Algorithm),
            ("X-Goog-Credential", $"{signer}/{scope}"),
            ("X-Goog-Date", time),
            ("X-Goog-Expires", seconds.ToString(CultureInfo.InvariantCulture)),
            ("X-Goog-SignedHeaders", "host"),
        ];
        var query = string.Join('&', parameters.Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"));
        var canonical = $"GET\n{path}\n{query}\nhost:{endpoint.Authority}\n\nhost\nUNSIGNED-PAYLOAD";
        var toSign = $"{Algorithm}\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signature = Convert.ToHexStringLower(await sign(Encoding.UTF8.GetBytes(toSign)).ConfigureAwait(false));
        return new Uri($"{endpoint.GetLeftPart(UriPartial.Authority)}{path}?{query}&X-Goog-Signature={signature}");
    }
}
