using System.Text.Json;
using Berth.Server.Platform.Data;

namespace Berth.Server.Retention;

/// <summary>
/// Counts exactly which bytes of the blob stores nothing would name any more if manifests went: a blob is freed when all manifests that name it, in whatever repository,
/// are among them.
/// </summary>
internal sealed class FreedBytes
{
    private const int Batch = 5_000;

    private readonly Dictionary<long, (long Size, int Named)> _blobs = [];

    /// <summary>Adds manifests that go, while they are still there.</summary>
    public async ValueTask AddAsync(DbSession session, IEnumerable<long> manifestIds, CancellationToken ct)
    {
        foreach (var ids in manifestIds.Chunk(Batch))
        {
            await using var rows = await session.Command(SelectNamed, JsonSerializer.Serialize(ids)).ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) _blobs[rows.GetInt64(0)] = (rows.GetInt64(1), _blobs.GetValueOrDefault(rows.GetInt64(0)).Named + rows.GetInt32(2));
        }
    }

    /// <summary>The bytes of all that were added.</summary>
    /// <param name="session">A session.</param>
    /// <param name="areGone">Whether the manifests have been deleted since: then nothing may name a blob; else nothing but them.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<long> SumAsync(DbSession session, bool areGone, CancellationToken ct)
    {
        long freed = 0;
        foreach (var ids in _blobs.Keys.Order().Chunk(Batch))
        {
            var uses = new Dictionary<long, long>();
            await using var rows = await session.Command(SelectUses, JsonSerializer.Serialize(ids)).ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) uses[rows.GetInt64(0)] = rows.GetInt64(1);
            freed += ids.Where(id => uses.GetValueOrDefault(id) == (areGone ? 0 : _blobs[id].Named)).Sum(id => _blobs[id].Size);
        }
        return freed;
    }

    private static readonly Statement SelectNamed = new("""
        SELECT b.id, b.size, CAST(COUNT(*) AS integer) FROM manifest_blobs m JOIN blobs b ON b.id = m.blob_id WHERE m.manifest_id IN (SELECT value FROM json_each(@0)) GROUP BY b.id, b.size
        """, """
        SELECT b.id, b.size, CAST(COUNT(*) AS integer) FROM manifest_blobs m JOIN blobs b ON b.id = m.blob_id
        WHERE m.manifest_id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint) GROUP BY b.id, b.size
        """);

    private static readonly Statement SelectUses = new(
        "SELECT blob_id, COUNT(*) FROM manifest_blobs WHERE blob_id IN (SELECT value FROM json_each(@0)) GROUP BY blob_id",
        "SELECT blob_id, COUNT(*) FROM manifest_blobs WHERE blob_id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint) GROUP BY blob_id");
}
