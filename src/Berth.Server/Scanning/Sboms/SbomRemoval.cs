using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Scanning.Sboms;

/// <summary>
/// Takes the bill of materials that this server made along when its image is deleted, in the same transaction and whichever way it is deleted. What others attached stays: it is for garbage
/// collection, as all referrers are.
/// </summary>
internal sealed class SbomRemoval(ContentCache cache, TimeProvider time) : IRegistryEventWriter
{
    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => action == RegistryEventAction.Delete;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        if (registryEvent.IsBlob || registryEvent.Action != RegistryEventAction.Delete || registryEvent.Digest is not { } image) return;
        var (repositoryId, found) = (0L, new List<(long Id, string Digest)>());
        await using (var rows = await session.Command(SelectOrphans, registryEvent.Repository, image, ArtifactKinds.HarborSbom).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                repositoryId = rows.GetInt64(0);
                found.Add((rows.GetInt64(1), rows.GetString(2)));
            }
        }
        if (found.Count == 0) return;
        await ManifestRemoval.RemoveAsync(session, repositoryId, [.. found.Select(static one => one.Id)], time.GetUtcNow().ToUnixTimeMilliseconds(), ct).ConfigureAwait(false);
        session.AfterCommit(() =>
        {
            foreach (var (_, digest) in found) cache.RemoveManifest(registryEvent.Repository, Digest.Parse(digest));
        });
    }

    // The image itself is gone by now; a tag that was deleted leaves it there.
    private static readonly Statement SelectOrphans = new($"""
        SELECT r.id, m.id, m.digest FROM repositories r JOIN manifests m ON m.repository_id = r.id AND m.subject = @1 AND m.subject IS NOT NULL
        WHERE r.name = @0 AND m.accessory_kind = @2 AND m.annotations LIKE '%{SbomStore.Mark}%' AND m.archive = 0
            AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repository_id = r.id AND s.digest = @1) AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
            AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = r.id AND l.child_digest = m.digest)
        """);
}
