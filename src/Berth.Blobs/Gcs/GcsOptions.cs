using Berth.Blobs.Http;

namespace Berth.Blobs.Gcs;

/// <summary>Content in a bucket of Google Cloud Storage (section <c>storage.gcs</c>).</summary>
public sealed record GcsOptions
{
    /// <summary>Chunks of resumable uploads are multiples of this.</summary>
    internal const int ChunkMultiple = 256 << 10;

    /// <summary>Name of the bucket, which must exist.</summary>
    public string Bucket { get; init; } = "";

    /// <summary>A service account's key file. Empty: <see cref="CredentialsJson"/>, or Google's default credentials (environment, workload identity, metadata server).</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>The content of a key file (Docker Registry's <c>credentials</c>). Secret.</summary>
    public string CredentialsJson { get; init; } = "";

    /// <summary>
    /// Service account in whose name URLs are signed by IAM where there is no private key here (role: Service Account Token Creator on itself); empty: the
    /// account of the metadata server.
    /// </summary>
    public string SignerEmail { get; init; } = "";

    /// <summary>Prefix of all names (Docker Registry's <c>rootdirectory</c>).</summary>
    public string RootDirectory { get; init; } = "";

    /// <summary>URL of the service.</summary>
    public string Endpoint { get; init; } = "https://storage.googleapis.com";

    /// <summary>The same as clients reach it, for signed URLs; empty: as this server does.</summary>
    public string PublicEndpoint { get; init; } = "";

    /// <summary>URL of the service that signs for whoever has no key.</summary>
    public string IamEndpoint { get; init; } = "https://iamcredentials.googleapis.com";

    /// <summary>KMS key of what is written, as <c>projects/…/locations/…/keyRings/…/cryptoKeys/…</c>; empty: the bucket's.</summary>
    public string KmsKey { get; init; } = "";

    /// <summary>Size of a chunk (Docker Registry's <c>chunksize</c>), a multiple of 256 KiB.</summary>
    public int PartBytes { get; init; } = 16 << 20;

    /// <summary>Words of the User-Agent header.</summary>
    public string UserAgent { get; init; } = "";

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

    /// <summary>Most connections at a time (Docker Registry's <c>maxconcurrency</c>).</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>All that is wrong, each with the name of its setting.</summary>
    public IEnumerable<(string Setting, string Problem)> Validate()
    {
        if (Bucket.Length < 3) yield return (nameof(Bucket), "name the bucket");
        if (KeyFile.Length > 0 && CredentialsJson.Length > 0) yield return (nameof(CredentialsJson), "give either keyFile or credentials");
        if (KeyFile.Length > 0 && !File.Exists(KeyFile)) yield return (nameof(KeyFile), $"is no file: {KeyFile}");
        foreach (var (name, url) in new[] { (nameof(Endpoint), Endpoint), (nameof(PublicEndpoint), PublicEndpoint), (nameof(IamEndpoint), IamEndpoint) })
        {
            if ((url.Length > 0 || name != nameof(PublicEndpoint)) && !Uri.TryCreate(url, UriKind.Absolute, out _)) yield return (name, "is no URL");
        }
        if (PartBytes is < ChunkMultiple or > 1 << 30 || PartBytes % ChunkMultiple != 0) yield return (nameof(PartBytes), "is a multiple of 256 KiB up to 1 GiB");
        if (MaxTries < 1) yield return (nameof(MaxTries), "is 1 or more");
    }

    internal StoreHttpOptions ToHttp() => new()
    {
        Name = $"Google Cloud Storage, bucket {Bucket}",
        SkipVerify = SkipVerify,
        ConnectTimeout = ConnectTimeout,
        TryTimeout = TryTimeout,
        MaxTries = MaxTries,
        FirstPause = RetryDelay,
        GiveUpAfter = GiveUpAfter,
        MaxConnections = MaxConnections,
    };
}
