using Berth.Oci;
using Berth.Server.Platform.Storage;
using Berth.Server.Projects;

namespace Berth.Server.Registry;

/// <summary>Makes blobs of what the server itself writes, such as bills of materials: by the same steps as a push, without a request and without events.</summary>
internal sealed class OwnBlobs(BlobCommit commit, BlobStores stores, TimeProvider time)
{
    private const string Owner = "berth";

    /// <summary>Stores bytes and links them to a repository, durably. Safe to run twice.</summary>
    /// <param name="repository">Full name.</param>
    /// <param name="content">The bytes, whole.</param>
    /// <param name="ct">Cancels before it begins; once begun it is carried through.</param>
    /// <returns>The digest; null when the project is gone.</returns>
    public async Task<Digest?> StoreAsync(string repository, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var digest = Digest.Of(content.Span);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var upload = new UploadSession
        {
            Id = UploadSessions.NewId(),
            Repository = repository,
            Owner = Owner,
            Algorithm = digest.Algorithm.Name,
            Store = stores.NameFor(ProjectName.Of(repository)),
            StartedAt = now,
            UpdatedAt = now,
        };
        return await commit.CommitWholeAsync(null, upload, isNew: true, digest, content).ConfigureAwait(false) ? digest : null;
    }
}
