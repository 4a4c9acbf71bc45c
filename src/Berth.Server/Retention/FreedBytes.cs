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

    private readonly Dictionary<long, int> _named = [];

    /// <summary>Adds manifests that go.</summary>
    public async ValueTask AddAsync(DbSession session, IEnumerable<long> manifestIds, CancellationToken ct)
    {
        foreach (var ids in manifestIds.Chunk(Batch))
        {
            await using var rows = await session.Command(SelectNamed, JsonSerializer.Serialize(ids)).ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) _named[rows.GetInt64(0)] = _named.GetValueOrDefault(rows.GetInt64(0)) + rows.GetInt32(1);
        }
    }

    /// <summary>The bytes of all that were added.</summary>
    public async ValueTask<long> SumAsync(DbSession session, CancellationToken ct)
    {
        long freed = 0;
        foreach (var ids in _named.Keys.Order().Chunk(Batch))
        {
            await using var rows = await session.Command(SelectUses, JsonSerializer.Serialize(ids)).ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                if (rows.GetInt64(2) == _named[rows.GetInt64(0)]) freed += rows.GetInt64(1);
            }
        }
        return freed;
    }

    private static readonly Statement SelectNamed = new(
        "SELECT blob_id, CAST(COUNT(*) AS integer) FROM manifest_blobs WHERE manifest_id IN (SELECT value FROM json_each(@0)) GROUP BY blob_id",
        "SELECT blob_id, CAST(COUNT(*) AS integer) FROM manifest_blobs WHERE manifest_id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint) GROUP BY blob_id");

    private static readonly Statement SelectUses = new("""
        SELECT b.id, b.size, (SELECT COUNT(*) FROM manifest_blobs m WHERE m.blob_id = b.id) FROM blobs b WHERE b.id IN (SELECT value FROM json_each(@0))
        """, """
        SELECT b.id, b.size, (SELECT COUNT(*) FROM manifest_blobs m WHERE m.blob_id = b.id) FROM blobs b WHERE b.id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint)
        """);
}
