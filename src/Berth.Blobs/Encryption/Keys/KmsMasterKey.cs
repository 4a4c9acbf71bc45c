using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Berth.Blobs.Encryption.Keys;

/// <summary>
/// A master key behind an HTTP service of one's own, as a small adapter to a cloud's key service or a hardware module: a POST of
/// <c>{"operation": "encrypt", "key": …, "plaintext": base64}</c> is answered by <c>{"ciphertext": base64}</c>, one of
/// <c>{"operation": "decrypt", "key": …, "ciphertext": base64}</c> by <c>{"plaintext": base64}</c> (docs/encryption.md).
/// </summary>
public sealed class KmsMasterKey : IMasterKey
{
    private readonly KmsKeyOptions _options;
    private readonly Uri _url;
    private readonly KeyServiceClient _client;

    /// <summary>Uses a key; nothing is asked of the service yet.</summary>
    /// <exception cref="FormatException">An option is missing or is none.</exception>
    public KmsMasterKey(KmsKeyOptions options, TimeProvider time)
    {
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url)) throw new FormatException("kms.url is no address");
        if (string.IsNullOrEmpty(options.Key)) throw new FormatException("kms.key is missing");
        (_options, _url) = (options, url);
        Id = $"kms-{options.Key}";
        _client = new KeyServiceClient($"the key service at {url.GetLeftPart(UriPartial.Authority)}", options.Token, options.TokenFile, options.SkipVerify, time);
    }

    public string Id { get; }

    public async ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> secret, CancellationToken ct) =>
        _client.Bytes((await CallAsync("encrypt", "plaintext", secret, ct).ConfigureAwait(false))["ciphertext"], "ciphertext");

    public async ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct) =>
        _client.Bytes((await CallAsync("decrypt", "ciphertext", wrapped, ct).ConfigureAwait(false))["plaintext"], "plaintext");

    // The service may have versions of its key: what it wraps now is of the newest.
    public async ValueTask<byte[]> RewrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct) =>
        await WrapAsync(await UnwrapAsync(wrapped, ct).ConfigureAwait(false), ct).ConfigureAwait(false);

    public void Dispose() => _client.Dispose();

    private ValueTask<JsonObject> CallAsync(string operation, string name, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        var body = new JsonObject { ["operation"] = operation, ["key"] = _options.Key, [name] = Convert.ToBase64String(bytes.Span) };
        return _client.PostAsync(_url, body, Sign, ct);
    }

    private static void Sign(HttpRequestHeaders headers, string? token)
    {
        if (token is not null) headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }
}
