using System.Text.Json;

namespace Berth.Server.Platform.Jose;

/// <summary>A JSON Web Key set (RFC 7517 section 5): keys that tokens may name by id.</summary>
internal sealed class JsonWebKeySet
{
    /// <summary>Most keys that are read of one set.</summary>
    private const int MaxKeys = 200;

    private readonly List<VerificationKey> _all = [];

    /// <summary>Every key, those without an id too.</summary>
    public IReadOnlyList<VerificationKey> All => _all;

    /// <summary>The keys by <c>kid</c>.</summary>
    public Dictionary<string, VerificationKey> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads the JSON text. Keys of unknown kinds are skipped (RFC 7517 section 5).</summary>
    /// <exception cref="InvalidDataException">It is no key set.</exception>
    public static JsonWebKeySet Parse(byte[] json)
    {
        var set = new JsonWebKeySet();
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
                throw new InvalidDataException("the JWKS file has no list \"keys\"");
            foreach (var jwk in keys.EnumerateArray())
            {
                if (set._all.Count == MaxKeys) throw new InvalidDataException($"the JWKS file has more than {MaxKeys} keys");
                if (!VerificationKey.TryFrom(jwk, out var key)) continue;
                set._all.Add(key);
                if (Jwt.TextOf(jwk, "kid") is { } id) set.Keys[id] = key;
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("the JWKS file is malformed", e);
        }
        return set;
    }
}
