using Berth.Blobs;
using Berth.Blobs.Azure;
using Berth.Blobs.Encryption;
using Berth.Blobs.Encryption.Keys;
using Berth.Blobs.FileSystem;
using Berth.Blobs.Gcs;
using Berth.Blobs.Objects;
using Berth.Blobs.S3;
using Berth.Blobs.Swift;
using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Storage;

/// <summary>Opens the blob stores that the settings describe.</summary>
internal static class StoreSetup
{
    /// <summary>Opens all of them. Nothing is asked of a remote service yet.</summary>
    /// <param name="options">Section <c>storage</c>.</param>
    /// <param name="dataFolder">Where a file system store without a root lies.</param>
    /// <param name="database">Keeps the data keys of encrypted content.</param>
    /// <param name="time">Clock.</param>
    /// <param name="wrap">Put around each store by name; what it returns is used.</param>
    /// <exception cref="IOException">A folder cannot be made, or a key not be read.</exception>
    public static BlobStores Open(BlobStoreOptions options, string dataFolder, Database database, TimeProvider time, Func<string, IBlobStore, IBlobStore> wrap)
    {
        var memory = new PartMemory(options.UploadMemoryBytes);
        var masterKeys = MasterKeys.Open(options.Encryption, time);
        var keys = masterKeys.Count > 0 ? new DataKeys(new DataKeyTable(database), masterKeys, time) : null;
        if (keys is not null) database.Announcements.Subscribe(Topics.DataKeys, _ => keys.ForgetCurrent());
        var stores = new Dictionary<string, IBlobStore>(StringComparer.Ordinal)
        {
            [BlobStores.DefaultName] = Encrypted(
                Remote(options.S3, options.CloudFront, options.Azure, options.Gcs, options.Swift, memory, time) ?? Folder(RootOf(options, dataFolder)), options.Encryption, keys),
        };
        foreach (var store in options.Stores)
            stores[store.Name] = Encrypted(Remote(store.S3, store.CloudFront, store.Azure, store.Gcs, store.Swift, memory, time) ?? Folder(store.Root!), options.Encryption, keys);
        foreach (var name in stores.Keys.ToList()) stores[name] = wrap(name, stores[name]);
        return new BlobStores(stores, BlobStores.DefaultName, [.. options.Rules.Select(rule => new StoreRule(rule.Projects, rule.Store))], keys);

        FileSystemBlobStore Folder(string root) => new(root, options.MinFreeBytes, time, byKey: options.Encryption.Enabled);
    }

    /// <summary>Folder that <c>docker/</c> lies in.</summary>
    public static string RootOf(BlobStoreOptions options, string dataFolder) => options.Root ?? Path.Join(dataFolder, "storage");

    /// <summary>
    /// A further store for backups: never encrypted by the keys of this installation, which are in no backup; and by key, whatever it is.
    /// </summary>
    public static IBlobStore OpenForBackups(BlobStoreOptions options, string name, TimeProvider time)
    {
        var store = options.Stores.First(s => s.Name == name);
        return Remote(store.S3, null, store.Azure, store.Gcs, store.Swift, new PartMemory(options.UploadMemoryBytes), time)
            ?? new FileSystemBlobStore(store.Root!, options.MinFreeBytes, time, byKey: true);
    }

    /// <summary>What Docker Registry has left in the bucket of the default store; null where that is a folder.</summary>
    public static RegistryObjects? OpenRegistry(BlobStoreOptions options, TimeProvider time) =>
        Remote(options.S3, null, options.Azure, options.Gcs, options.Swift, new PartMemory(), time) is { } store ? RegistryObjects.Of(store) : null;

    /// <summary>The bucket or container of the default store, for people; null where that is a folder.</summary>
    public static string? BucketOf(BlobStoreOptions options) =>
        options.S3 is { } s3 ? Url("s3", s3.Bucket, s3.RootDirectory)
        : options.Azure is { } azure ? Url("azure", azure.Container, azure.RootDirectory)
        : options.Gcs is { } gcs ? Url("gs", gcs.Bucket, gcs.RootDirectory)
        : options.Swift is { } swift ? Url("swift", swift.Container, swift.Prefix)
        : null;

    private static string Url(string scheme, string bucket, string? prefix) => $"{scheme}://{bucket}/{prefix?.Trim('/')}".TrimEnd('/');

    private static IBlobStore? Remote(
        S3Options? s3, CloudFrontOptions? cloudFront, AzureOptions? azure, GcsOptions? gcs, SwiftOptions? swift, PartMemory memory, TimeProvider time) =>
        s3 is not null ? S3BlobStore.Open(s3, cloudFront, memory, time)
        : azure is not null ? AzureBlobStore.Open(azure, memory, time)
        : gcs is not null ? GcsBlobStore.Open(gcs, memory, time)
        : swift is not null ? SwiftBlobStore.Open(swift, memory, time)
        : null;

    private static IBlobStore Encrypted(IBlobStore store, EncryptionOptions options, DataKeys? keys) =>
        keys is null ? store : new EncryptedBlobStore(store, keys, options.Enabled);
}
