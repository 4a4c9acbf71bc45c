using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Blobs.Encryption.Keys;

/// <summary>
/// A master key in HashiCorp Vault's (or OpenBao's) transit engine, by its HTTP API: encrypt, decrypt, rewrap. The key never leaves Vault; the token needs
/// <c>update</c> on those three paths. Vault versions keys by itself: after a rotation there <see cref="RewrapAsync"/> brings data keys to the newest version.
/// </summary>
public sealed class VaultMasterKey : IMasterKey
{
    private readonly VaultKeyOptions _options;
    private readonly Uri _engine;
    private readonly KeyServiceClient _client;

    /// <summary>Uses a key; nothing is asked of Vault yet.</summary>
    /// <exception cref="FormatException">An option is missing or is none.</exception>
    public VaultMasterKey(VaultKeyOptions options, TimeProvider time)
    {
        if (!Uri.TryCreate(options.Address, UriKind.Absolute, out var address)) throw new FormatException("vault.address is no address");
        if (string.IsNullOrEmpty(options.Key)) throw new FormatException("vault.key is missing");
        _options = options;
        _engine = new Uri($"{address.AbsoluteUri.TrimEnd('/')}/v1/{options.Mount.Trim('/')}/");
        Id = $"vault-{options.Mount.Trim('/')}/{options.Key}";
        _client = new KeyServiceClient($"Vault at {address.GetLeftPart(UriPartial.Authority)}", options.Token, options.TokenFile, options.SkipVerify, time);
    }

    public string Id { get; }

    public async ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> secret, CancellationToken ct)
    {
        var answer = await CallAsync("encrypt", new JsonObject { ["plaintext"] = Convert.ToBase64String(secret.Span) }, ct).ConfigureAwait(false);
        return Encoding.UTF8.GetBytes(_client.Text(answer["data"]?["ciphertext"], "data.ciphertext"));
    }

    public async ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct)
    {
        var answer = await CallAsync("decrypt", new JsonObject { ["ciphertext"] = Encoding.UTF8.GetString(wrapped.Span) }, ct).ConfigureAwait(false);
        return _client.Bytes(answer["data"]?["plaintext"], "data.plaintext");
    }

    public async ValueTask<byte[]> RewrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct)
    {
        var answer = await CallAsync("rewrap", new JsonObject { ["ciphertext"] = Encoding.UTF8.GetString(wrapped.Span) }, ct).ConfigureAwait(false);
        return Encoding.UTF8.GetBytes(_client.Text(answer["data"]?["ciphertext"], "data.ciphertext"));
    }

    public void Dispose() => _client.Dispose();

    private ValueTask<JsonObject> CallAsync(string what, JsonObject body, CancellationToken ct) =>
        _client.PostAsync(new Uri(_engine, $"{what}/{Uri.EscapeDataString(_options.Key!)}"), body, Sign, ct);

    private void Sign(HttpRequestHeaders headers, string? token)
    {
        if (token is not null) headers.Add("X-Vault-Token", token);
        if (_options.Namespace is { Length: > 0 } name) headers.Add("X-Vault-Namespace", name);
    }
}
