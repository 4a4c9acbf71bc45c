using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning;

/// <summary>What the images that are built on a stored image have together.</summary>
/// <param name="Repository">Full name of the base image's repository.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Derived">Scanned images that are built on it.</param>
/// <param name="Critical">Findings of those.</param>
/// <param name="High">Findings of those.</param>
/// <param name="Medium">Findings of those.</param>
/// <param name="Low">Findings of those.</param>
/// <param name="Unknown">Findings of those.</param>
internal sealed record BaseFigure(string Repository, string Digest, long Derived, long Critical, long High, long Medium, long Low, long Unknown);

/// <summary>Findings by base image, for administrators. It goes through the chains of all images, and is therefore asked for every five minutes at most and by one at a time.</summary>
internal sealed class BaseFigures(Database database, TimeProvider time) : IDisposable
{
    private const int Most = 10;

    private static readonly TimeSpan s_kept = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _one = new(1);
    private IReadOnlyList<BaseFigure> _known = [];
    private long _readAt;
    private bool _isRead;

    public void Dispose() => _one.Dispose();

    /// <summary>The base images on which most is built.</summary>
    public async Task<IReadOnlyList<BaseFigure>> ReadAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            // An empty answer is quickly read again, and soon no longer true.
            if (_isRead && _known.Count > 0 && time.GetElapsedTime(_readAt) < s_kept) return _known;
            _known = await database.ReadAsync(0, static async ValueTask<IReadOnlyList<BaseFigure>> (session, _, token) =>
            {
                var found = new List<BaseFigure>();
                await using var rows = await session.Command(Select, (long)Most).ExecuteReaderAsync(token).ConfigureAwait(false);
                while (await rows.ReadAsync(token).ConfigureAwait(false))
                    found.Add(new BaseFigure(rows.GetString(0), rows.GetString(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetInt64(5), rows.GetInt64(6), rows.GetInt64(7)));
                return found;
            }, ct).ConfigureAwait(false);
            (_readAt, _isRead) = (time.GetTimestamp(), true);
            return _known;
        }
        finally
        {
            _one.Release();
        }
    }

    // A whole chain that is the beginning of others.
    private static readonly Statement Select = new("""
        SELECT r.name, m.digest, x.derived, x.critical, x.high, x.medium, x.low, x.unknown FROM (
            SELECT b.manifest_id AS id, COUNT(*) AS derived, CAST(SUM(s.critical) AS bigint) AS critical, CAST(SUM(s.high) AS bigint) AS high, CAST(SUM(s.medium) AS bigint) AS medium,
                CAST(SUM(s.low) AS bigint) AS low, CAST(SUM(s.unknown) AS bigint) AS unknown
            FROM image_chains b JOIN image_chains d ON d.chain_id = b.chain_id AND NOT d.is_whole
            JOIN artifact_scans s ON s.manifest_id = d.manifest_id AND s.reported_at IS NOT NULL
            WHERE b.is_whole AND b.layers > 0 GROUP BY b.manifest_id ORDER BY 2 DESC, 1 LIMIT @0) x
        JOIN manifests m ON m.id = x.id JOIN repositories r ON r.id = m.repository_id ORDER BY x.derived DESC, x.id
        """);
}
