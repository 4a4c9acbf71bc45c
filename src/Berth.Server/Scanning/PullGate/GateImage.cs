using System.Data.Common;
using Berth.Oci;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.PullGate;

/// <summary>An image as the gate looks at it: what its last good scan counted, and how far its newest is.</summary>
internal sealed record GateImage
{
    public long ManifestId { get; init; }

    public required string Digest { get; init; }

    /// <summary>First push, Unix milliseconds.</summary>
    public long CreatedAt { get; init; }

    /// <summary>Whether a scan was ever asked for.</summary>
    public bool IsRequested { get; init; }

    public ScanState State { get; init; }

    /// <summary>Why the newest scan failed; null when it did not.</summary>
    public string? Problem { get; init; }

    /// <summary>When the last good report was made, Unix milliseconds; null without one.</summary>
    public long? ReportedAt { get; init; }

    public long DatabaseBuiltAt { get; init; }

    /// <summary>Findings by their rank: [1] unknown to [5] critical.</summary>
    public required int[] Counts { get; init; }

    /// <summary>Findings with a repair.</summary>
    public int Fixable { get; init; }

    /// <summary>Findings of a rank or more.</summary>
    public int CountFrom(int threshold)
    {
        var sum = 0;
        for (var rank = Math.Max(1, threshold); rank < Counts.Length; rank++) sum += Counts[rank];
        return sum;
    }
}

/// <summary>Finds what the gate judges.</summary>
internal static class GateImages
{
    private const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>Whether a manifest is one that a machine can run: an image's configuration, and at least one layer of files. Signatures, attestations and charts are not.</summary>
    public static bool IsRunnable(ManifestDocument manifest) =>
        manifest.Config?.MediaType is MediaTypes.OciConfig or DockerConfig && manifest.Layers.Any(static layer => layer.MediaType.Contains("tar", StringComparison.Ordinal));

    /// <summary>
    /// The images that are pulled with a manifest: itself, or those of an index and of the indexes in it. Entries for no operating system (attestations of BuildKit) are left out: whoever pulls one of
    /// those pulls it by its digest, and it is judged then.
    /// </summary>
    public static async ValueTask<List<GateImage>> OfAsync(DbSession session, string repository, string digest, IReadOnlyCollection<string> left, CancellationToken ct)
    {
        var found = new List<GateImage>();
        await using var rows = await session.Command(SelectTree, repository, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (MediaTypes.IsIndex(rows.GetString(2)) || rows.GetString(1) != digest && (!IsImage(rows.GetString(3)) || left.Contains(rows.GetString(1)))) continue;
            found.Add(Read(rows));
        }
        return found;
    }

    /// <summary>Digests of an index's entries that stand for no operating system.</summary>
    public static IReadOnlyCollection<string> LeftOut(ManifestDocument index) =>
        [.. index.Manifests.Where(static entry => entry.Os == "unknown" && entry.Architecture == "unknown").Select(static entry => entry.Digest.Value)];

    // What it is by its configuration; one that says by annotations that it is a Wasm module can be run too.
    private static bool IsImage(string configType) => configType is MediaTypes.OciConfig or DockerConfig or "application/vnd.wasm.config.v1+json";

    private static GateImage Read(DbDataReader row) => new()
    {
        ManifestId = row.GetInt64(0),
        Digest = row.GetString(1),
        CreatedAt = row.GetInt64(4),
        IsRequested = !row.IsDBNull(5),
        State = row.IsDBNull(5) ? ScanState.Requested : (ScanState)row.GetInt32(5),
        Problem = row.IsDBNull(6) ? null : row.GetString(6),
        ReportedAt = row.IsDBNull(7) ? null : row.GetInt64(7),
        DatabaseBuiltAt = row.IsDBNull(8) ? 0 : row.GetInt64(8),
        Counts = row.IsDBNull(5) ? new int[6] : [0, row.GetInt32(9), row.GetInt32(10), row.GetInt32(11), row.GetInt32(12), row.GetInt32(13)],
        Fixable = row.IsDBNull(14) ? 0 : row.GetInt32(14),
    };

    private const string Columns = """
        m.id, m.digest, m.media_type, m.config_type, m.created_at, s.state, s.problem, s.reported_at, s.database_built_at, s.unknown, s.low, s.medium, s.high, s.critical, s.fixable
        """;

    private static readonly Statement SelectTree = new($"""
        WITH RECURSIVE tree(id, depth) AS (
            SELECT m.id, 0 FROM repositories r JOIN manifests m ON m.repository_id = r.id AND m.digest = @1 WHERE r.name = @0
            UNION
            SELECT c.id, t.depth + 1 FROM tree t JOIN manifest_children l ON l.manifest_id = t.id JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest WHERE t.depth < 4
        )
        SELECT {Columns} FROM (SELECT DISTINCT id FROM tree) t JOIN manifests m ON m.id = t.id LEFT JOIN artifact_scans s ON s.manifest_id = m.id ORDER BY m.id
        """);
}
