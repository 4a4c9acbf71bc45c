namespace Berth.Server.Registry;

/// <summary>Rules and limits of <c>/v2/</c> (section <c>registry</c>). Sizes are in bytes.</summary>
public sealed record RegistryOptions
{
    private static readonly TimeSpan s_commitPatience = TimeSpan.FromMinutes(10);

    /// <summary>Manifests, tags and blobs may be deleted through the registry API.</summary>
    public bool Delete { get; init; } = true;

    /// <summary>Refuse every push and delete with 405.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Largest manifest.</summary>
    public int MaxManifestBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Largest blob.</summary>
    public long MaxBlobBytes { get; init; } = 100L << 30;

    /// <summary>Smallest chunk asked of clients (<c>OCI-Chunk-Min-Length</c>), except the last; 0 sends no header.</summary>
    public int ChunkMinBytes { get; init; }

    /// <summary>Most upload sessions open at a time for one caller.</summary>
    public int MaxUploadsPerCaller { get; init; } = 10_000;

    /// <summary>An upload untouched for this long is removed with its bytes.</summary>
    public TimeSpan UploadExpiry { get; init; } = TimeSpan.FromDays(7);

    /// <summary>A commit takes milliseconds, and a store's last try minutes; one this old has lost its process.</summary>
    internal TimeSpan CommitPatience => UploadExpiry < s_commitPatience ? UploadExpiry : s_commitPatience;

    /// <summary>How often expired uploads are looked for; zero turns the janitor off.</summary>
    public TimeSpan UploadJanitorInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Only report what the upload janitor would remove.</summary>
    public bool UploadJanitorDryRun { get; init; }

    /// <summary>Most entries of one catalog page.</summary>
    public int CatalogMaxEntries { get; init; } = 1000;

    /// <summary>Entries of a catalog page when the client names no <c>n</c>.</summary>
    public int CatalogDefaultEntries { get; init; } = 100;

    /// <summary>Most tags of one page; 0 returns a whole list to a client that names no <c>n</c>.</summary>
    public int TagsMaxEntries { get; init; }

    /// <summary>Most descriptors of one referrers page.</summary>
    public int ReferrersMaxEntries { get; init; } = 1000;

    /// <summary>Most tags in one manifest PUT (<c>?tag=a&amp;tag=b</c>).</summary>
    public int MaxTagsPerPut { get; init; } = 100;

    /// <summary>Media types of manifests that are accepted beside the OCI and Docker ones; <c>*</c> accepts any.</summary>
    public IReadOnlyList<string> ManifestMediaTypes { get; init; } = ["*"];

    /// <summary>Allowed <c>config.mediaType</c> classes (<c>image</c>, <c>plugin</c>); empty allows all. Docker Registry's <c>policy.repository.classes</c>.</summary>
    public IReadOnlyList<string> RepositoryClasses { get; init; } = [];

    /// <summary>Regular expressions that each URL of a foreign layer must match one of; empty allows all.</summary>
    public IReadOnlyList<string> ManifestUrlAllow { get; init; } = [];

    /// <summary>Regular expressions that no URL of a foreign layer may match.</summary>
    public IReadOnlyList<string> ManifestUrlDeny { get; init; } = [];

    /// <summary>Which children of an index must exist: <c>all</c>, <c>none</c> or <c>list</c> (see <see cref="IndexPlatformList"/>).</summary>
    public IndexPlatforms IndexPlatforms { get; init; } = IndexPlatforms.All;

    /// <summary>Platforms (<c>os/architecture</c>) that must exist when <see cref="IndexPlatforms"/> is <c>list</c>.</summary>
    public IReadOnlyList<string> IndexPlatformList { get; init; } = [];

    /// <summary>Memory for manifests and small blobs.</summary>
    public long ContentCacheBytes { get; init; } = 32L << 20;

    /// <summary>Requests per second that one caller or address may make; 0 means no limit. Beyond: 429 with Retry-After.</summary>
    public int RequestsPerSecond { get; init; }

    /// <summary>Manifests that one caller or address may pull in a minute; 0 means no limit. Beyond: 429 with Retry-After.</summary>
    public int PullsPerMinutePerCaller { get; init; }

    /// <summary>Manifests that one caller may push in a minute; 0 means no limit.</summary>
    public int PushesPerMinutePerCaller { get; init; }

    /// <summary>Manifests that all callers together may pull in a minute; 0 means no limit.</summary>
    public int PullsPerMinute { get; init; }

    /// <summary>Manifests that all callers together may push in a minute; 0 means no limit.</summary>
    public int PushesPerMinute { get; init; }
}

/// <summary>Which children an image index must have in the repository when it is pushed.</summary>
public enum IndexPlatforms
{
    /// <summary>Every child.</summary>
    All,

    /// <summary>None: sparse indexes are accepted.</summary>
    None,

    /// <summary>Those of the listed platforms.</summary>
    List,
}
