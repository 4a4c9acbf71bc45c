using Berth.Blobs.Objects;

namespace Berth.Blobs.S3;

/// <summary>Blobs in a bucket of S3 or of a service that speaks its protocol.</summary>
public static class S3BlobStore
{
    /// <summary>Opens a store; it is disposed by whoever opened it. Nothing is asked of the service yet (<see cref="IBlobStore.ProbeAsync"/>).</summary>
    /// <param name="options">Where the bucket is and how it is used.</param>
    /// <param name="cloudFront">What signs URLs in place of the bucket; null, or without a base URL: nothing.</param>
    /// <param name="memory">The memory of uploads, one for the process.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="IOException">The settings lead to no client.</exception>
    public static IBlobStore Open(S3Options options, CloudFrontOptions? cloudFront, PartMemory memory, TimeProvider time)
    {
        var signer = cloudFront is { BaseUrl.Length: > 0 } ? new CloudFrontSigner(cloudFront, time) : null;
        return new ObjectBlobStore(new S3Client(options, signer, time), options.RootDirectory, memory, time);
    }
}
