using Berth.Blobs;
using Berth.Blobs.FileSystem;

namespace Berth.Server.Platform.Storage;

/// <summary>Opens the blob stores that the settings describe.</summary>
internal static class StoreSetup
{
    /// <summary>Opens all of them.</summary>
    /// <param name="options">Section <c>storage</c>.</param>
    /// <param name="dataFolder">Where a file system store without a root lies.</param>
    /// <param name="time">Clock.</param>
    /// <param name="wrap">Put around each store by name; what it returns is used.</param>
    public static BlobStores Open(BlobStoreOptions options, string dataFolder, TimeProvider time, Func<string, IBlobStore, IBlobStore> wrap)
    {
        var stores = new Dictionary<string, IBlobStore>(StringComparer.Ordinal)
        {
            [BlobStores.DefaultName] = wrap(BlobStores.DefaultName, new FileSystemBlobStore(RootOf(options, dataFolder), options.MinFreeBytes, time)),
        };
        return new BlobStores(stores, BlobStores.DefaultName, []);
    }

    /// <summary>Folder that <c>docker/</c> lies in.</summary>
    public static string RootOf(BlobStoreOptions options, string dataFolder) => options.Root ?? Path.Join(dataFolder, "storage");
}
