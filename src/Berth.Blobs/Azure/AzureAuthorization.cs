using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Azure.Core;
using Azure.Identity;

namespace Berth.Blobs.Azure;

/// <summary>Puts on a request what the service asks to see.</summary>
internal abstract class AzureAuthorization : IDisposable
{
    /// <summary>What the service's answers and signatures are the version of.</summary>
    public const string Version = "2021-12-02";

    /// <summary>Makes the one that the settings ask for.</summary>
    public static AzureAuthorization Create(AzureOptions options, TimeProvider time) => options.Credentials switch
    {
        "shared_key" => new AzureSharedKey(options.AccountName, options.AccountKey),
        "sas" => new AzureSasToken(options.SasToken),
        _ => new AzureToken(options, time),
    };

    /// <summary>Signs a request that is ready otherwise.</summary>
    public abstract ValueTask SignAsync(HttpRequestMessage request, CancellationToken ct);

    /// <summary>Forgets what the service refused; false when there is nothing else to try.</summary>
    public virtual bool Renew() => false;

    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>A signature by the account's key over method, headers, path and query.</summary>
internal sealed class AzureSharedKey(string account, string base64Key) : AzureAuthorization
{
    private readonly byte[] _key = Convert.FromBase64String(base64Key);

    public override ValueTask SignAsync(HttpRequestMessage request, CancellationToken ct)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("SharedKey", $"{account}:{Sign(ToSign(request))}");
        return ValueTask.CompletedTask;
    }

    /// <summary>Signs a text.</summary>
    public string Sign(string text) => Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text)));

    private string ToSign(HttpRequestMessage request)
    {
        var content = request.Content?.Headers;
        var text = new StringBuilder();
        text.Append(request.Method.Method).Append('\n');
        // Content-Encoding, Content-Language
        text.Append("\n\n");
        if (content?.ContentLength is { } length and > 0) text.Append(length.ToString(CultureInfo.InvariantCulture));
        // Content-MD5
        text.Append("\n\n").Append(content?.ContentType).Append('\n');
        // Date is empty: x-ms-date is signed with the other headers. If-Modified-Since.
        text.Append("\n\n");
        text.Append(Header(request, "If-Match")).Append('\n').Append(Header(request, "If-None-Match")).Append('\n');
        // If-Unmodified-Since, Range (x-ms-range is sent in its place)
        text.Append("\n\n");
        foreach (var header in request.Headers.Where(h => h.Key.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase)).OrderBy(h => h.Key.ToLowerInvariant(), StringComparer.Ordinal))
            text.Append(header.Key.ToLowerInvariant()).Append(':').AppendJoin(',', header.Value).Append('\n');
        text.Append('/').Append(account).Append(request.RequestUri!.AbsolutePath);
        foreach (var (name, value) in Query(request.RequestUri).OrderBy(q => q.Name, StringComparer.Ordinal)) text.Append('\n').Append(name).Append(':').Append(value);
        return text.ToString();
    }

    private static string Header(HttpRequestMessage request, string name) => request.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    private static IEnumerable<(string Name, string Value)> Query(Uri uri)
    {
        foreach (var part in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) yield return (Uri.UnescapeDataString(part).ToLowerInvariant(), "");
            else yield return (Uri.UnescapeDataString(part[..equals]).ToLowerInvariant(), Uri.UnescapeDataString(part[(equals + 1)..]));
        }
    }
}

/// <summary>A shared access signature that somebody else made; it goes with every URL.</summary>
internal sealed class AzureSasToken(string token) : AzureAuthorization
{
    private readonly string _query = token.TrimStart('?');

    public override ValueTask SignAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var uri = request.RequestUri!;
        request.RequestUri = new Uri($"{uri.AbsoluteUri}{(uri.Query.Length > 0 ? '&' : '?')}{_query}");
        return ValueTask.CompletedTask;
    }
}

/// <summary>A token of Microsoft Entra ID, kept until shortly before it ends.</summary>
internal sealed class AzureToken : AzureAuthorization
{
    private static readonly string[] Scopes = ["https://storage.azure.com/.default"];
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);

    private readonly TokenCredential _credential;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private AccessToken? _token;

    public AzureToken(AzureOptions options, TimeProvider time) : this(Credential(options), time)
    {
    }

    public AzureToken(TokenCredential credential, TimeProvider time) => (_credential, _time) = (credential, time);

    public override async ValueTask SignAsync(HttpRequestMessage request, CancellationToken ct) =>
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(ct).ConfigureAwait(false));

    public override bool Renew()
    {
        _token = null;
        return true;
    }

    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
    }

    private static TokenCredential Credential(AzureOptions options)
    {
        var authority = options.Realm switch
        {
            "core.chinacloudapi.cn" => AzureAuthorityHosts.AzureChina,
            "core.usgovcloudapi.net" => AzureAuthorityHosts.AzureGovernment,
            _ => AzureAuthorityHosts.AzurePublicCloud,
        };
        var clientId = options.ClientId.Length > 0 ? options.ClientId : null;
        var tenantId = options.TenantId.Length > 0 ? options.TenantId : null;
        return options.Credentials switch
        {
            "client_secret" => new ClientSecretCredential(tenantId, clientId, options.ClientSecret, new ClientSecretCredentialOptions { AuthorityHost = authority }),
            "managed_identity" => new ManagedIdentityCredential(clientId is null ? ManagedIdentityId.SystemAssigned : ManagedIdentityId.FromUserAssignedClientId(clientId)),
            "workload_identity" => new WorkloadIdentityCredential(Workload(options, authority, clientId, tenantId)),
            _ => new DefaultAzureCredential(new DefaultAzureCredentialOptions { AuthorityHost = authority, ManagedIdentityClientId = clientId, TenantId = tenantId }),
        };
    }

    // What is not set comes from the environment that Azure's webhook fills.
    private static WorkloadIdentityCredentialOptions Workload(AzureOptions options, Uri authority, string? clientId, string? tenantId)
    {
        var workload = new WorkloadIdentityCredentialOptions { AuthorityHost = authority };
        if (clientId is not null) workload.ClientId = clientId;
        if (tenantId is not null) workload.TenantId = tenantId;
        if (options.TokenFile.Length > 0) workload.TokenFilePath = options.TokenFile;
        return workload;
    }

    private async ValueTask<string> TokenAsync(CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_token is { } known && known.ExpiresOn - _time.GetUtcNow() > RenewBefore) return known.Token;
            var token = await _credential.GetTokenAsync(new TokenRequestContext(Scopes), ct).ConfigureAwait(false);
            _token = token;
            return token.Token;
        }
        catch (AuthenticationFailedException e)
        {
            throw new IOException($"no sign-in to Azure ({e.Message.ReplaceLineEndings(" ")}): check the store's credentials", e);
        }
        finally
        {
            _gate.Release();
        }
    }
}
