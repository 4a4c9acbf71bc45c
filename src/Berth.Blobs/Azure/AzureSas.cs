using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Berth.Blobs.Http;

namespace Berth.Blobs.Azure;

/// <summary>A key that Azure lends to whoever has a token, for signatures of URLs.</summary>
internal sealed record AzureDelegationKey(string ObjectId, string TenantId, string Start, string Expiry, string Service, string Version, string Value)
{
    /// <summary>Reads the service's answer.</summary>
    public static AzureDelegationKey Parse(byte[] xml)
    {
        var root = XDocument.Load(new MemoryStream(xml)).Root!;
        string Word(string name) => root.Element(name)?.Value ?? throw new IOException($"Azure's delegation key has no {name}");
        return new AzureDelegationKey(Word("SignedOid"), Word("SignedTid"), Word("SignedStart"), Word("SignedExpiry"), Word("SignedService"), Word("SignedVersion"), Word("Value"));
    }
}

/// <summary>Shared access signatures to read one blob: by the account's key, or by a delegation key.</summary>
internal static class AzureSas
{
    /// <summary>The form of time in signatures.</summary>
    public const string TimeFormat = "yyyy-MM-ddTHH:mm:ssZ";

    // Clocks differ.
    private static readonly TimeSpan Before = TimeSpan.FromMinutes(5);

    /// <summary>The query of a URL that reads a blob.</summary>
    /// <param name="resource">Account, container and name: <c>/blob/account/container/name</c>.</param>
    /// <param name="now">The time.</param>
    /// <param name="lifetime">How long from now.</param>
    /// <param name="httpsOnly">Whether the URL is of no use over HTTP.</param>
    /// <param name="key">The account's key.</param>
    public static string Service(string resource, DateTimeOffset now, TimeSpan lifetime, bool httpsOnly, AzureSharedKey key)
    {
        var (start, expiry, protocol) = Limits(now, lifetime, httpsOnly);
        // permissions, start, expiry, resource, identifier, address, protocol, version, kind, snapshot, encryption scope, five response headers
        var signature = key.Sign(string.Join('\n', "r", start, expiry, resource, "", "", protocol, AzureAuthorization.Version, "b", "", "", "", "", "", "", ""));
        return Query(start, expiry, protocol, [], signature);
    }

    /// <summary>The same by a delegation key.</summary>
    public static string Delegated(string resource, DateTimeOffset now, TimeSpan lifetime, bool httpsOnly, AzureDelegationKey key)
    {
        var (start, expiry, protocol) = Limits(now, lifetime, httpsOnly);
        // permissions, start, expiry, resource, the key's six, authorized, unauthorized, correlation, address, protocol, version, kind, snapshot, scope, five headers
        var text = string.Join('\n', "r", start, expiry, resource, key.ObjectId, key.TenantId, key.Start, key.Expiry, key.Service, key.Version,
            "", "", "", "", protocol, AzureAuthorization.Version, "b", "", "", "", "", "", "", "");
        var signature = Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(key.Value), Encoding.UTF8.GetBytes(text)));
        return Query(start, expiry, protocol, [("skoid", key.ObjectId), ("sktid", key.TenantId), ("skt", key.Start), ("ske", key.Expiry), ("sks", key.Service), ("skv", key.Version)], signature);
    }

    private static (string Start, string Expiry, string Protocol) Limits(DateTimeOffset now, TimeSpan lifetime, bool httpsOnly) =>
        (Format(now - Before), Format(now + lifetime), httpsOnly ? "https" : "https,http");

    /// <summary>A time as signatures have it.</summary>
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static string Query(string start, string expiry, string protocol, (string Name, string Value)[] more, string signature)
    {
        (string Name, string Value)[] all = [("sv", AzureAuthorization.Version), ("st", start), ("se", expiry), ("sr", "b"), ("sp", "r"), ("spr", protocol), .. more, ("sig", signature)];
        return string.Join('&', all.Select(q => $"{q.Name}={Uri.EscapeDataString(q.Value)}"));
    }
}

/// <summary>Keeps a delegation key while it is good.</summary>
internal sealed class AzureDelegation(Func<DateTimeOffset, DateTimeOffset, CancellationToken, ValueTask<StoreAnswer>> ask, StoreHttp http, TimeProvider time) : IDisposable
{
    // Azure lends for a week at most.
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromHours(2);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private AzureDelegationKey? _key;
    private DateTimeOffset _expiry;

    public void Dispose() => _gate.Dispose();

    /// <summary>A key that is good for longer than a URL lives.</summary>
    public async ValueTask<AzureDelegationKey> KeyAsync(TimeSpan lifetime, CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var now = time.GetUtcNow();
            if (_key is not null && _expiry - now > RenewBefore && _expiry - now > lifetime) return _key;
            var expiry = now + (lifetime + RenewBefore > Lifetime ? lifetime + RenewBefore : Lifetime);
            var answer = await ask(now - TimeSpan.FromMinutes(5), expiry, ct).ConfigureAwait(false);
            if (!answer.IsSuccess) throw http.Refused(answer, "to lend a key for signed URLs (role: Storage Blob Delegator)");
            (_key, _expiry) = (AzureDelegationKey.Parse(answer.Body), expiry);
            return _key;
        }
        finally
        {
            _gate.Release();
        }
    }
}
