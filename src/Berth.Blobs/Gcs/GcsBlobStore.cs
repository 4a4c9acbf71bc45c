using Berth.Blobs.Objects;

namespace Berth.Blobs.Gcs;

/// <summary>Blobs in a bucket of Google Cloud Storage, by its JSON interface.</summary>
public static class GcsBlobStore
{
    /// <summary>Opens a store; it is disposed by whoever opened it. Nothing is asked of the service yet (<see cref="IBlobStore.ProbeAsync"/>).</summary>
    public static IBlobStore Open(GcsOptions options, PartMemory memory, TimeProvider time) =>
        new ObjectBlobStore(new GcsClient(options, time), options.RootDirectory, memory, time);
}
