namespace Berth.Blobs.S3;

/// <summary>Content in a bucket of S3 or a service that speaks its protocol (section <c>storage.s3</c>).</summary>
public sealed record S3Options
{
    /// <summary>Name of the bucket, which must exist.</summary>
    public string Bucket { get; init; } = "";

    /// <summary>Region; empty leaves it to <c>AWS_REGION</c>, the profile or the instance, and is <c>us-east-1</c> at an endpoint.</summary>
    public string Region { get; init; } = "";

    /// <summary>URL of the service where it is not AWS; without a scheme <see cref="Secure"/> decides.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>The same as clients reach it, for signed URLs; empty: as this server does.</summary>
    public string PublicEndpoint { get; init; } = "";

    /// <summary>HTTPS where no scheme is given.</summary>
    public bool Secure { get; init; } = true;

    /// <summary>Id of the access key; empty: environment, profile, web identity, container or instance, as AWS's own tools do.</summary>
    public string AccessKey { get; init; } = "";

    /// <summary>Its secret. Secret.</summary>
    [SecretSetting]
    public string SecretKey { get; init; } = "";

    /// <summary>Token of temporary credentials. Secret.</summary>
    [SecretSetting]
    public string SessionToken { get; init; } = "";

    /// <summary>ARN of a role to take on with these credentials, or with the token of <see cref="WebIdentityTokenFile"/>.</summary>
    public string RoleArn { get; init; } = "";

    /// <summary>External id that the role asks for.</summary>
    public string RoleExternalId { get; init; } = "";

    /// <summary>File with the token of an identity provider (Kubernetes service account, say), for <see cref="RoleArn"/>.</summary>
    public string WebIdentityTokenFile { get; init; } = "";

    /// <summary>Bucket in the path of URLs, not in the host name; without a value: at an endpoint.</summary>
    public bool? ForcePathStyle { get; init; }

    /// <summary>Prefix of all keys (Docker Registry's <c>rootdirectory</c>).</summary>
    public string RootDirectory { get; init; } = "";

    /// <summary>Storage class of objects (<c>STANDARD_IA</c> …); empty or <c>NONE</c>: the bucket's.</summary>
    public string StorageClass { get; init; } = "";

    /// <summary>Canned ACL of objects (<c>bucket-owner-full-control</c> …); empty: none is sent.</summary>
    public string ObjectAcl { get; init; } = "";

    /// <summary>Server-side encryption: SSE-S3, or SSE-KMS with <see cref="KeyId"/>.</summary>
    public bool Encrypt { get; init; }

    /// <summary>Id of the KMS key.</summary>
    public string KeyId { get; init; } = "";

    /// <summary>Size of a part, 5 MiB to 1 GiB; an upload under way holds a few in memory.</summary>
    public int PartBytes { get; init; } = 16 << 20;

    /// <summary>Parts of one upload that are sent at a time.</summary>
    public int PartConcurrency { get; init; } = 4;

    /// <summary>All parts but the last have the same size, as Cloudflare R2 wants it. An object has <see cref="PartBytes"/> times 10,000 at most then.</summary>
    public bool EvenParts { get; init; }

    /// <summary>Bodies in signed chunks with a checksum behind; without a value: on AWS. Google and OpenStack Swift do not know it.</summary>
    public bool? ChunkEncoding { get; init; }

    /// <summary>
    /// Checksum that goes with each object and that the service verifies: <c>crc32</c>, <c>crc32c</c>, <c>crc64nvme</c>, <c>sha1</c>, <c>sha256</c> or <c>none</c>;
    /// empty: crc32 on AWS, none at an endpoint. Bodies are covered by the signature's SHA-256 where there is none.
    /// </summary>
    public string Checksum { get; init; } = "";

    /// <summary>Takes any TLS certificate: for tests with a certificate of one's own.</summary>
    public bool SkipVerify { get; init; }

    /// <summary>AWS's transfer acceleration.</summary>
    public bool Accelerate { get; init; }

    /// <summary>AWS's endpoints for IPv4 and IPv6.</summary>
    public bool UseDualStack { get; init; }

    /// <summary>AWS's endpoints with FIPS 140 cryptography.</summary>
    public bool UseFips { get; init; }

    /// <summary>Further words of the User-Agent header.</summary>
    public string UserAgent { get; init; } = "";

    /// <summary>Longest wait for a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time of one try until its answer is there, the time for its body not counted.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromSeconds(30);

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

    /// <summary>All that is wrong, each with the name of its setting.</summary>
    public IEnumerable<(string Setting, string Problem)> Validate()
    {
        if (Bucket.Length < 3) yield return (nameof(Bucket), "name the bucket");
        if ((AccessKey.Length == 0) != (SecretKey.Length == 0)) yield return (nameof(SecretKey), "give both accessKey and secretKey, or neither");
        if (SessionToken.Length > 0 && AccessKey.Length == 0) yield return (nameof(SessionToken), "goes with accessKey and secretKey");
        foreach (var (name, url) in new[] { (nameof(Endpoint), Endpoint), (nameof(PublicEndpoint), PublicEndpoint) })
        {
            if (url.Length > 0 && !Uri.TryCreate(WithScheme(url), UriKind.Absolute, out _)) yield return (name, "is no URL");
        }
        if (WebIdentityTokenFile.Length > 0 && RoleArn.Length == 0) yield return (nameof(RoleArn), "names the role for webIdentityTokenFile");
        if (KeyId.Length > 0 && !Encrypt) yield return (nameof(KeyId), "needs encrypt: true");
        if (PartBytes is < 5 << 20 or > 1 << 30) yield return (nameof(PartBytes), "is 5 MiB to 1 GiB");
        if (PartConcurrency is < 1 or > 64) yield return (nameof(PartConcurrency), "is 1 to 64");
        if (MaxTries < 1) yield return (nameof(MaxTries), "is 1 or more");
        if (Accelerate && Endpoint.Length > 0) yield return (nameof(Accelerate), "is AWS's own: it does not go with an endpoint");
        if (!S3Connection.IsChecksum(Checksum)) yield return (nameof(Checksum), "is crc32, crc32c, crc64nvme, sha1, sha256 or none");
    }

    /// <summary>A URL with the scheme that <see cref="Secure"/> says where it has none.</summary>
    internal string WithScheme(string url) => url.Contains("://", StringComparison.Ordinal) ? url : (Secure ? "https://" : "http://") + url;
}
