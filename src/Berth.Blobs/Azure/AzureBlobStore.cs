using Berth.Blobs.Objects;

namespace Berth.Blobs.Azure;

/// <summary>Blobs in a container of Azure Blob Storage, by its REST interface.</summary>
public static class AzureBlobStore
{
    /// <summary>Opens a store; it is disposed by whoever opened it. Nothing is asked of the service yet (<see cref="IBlobStore.ProbeAsync"/>).</summary>
    public static IBlobStore Open(AzureOptions options, PartMemory memory, TimeProvider time) =>
        new ObjectBlobStore(new AzureClient(options.Resolved(), time), options.RootDirectory, memory, time);
}
