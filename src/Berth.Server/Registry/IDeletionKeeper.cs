using Berth.Server.Platform.Data;

namespace Berth.Server.Registry;

/// <summary>What is being deleted, before it is gone.</summary>
/// <param name="ProjectId">Its project.</param>
/// <param name="Repository">Full name of its repository.</param>
/// <param name="ManifestId">The manifest, or the one that the tag points to.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="IsManifest">The manifest itself goes; else only the tag.</param>
/// <param name="Tags">The tags that go: all of a manifest's, or the one.</param>
/// <param name="Actor">Who deletes it.</param>
/// <param name="At">Unix milliseconds.</param>
internal sealed record DeletedContent(long ProjectId, string Repository, long ManifestId, string Digest, bool IsManifest, IReadOnlyList<string> Tags, string Actor, long At);

/// <summary>
/// Keeps what people or rules delete for a while. Declared here because <see cref="Deletes"/> asks it, in the transaction of the deletion; implemented further out.
/// </summary>
internal interface IDeletionKeeper
{
    /// <summary>Takes what it needs to bring the content back.</summary>
    ValueTask KeepAsync(DbSession session, DeletedContent content, CancellationToken ct);
}
