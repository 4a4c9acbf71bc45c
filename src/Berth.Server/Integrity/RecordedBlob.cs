using System.Data.Common;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Integrity;

/// <summary>A blob as its row says.</summary>
/// <param name="Id">Id of the row.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Location">Where its bytes lie.</param>
/// <param name="IsQuarantined">Whether they are known to be wrong or missing.</param>
internal sealed record RecordedBlob(long Id, Digest Digest, long Size, BlobLocation Location, bool IsQuarantined)
{
    private const int MaxOfSize = 10_000;
    private const string Columns = "SELECT id, digest, size, store, key, quarantined_at FROM blobs";

    /// <summary>The next blobs behind an id, in the order of their ids.</summary>
    public static ValueTask<List<RecordedBlob>> NextAsync(Database database, long after, int limit, CancellationToken ct) =>
        database.ReadAsync((after, (long)limit), static (session, q, token) => ReadAsync(session.Command(SelectNext, q.after, q.Item2), token), ct);

    /// <summary>The next quarantined blobs behind an id.</summary>
    public static ValueTask<List<RecordedBlob>> NextQuarantinedAsync(Database database, long after, int limit, CancellationToken ct) =>
        database.ReadAsync((after, (long)limit), static (session, q, token) => ReadAsync(session.Command(SelectQuarantined, q.after, q.Item2), token), ct);

    /// <summary>Quarantined blobs of a size.</summary>
    public static ValueTask<List<RecordedBlob>> QuarantinedOfSizeAsync(Database database, long size, CancellationToken ct) =>
        database.ReadAsync(size, static (session, bytes, token) => ReadAsync(session.Command(SelectOfSize, bytes, (long)MaxOfSize), token), ct);

    /// <summary>Whether the row still says the same.</summary>
    public async ValueTask<bool> IsCurrentAsync(Database database, CancellationToken ct) =>
        await database.ReadAsync(this, static async (session, blob, token) =>
            (await ReadAsync(session.Command(SelectOne, blob.Id), token).ConfigureAwait(false)).Contains(blob), ct).ConfigureAwait(false);

    /// <summary>Reads all rows of a command.</summary>
    public static async ValueTask<List<RecordedBlob>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var found = new List<RecordedBlob>();
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var location = new BlobLocation(rows.GetString(3), rows.IsDBNull(4) ? null : rows.GetString(4));
            found.Add(new RecordedBlob(rows.GetInt64(0), Digest.Parse(rows.GetString(1)), rows.GetInt64(2), location, !rows.IsDBNull(5)));
        }
        return found;
    }

    private static readonly Statement SelectNext = new(Columns + " WHERE id > @0 ORDER BY id LIMIT @1");
    private static readonly Statement SelectQuarantined = new(Columns + " WHERE quarantined_at IS NOT NULL AND id > @0 ORDER BY id LIMIT @1");
    private static readonly Statement SelectOfSize = new(Columns + " WHERE quarantined_at IS NOT NULL AND size = @0 ORDER BY id LIMIT @1");
    private static readonly Statement SelectOne = new(Columns + " WHERE id = @0");
}
