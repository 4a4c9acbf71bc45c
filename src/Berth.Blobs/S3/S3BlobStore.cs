using Berth.Blobs.Objects;

namespace Berth.Blobs.S3;

/// <summary>Blobs in a bucket of S3 or of a service that speaks its protocol.</summary>
public static class S3BlobStore
{
    /// <summary>Opens a store; it is disposed by whoever opened it. Nothing is asked of the service yet (<see cref="IBlobStore.ProbeAsync"/>).</summary>
    /// <exception cref="IOException">The settings lead to no client.</exception>
    public static IBlobStore Open(S3Options options, PartMemory memory, TimeProvider time) =>
        new ObjectBlobStore(new S3Client(options, time), options.RootDirectory, memory, time);
}
