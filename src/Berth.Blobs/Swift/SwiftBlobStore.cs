using Berth.Blobs.Objects;

namespace Berth.Blobs.Swift;

/// <summary>Blobs in a container of OpenStack Swift.</summary>
public static class SwiftBlobStore
{
    /// <summary>Opens a store; it is disposed by whoever opened it. Nothing is asked of the service yet (<see cref="IBlobStore.ProbeAsync"/>).</summary>
    public static IBlobStore Open(SwiftOptions options, PartMemory memory, TimeProvider time)
    {
        // Docker Registry's objects lie below "files", so all do.
        var root = $"{options.Prefix.Trim('/')}/files";
        return new ObjectBlobStore(new SwiftClient(options, new ObjectPaths(root), time), root, memory, time);
    }
}
