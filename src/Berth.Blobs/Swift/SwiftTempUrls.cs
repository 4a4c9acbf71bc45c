using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Blobs.Swift;

/// <summary>
/// Temporary URLs (Swift's TempURL). Their key is set on the container or the account by the first that is asked for; without one in the settings
/// it is derived from the password, so that all replicas have the same.
/// </summary>
internal sealed class SwiftTempUrls(SwiftOptions options, SwiftCalls calls, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly byte[] _key = Encoding.UTF8.GetBytes(KeyOf(options));
    private bool _isSet;

    public async ValueTask<Uri?> SignAsync(string key, TimeSpan lifetime, CancellationToken ct)
    {
        if (!options.TempUrlMethods.Contains("GET", StringComparer.OrdinalIgnoreCase)) return null;
        await SetKeyAsync(ct).ConfigureAwait(false);
        var (url, path) = await calls.LocateAsync(key, ct).ConfigureAwait(false);
        var expires = (time.GetUtcNow() + lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signature = Sign(Encoding.UTF8.GetBytes($"GET\n{expires}\n{path}"));
        if (options.AccessKey.Length > 0) signature = Uri.EscapeDataString($"{options.TenantId}:{options.AccessKey}:{signature}");
        var host = options.PublicEndpoint.Length > 0 ? options.PublicEndpoint.TrimEnd('/') : url.GetLeftPart(UriPartial.Authority);
        return new Uri($"{host}{url.AbsolutePath}?temp_url_sig={signature}&temp_url_expires={expires}");
    }

    public void Dispose() => _one.Dispose();

    private static string KeyOf(SwiftOptions options)
    {
        if (options.SecretKey.Length > 0) return options.SecretKey;
        var secret = options.Password.Length > 0 ? options.Password : options.ApplicationCredentialSecret;
        return Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"berth temporary URLs of {options.Container}")));
    }

#pragma warning disable CA5350 // SHA-1 for services that know nothing else, where the settings say so.
    private string Sign(byte[] words) => Convert.ToHexStringLower(options.TempUrlDigest switch
    {
        "sha1" => HMACSHA1.HashData(_key, words),
        "sha512" => HMACSHA512.HashData(_key, words),
        _ => HMACSHA256.HashData(_key, words),
    });
#pragma warning restore CA5350

    private async Task SetKeyAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _isSet)) return;
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_isSet) return;
            var (of, header) = options.TempUrlContainerKey ? ("", "X-Container-Meta-Temp-URL-Key") : (null, "X-Account-Meta-Temp-URL-Key");
            var key = Encoding.UTF8.GetString(_key);
            var head = await calls.SendAsync(HttpMethod.Head, of, "", null, ct).ConfigureAwait(false);
            if (head.Header(header) != key)
            {
                var answer = await calls.SendAsync(HttpMethod.Post, of, "", request => request.Headers.TryAddWithoutValidation(header, key), ct).ConfigureAwait(false);
                if (!answer.IsSuccess) throw calls.Refused(answer, "to set the key of temporary URLs");
            }
            Volatile.Write(ref _isSet, true);
        }
        finally
        {
            _one.Release();
        }
    }
}
