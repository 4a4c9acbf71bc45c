using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Scanning;

/// <summary>What is known about the scan of one image.</summary>
public sealed record ScanRow
{
    public required long ManifestId { get; init; }

    public required long JobId { get; init; }

    /// <summary>Harbor's word: <c>Pending</c>, <c>Running</c>, <c>Success</c>, <c>Error</c> or <c>Stopped</c>.</summary>
    public required string Status { get; init; }

    public long RequestedAt { get; init; }

    public long? StartedAt { get; init; }

    public long? FinishedAt { get; init; }

    public long? ReportedAt { get; init; }

    public long? DatabaseBuiltAt { get; init; }

    /// <summary>The scanner outside that has made the report; null for the built-in one.</summary>
    public ScannerNameJson? Scanner { get; init; }

    public int Critical { get; init; }

    public int High { get; init; }

    public int Medium { get; init; }

    public int Low { get; init; }

    public int Unknown { get; init; }

    public int Fixable { get; init; }

    /// <summary>Why the newest scan failed; null when it did not.</summary>
    public string? Problem { get; init; }

    public int Total => Critical + High + Medium + Low + Unknown;

    /// <summary>Scans of images by their manifests.</summary>
    public static async ValueTask<Dictionary<long, ScanRow>> ReadAsync(DbSession session, IEnumerable<long> manifests, CancellationToken ct)
    {
        var found = new Dictionary<long, ScanRow>();
        await using var rows = await session.Command(Select, JsonSerializer.Serialize(manifests)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var (state, job) = ((ScanState)rows.GetInt32(2), rows.IsDBNull(3) ? (JobState?)null : (JobState)rows.GetInt32(3));
            found[rows.GetInt64(0)] = new ScanRow
            {
                ManifestId = rows.GetInt64(0),
                JobId = rows.GetInt64(1),
                Status = StatusOf(state, job, isBegun: !rows.IsDBNull(5)),
                RequestedAt = rows.GetInt64(4),
                StartedAt = rows.IsDBNull(5) ? null : rows.GetInt64(5),
                FinishedAt = rows.IsDBNull(6) ? null : rows.GetInt64(6),
                ReportedAt = rows.IsDBNull(7) ? null : rows.GetInt64(7),
                DatabaseBuiltAt = rows.IsDBNull(8) ? null : rows.GetInt64(8),
                Critical = rows.GetInt32(9),
                High = rows.GetInt32(10),
                Medium = rows.GetInt32(11),
                Low = rows.GetInt32(12),
                Unknown = rows.GetInt32(13),
                Fixable = rows.GetInt32(14),
                Problem = rows.IsDBNull(15) ? null : rows.GetString(15),
                Scanner = rows.IsDBNull(16) ? null : JsonSerializer.Deserialize(rows.GetString(16), ScanApiJson.Default.ScannerNameJson),
            };
        }
        return found;
    }

    /// <summary>The last good report of an image; null when there is none.</summary>
    public static async ValueTask<byte[]?> ReadReportAsync(DbSession session, long manifest, CancellationToken ct)
    {
        await using var row = await session.Command(SelectReport, manifest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) && !row.IsDBNull(0) ? row.GetFieldValue<byte[]>(0) : null;
    }

    /// <summary>The status of a scan in Harbor's words, by its row and its job. One that has begun and waits (for a scanner outside) is running.</summary>
    public static string StatusOf(ScanState state, JobState? job, bool isBegun = false) => (state, job) switch
    {
        (ScanState.Done, _) => "Success",
        (ScanState.Failed, _) => "Error",
        (_, JobState.Running) => "Running",
        (_, JobState.Pending) when isBegun => "Running",
        (_, JobState.Pending or JobState.Waiting) => "Pending",
        (_, JobState.Cancelled) => "Stopped",
        // It gave up, or its job is gone and never told.
        _ => "Error",
    };

    private const string Columns = """
        s.manifest_id, s.job_id, s.state, j.state, s.requested_at, s.started_at, s.finished_at, s.reported_at, s.database_built_at, s.critical, s.high, s.medium, s.low, s.unknown, s.fixable,
            s.problem, s.scanner
        """;

    private static readonly Statement Select = new(
        $"SELECT {Columns} FROM json_each(@0) x JOIN artifact_scans s ON s.manifest_id = x.value LEFT JOIN jobs j ON j.id = s.job_id",
        $"SELECT {Columns} FROM artifact_scans s LEFT JOIN jobs j ON j.id = s.job_id WHERE s.manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))");

    private static readonly Statement SelectReport = new("SELECT report FROM artifact_scans WHERE manifest_id = @0");
}
