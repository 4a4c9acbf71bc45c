using Berth.Blobs;
using Berth.Blobs.Encryption;
using Berth.Blobs.Encryption.Keys;
using Berth.Blobs.FileSystem;
using Berth.Blobs.Objects;
using Berth.Blobs.S3;
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
        var stores = new Dictionary<string, IBlobStore>(StringComparer.Ordinal)
        {
            [BlobStores.DefaultName] = Encrypted(
                options.S3 is { } s3 ? S3BlobStore.Open(s3, memory, time) : Folder(RootOf(options, dataFolder)), options.Encryption, keys),
        };
        foreach (var store in options.Stores)
            stores[store.Name] = Encrypted(store.S3 is { } bucket ? S3BlobStore.Open(bucket, memory, time) : Folder(store.Root!), options.Encryption, keys);
        foreach (var name in stores.Keys.ToList()) stores[name] = wrap(name, stores[name]);
        return new BlobStores(stores, BlobStores.DefaultName, [.. options.Rules.Select(rule => new StoreRule(rule.Projects, rule.Store))], keys);

        FileSystemBlobStore Folder(string root) => new(root, options.MinFreeBytes, time, byKey: options.Encryption.Enabled);
    }

    /// <summary>Folder that <c>docker/</c> lies in.</summary>
    public static string RootOf(BlobStoreOptions options, string dataFolder) => options.Root ?? Path.Join(dataFolder, "storage");

    private static IBlobStore Encrypted(IBlobStore store, EncryptionOptions options, DataKeys? keys) =>
        keys is null ? store : new EncryptedBlobStore(store, keys, options.Enabled);
}
