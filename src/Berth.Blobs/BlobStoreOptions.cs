using Berth.Blobs.Azure;
using Berth.Blobs.Encryption.Keys;
using Berth.Blobs.Gcs;
using Berth.Blobs.S3;
using Berth.Blobs.Swift;

namespace Berth.Blobs;

/// <summary>Where the bytes live (section <c>storage</c>): the default store, further ones, and what goes where.</summary>
public sealed record BlobStoreOptions
{
    /// <summary>File system: root folder, laid out as Docker Registry does; default <c>storage</c> in the data folder.</summary>
    public string? Root { get; init; }

    /// <summary>Uploads are refused with 507 while the disk has fewer free bytes than this.</summary>
    public long MinFreeBytes { get; init; } = 512L << 20;

    /// <summary>Most file operations that block at a time (Docker Registry's <c>maxthreads</c>); 0 leaves it to the runtime.</summary>
    public int MaxThreads { get; init; }

    /// <summary>The default store is a bucket of S3, or of a service that speaks its protocol, instead of a folder.</summary>
    public S3Options? S3 { get; init; }

    /// <summary>Signed URLs of a CloudFront distribution before the bucket, instead of the bucket's own.</summary>
    public CloudFrontOptions? CloudFront { get; init; }

    /// <summary>A container of Azure Blob Storage.</summary>
    public AzureOptions? Azure { get; init; }

    /// <summary>A bucket of Google Cloud Storage.</summary>
    public GcsOptions? Gcs { get; init; }

    /// <summary>A container of OpenStack Swift.</summary>
    public SwiftOptions? Swift { get; init; }

    /// <summary>Memory for parts of uploads to object stores, all of them together.</summary>
    public long UploadMemoryBytes { get; init; } = 256L << 20;

    /// <summary>Encryption of everything that is written from now on, in all stores.</summary>
    public EncryptionOptions Encryption { get; init; } = new();

    /// <summary>Clients fetch blobs from the object store itself.</summary>
    public RedirectOptions Redirect { get; init; } = new();

    /// <summary>Further stores.</summary>
    public IReadOnlyList<NamedStoreOptions> Stores { get; init; } = [];

    /// <summary>Which projects' new content goes to which store; the first rule that fits counts, all other content goes to the default store.</summary>
    public IReadOnlyList<StoreRuleOptions> Rules { get; init; } = [];
}

/// <summary>A further store; exactly one kind is set.</summary>
public sealed record NamedStoreOptions
{
    /// <summary>Its name: small letters, digits and hyphens; stored with the content, so it stays.</summary>
    public string Name { get; init; } = "";

    /// <summary>Root folder of a file system store.</summary>
    public string? Root { get; init; }

    /// <summary>A bucket of S3, or of a service that speaks its protocol.</summary>
    public S3Options? S3 { get; init; }

    /// <summary>Signed URLs of a CloudFront distribution before the bucket, instead of the bucket's own.</summary>
    public CloudFrontOptions? CloudFront { get; init; }

    /// <summary>A container of Azure Blob Storage.</summary>
    public AzureOptions? Azure { get; init; }

    /// <summary>A bucket of Google Cloud Storage.</summary>
    public GcsOptions? Gcs { get; init; }

    /// <summary>A container of OpenStack Swift.</summary>
    public SwiftOptions? Swift { get; init; }
}

/// <summary>Sends new content of some projects to a store.</summary>
public sealed record StoreRuleOptions
{
    /// <summary>Pattern of project names, such as <c>archive-*</c>.</summary>
    public string Projects { get; init; } = "";

    /// <summary>Name of the store.</summary>
    public string Store { get; init; } = "";
}

/// <summary>When a GET of a blob is answered with a signed URL of the object store (307).</summary>
public sealed record RedirectOptions
{
    /// <summary>Whether at all. Stores that cannot sign, and encrypted content, are served by Berth in any case.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Smallest blob in bytes; smaller ones are served faster than redirected.</summary>
    public long MinBytes { get; init; } = 1 << 20;

    /// <summary>How long a URL is good.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Networks whose clients are redirected, such as <c>10.0.0.0/8</c>; empty: all.</summary>
    public IReadOnlyList<string> Networks { get; init; } = [];

    /// <summary>Networks whose clients never are; they win over <see cref="Networks"/>.</summary>
    public IReadOnlyList<string> ExceptNetworks { get; init; } = [];
}
