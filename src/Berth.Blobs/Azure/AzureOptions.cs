using Berth.Blobs.Http;

namespace Berth.Blobs.Azure;

/// <summary>Content in a container of Azure Blob Storage (section <c>storage.azure</c>).</summary>
public sealed record AzureOptions
{
    /// <summary>Name of the container, which must exist.</summary>
    public string Container { get; init; } = "";

    /// <summary>Name of the storage account.</summary>
    public string AccountName { get; init; } = "";

    /// <summary>Key of the account. Secret.</summary>
    public string AccountKey { get; init; } = "";

    /// <summary>A shared access signature for the container: read, write, delete, list. Secret.</summary>
    public string SasToken { get; init; } = "";

    /// <summary>Account, key or signature, and endpoint in one string, as the portal shows it. Secret.</summary>
    public string ConnectionString { get; init; } = "";

    /// <summary>
    /// Who signs in: <c>shared_key</c>, <c>sas</c>, <c>client_secret</c>, <c>managed_identity</c>, <c>workload_identity</c> or <c>default_credentials</c> (environment,
    /// workload identity, managed identity, the tools' sign-in, in this order). Empty: what is set of key, signature and client secret; the default credentials otherwise.
    /// </summary>
    public string CredentialsType { get; init; } = "";

    /// <summary>Tenant of a client secret or a workload identity.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>Application of a client secret or a workload identity, or the id of a user-assigned managed identity.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The client's secret. Secret.</summary>
    public string ClientSecret { get; init; } = "";

    /// <summary>File with the token of a workload identity; empty: <c>AZURE_FEDERATED_TOKEN_FILE</c>.</summary>
    public string TokenFile { get; init; } = "";

    /// <summary>Suffix of the account's host name: <c>core.windows.net</c>, or that of another cloud (<c>core.chinacloudapi.cn</c>, <c>core.usgovcloudapi.net</c>).</summary>
    public string Realm { get; init; } = "core.windows.net";

    /// <summary>URL of the account's blob service; empty: from account and realm.</summary>
    public string ServiceUrl { get; init; } = "";

    /// <summary>The same as clients reach it, for signed URLs; empty: as this server does.</summary>
    public string PublicEndpoint { get; init; } = "";

    /// <summary>Prefix of all names (Docker Registry's <c>rootdirectory</c>).</summary>
    public string RootDirectory { get; init; } = "";

    /// <summary>Access tier of what is written (<c>Hot</c>, <c>Cool</c>, <c>Cold</c>); empty: the account's.</summary>
    public string AccessTier { get; init; } = "";

    /// <summary>Size of a block, 1 MiB to 1 GiB; an upload under way holds a few in memory.</summary>
    public int PartBytes { get; init; } = 16 << 20;

    /// <summary>Blocks of one upload that are sent at a time.</summary>
    public int PartConcurrency { get; init; } = 4;

    /// <summary>Takes any TLS certificate: for tests with a certificate of one's own.</summary>
    public bool SkipVerify { get; init; }

    /// <summary>Longest wait for a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time of one try until its answer is there, the time for its body not counted.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most tries of one request.</summary>
    public int MaxTries { get; init; } = 6;

    /// <summary>Pause after the first failure of a request; it doubles with each.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>No further try begins after this time.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>All that is wrong, each with the name of its setting.</summary>
    public IEnumerable<(string Setting, string Problem)> Validate()
    {
        if (Container.Length < 3) yield return (nameof(Container), "name the container");
        if (ConnectionString.Length > 0)
        {
            if (AzureConnectionString.Problem(ConnectionString) is { } problem) yield return (nameof(ConnectionString), problem);
        }
        else if (AccountName.Length == 0)
        {
            yield return (nameof(AccountName), "name the storage account");
        }
        var key = Resolved().AccountKey;
        if (key.Length > 0 && !Convert.TryFromBase64String(key, new byte[key.Length], out _)) yield return (nameof(AccountKey), "is not base64: copy it from the portal");
        foreach (var (name, url) in new[] { (nameof(ServiceUrl), ServiceUrl), (nameof(PublicEndpoint), PublicEndpoint) })
        {
            if (url.Length > 0 && !Uri.TryCreate(url, UriKind.Absolute, out _)) yield return (name, "is no URL");
        }
        foreach (var problem in CredentialProblems()) yield return problem;
        if (PartBytes is < 1 << 20 or > 1 << 30) yield return (nameof(PartBytes), "is 1 MiB to 1 GiB");
        if (PartConcurrency is < 1 or > 64) yield return (nameof(PartConcurrency), "is 1 to 64");
        if (MaxTries < 1) yield return (nameof(MaxTries), "is 1 or more");
    }

    /// <summary>The kind of credentials in the end.</summary>
    internal string Credentials => CredentialsType.Length > 0 ? CredentialsType
        : AccountKey.Length > 0 ? "shared_key"
        : SasToken.Length > 0 ? "sas"
        : ClientSecret.Length > 0 ? "client_secret"
        : "default_credentials";

    /// <summary>The blob service's URL, without a slash at its end.</summary>
    internal string Endpoint => (ServiceUrl.Length > 0 ? ServiceUrl : $"https://{AccountName}.blob.{Realm}").TrimEnd('/');

    /// <summary>With what the connection string says in the place of the single settings.</summary>
    internal AzureOptions Resolved() => ConnectionString.Length > 0 && AzureConnectionString.Problem(ConnectionString) is null ? AzureConnectionString.Apply(this) : this;

    internal StoreHttpOptions ToHttp() => new()
    {
        Name = $"Azure Blob at {Endpoint}/{Container}",
        SkipVerify = SkipVerify,
        ConnectTimeout = ConnectTimeout,
        TryTimeout = TryTimeout,
        MaxTries = MaxTries,
        FirstPause = RetryDelay,
        GiveUpAfter = GiveUpAfter,
        MaxConnections = MaxConnections,
    };

    private IEnumerable<(string Setting, string Problem)> CredentialProblems()
    {
        var resolved = Resolved();
        switch (resolved.Credentials)
        {
            case "shared_key":
                if (resolved.AccountKey.Length == 0) yield return (nameof(AccountKey), "give the account's key");
                break;
            case "sas":
                if (resolved.SasToken.Length == 0) yield return (nameof(SasToken), "give the signature");
                break;
            case "client_secret":
                if (TenantId.Length == 0) yield return (nameof(TenantId), "goes with clientSecret");
                if (ClientId.Length == 0) yield return (nameof(ClientId), "goes with clientSecret");
                if (ClientSecret.Length == 0) yield return (nameof(ClientSecret), "give the client's secret");
                break;
            case "managed_identity" or "workload_identity" or "default_credentials":
                break;
            default:
                yield return (nameof(CredentialsType), "is shared_key, sas, client_secret, managed_identity, workload_identity or default_credentials");
                break;
        }
    }
}
