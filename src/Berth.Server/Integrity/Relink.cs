using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Quotas;

namespace Berth.Server.Integrity;

/// <summary>Links blobs that were recorded anew to the manifests that name them, and to their repositories; then what projects use is counted again.</summary>
internal static class Relink
{
    private const int PageSize = 20;

    /// <summary>Looks at all manifests; what is linked already stays so.</summary>
    public static async Task RunAsync(Database database, CancellationToken ct)
    {
        for (var after = 0L; await ReadAsync(database, after, ct).ConfigureAwait(false) is { Count: > 0 } page; after = page[^1].Id)
        {
            await database.WriteAsync(Durability.Full, async (session, token) =>
            {
                foreach (var manifest in page)
                {
                    if (!ManifestReader.TryRead(manifest.Content, manifest.MediaType, out var document, out _)) continue;
                    var digests = JsonSerializer.Serialize((document.Config is null ? document.Layers : document.Layers.Prepend(document.Config)).Select(d => d.Digest.Value).Distinct());
                    await session.ExecuteAsync(LinkManifest, [manifest.Id, digests], token).ConfigureAwait(false);
                    await session.ExecuteAsync(LinkRepository, [manifest.RepositoryId, manifest.Id, manifest.PushedAt], token).ConfigureAwait(false);
                }
                return true;
            }, ct).ConfigureAwait(false);
        }
        for (var project = 0L; await NextProjectAsync(database, project, ct).ConfigureAwait(false) is { } next; project = next)
            await database.WriteAsync(Durability.Full, (session, token) => ProjectUsage.RecountAsync(session, next, token).AsTask(), ct).ConfigureAwait(false);
    }

    private static ValueTask<long?> NextProjectAsync(Database database, long after, CancellationToken ct) =>
        database.ReadAsync(after, static (session, id, token) => session.ScalarAsync(SelectProject, [id], token), ct);

    private static ValueTask<List<OneManifest>> ReadAsync(Database database, long after, CancellationToken ct) =>
        database.ReadAsync(after, static async (session, id, token) =>
        {
            var found = new List<OneManifest>();
            await using var rows = await session.Command(SelectManifests, id, (long)PageSize).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false))
                found.Add(new OneManifest(rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetFieldValue<byte[]>(3), rows.GetInt64(4)));
            return found;
        }, ct);

    private sealed record OneManifest(long Id, long RepositoryId, string MediaType, byte[] Content, long PushedAt);

    private static readonly Statement SelectManifests = new("SELECT id, repository_id, media_type, content, pushed_at FROM manifests WHERE id > @0 ORDER BY id LIMIT @1");
    private static readonly Statement SelectProject = new("SELECT id FROM projects WHERE id > @0 ORDER BY id LIMIT 1");

    private static readonly Statement LinkManifest = new("""
        INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT @0, b.id FROM json_each(@1) j JOIN blobs b ON b.digest = j.value WHERE true ON CONFLICT DO NOTHING
        """, """
        INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT @0, b.id FROM blobs b WHERE b.digest IN (SELECT jsonb_array_elements_text(@1::jsonb)) ORDER BY b.id ON CONFLICT DO NOTHING
        """);

    private static readonly Statement LinkRepository = new("""
        INSERT INTO repository_blobs (repository_id, blob_id, linked_at) SELECT @0, blob_id, @2 FROM manifest_blobs WHERE manifest_id = @1 ORDER BY blob_id
        ON CONFLICT (repository_id, blob_id) DO NOTHING
        """);
}
