namespace Berth.Blobs.Swift;

/// <summary>Content in a container of OpenStack Swift, by its native API (section <c>storage.swift</c>).</summary>
public sealed record SwiftOptions
{
    /// <summary>URL of the identity service: Keystone's with <c>/v3</c>, or that of Swift's own (<c>…/auth/v1.0</c>).</summary>
    public string AuthUrl { get; init; } = "";

    /// <summary>1 (Swift's own) or 3 (Keystone); 0: as the URL says.</summary>
    public int AuthVersion { get; init; }

    /// <summary>Name of the user; <c>account:user</c> for version 1.</summary>
    public string Username { get; init; } = "";

    /// <summary>Id of the user, in place of its name.</summary>
    public string UserId { get; init; } = "";

    /// <summary>Password. Secret.</summary>
    [SecretSetting]
    public string Password { get; init; } = "";

    /// <summary>Name of the user's domain; without name and id: <c>Default</c>.</summary>
    public string Domain { get; init; } = "";

    /// <summary>Id of the user's domain.</summary>
    public string DomainId { get; init; } = "";

    /// <summary>Name of the project.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>Id of the project.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>Name of the project's domain; without name and id: the user's.</summary>
    public string TenantDomain { get; init; } = "";

    /// <summary>Id of the project's domain.</summary>
    public string TenantDomainId { get; init; } = "";

    /// <summary>Id of a trust to act under, in place of a project.</summary>
    public string TrustId { get; init; } = "";

    /// <summary>Id of an application credential, in place of user and password.</summary>
    public string ApplicationCredentialId { get; init; } = "";

    /// <summary>Its name, together with the user.</summary>
    public string ApplicationCredentialName { get; init; } = "";

    /// <summary>Its secret. Secret.</summary>
    [SecretSetting]
    public string ApplicationCredentialSecret { get; init; } = "";

    /// <summary>Region of the object store in the catalog; empty: the first.</summary>
    public string Region { get; init; } = "";

    /// <summary>Which of its URLs: <c>public</c>, <c>internal</c> or <c>admin</c>.</summary>
    public string EndpointType { get; init; } = "public";

    /// <summary>Name of the container; made when it is not there.</summary>
    public string Container { get; init; } = "";

    /// <summary>Prefix of all objects. As with Docker Registry, objects lie in <c>files/</c> below it.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Size of a segment, 1 MiB to 1 GiB; an upload under way holds a few in memory.</summary>
    public int PartBytes { get; init; } = 20 << 20;

    /// <summary>Segments of one upload that are sent at a time.</summary>
    public int PartConcurrency { get; init; } = 3;

    /// <summary>Most segments of an object that the service takes (<c>slo.max_manifest_segments</c> of its <c>/info</c>).</summary>
    public int MaxSegments { get; init; } = 1000;

    /// <summary>Key that signs temporary URLs; empty: one that is derived from the password. It is set on the container or the account. Secret.</summary>
    [SecretSetting]
    public string SecretKey { get; init; } = "";

    /// <summary>Access key that HP's cloud puts into signatures of temporary URLs.</summary>
    public string AccessKey { get; init; } = "";

    /// <summary>The key of temporary URLs is the container's; false: the account's.</summary>
    public bool TempUrlContainerKey { get; init; } = true;

    /// <summary>Methods that temporary URLs may have; none are given out where GET is not among them.</summary>
    public IReadOnlyList<string> TempUrlMethods { get; init; } = ["GET"];

    /// <summary>How temporary URLs are signed: <c>sha256</c>, <c>sha512</c>, or <c>sha1</c> for services before 2.25.</summary>
    public string TempUrlDigest { get; init; } = "sha256";

    /// <summary>Scheme and host under which clients reach the service, for temporary URLs; empty: as this server does.</summary>
    public string PublicEndpoint { get; init; } = "";

    /// <summary>Takes any TLS certificate: for tests with a certificate of one's own.</summary>
    public bool SkipVerify { get; init; }

    /// <summary>Longest wait for a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time of one try until its answer is there, the time for its body not counted.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most tries of one request.</summary>
    public int MaxTries { get; init; } = 6;

    /// <summary>No further try begins after this time.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Pause after the first failure; it doubles with each, and varies by half.</summary>
    internal TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A body may take as long as it takes at this rate.</summary>
    internal int MinBytesPerSecond { get; init; } = 128 << 10;

    /// <summary>True where Keystone is asked.</summary>
    internal bool IsKeystone => AuthVersion == 3 || (AuthVersion == 0 && AuthUrl.Contains("/v3", StringComparison.Ordinal));

    private bool HasApplicationCredential => ApplicationCredentialSecret.Length > 0;

    /// <summary>All that is wrong, each with the name of its setting.</summary>
    public IEnumerable<(string Setting, string Problem)> Validate()
    {
        if (!Uri.TryCreate(AuthUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) yield return (nameof(AuthUrl), "is no URL of http or https");
        if (AuthVersion is not (0 or 1 or 3)) yield return (nameof(AuthVersion), "is 1 or 3: OpenStack has removed version 2 of its identity API");
        if (Container.Length == 0 || Container.Contains('/', StringComparison.Ordinal)) yield return (nameof(Container), "name the container");
        if (HasApplicationCredential && !IsKeystone) yield return (nameof(ApplicationCredentialSecret), "needs Keystone (authVersion 3)");
        if (HasApplicationCredential && ApplicationCredentialId.Length == 0 && ApplicationCredentialName.Length == 0)
            yield return (nameof(ApplicationCredentialId), "goes with applicationCredentialSecret");
        if (!HasApplicationCredential && Password.Length == 0) yield return (nameof(Password), "give a password or an application credential");
        if (Username.Length == 0 && UserId.Length == 0 && ApplicationCredentialId.Length == 0) yield return (nameof(Username), "name the user");
        if (EndpointType is not ("public" or "internal" or "admin")) yield return (nameof(EndpointType), "is public, internal or admin");
        if (PartBytes is < 1 << 20 or > 1 << 30) yield return (nameof(PartBytes), "is 1 MiB to 1 GiB");
        if (PartConcurrency is < 1 or > 64) yield return (nameof(PartConcurrency), "is 1 to 64");
        if (MaxSegments < 1) yield return (nameof(MaxSegments), "is 1 or more");
        if (MaxTries < 1) yield return (nameof(MaxTries), "is 1 or more");
        if (TempUrlDigest is not ("sha1" or "sha256" or "sha512")) yield return (nameof(TempUrlDigest), "is sha1, sha256 or sha512");
        if (PublicEndpoint.Length > 0 && !Uri.TryCreate(PublicEndpoint, UriKind.Absolute, out _)) yield return (nameof(PublicEndpoint), "is no URL");
    }
}
