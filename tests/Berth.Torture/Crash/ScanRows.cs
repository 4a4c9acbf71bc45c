using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Berth.Torture.Crash;

/// <summary>The rows of scans, read beside the servers.</summary>
internal sealed class ScanRows(Func<DbConnection> connect)
{
    public static ScanRows OfSqlite(string file) => new(() => new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False"));

    public static ScanRows OfPostgres(string connectionString) => new(() => new NpgsqlConnection(connectionString));

    /// <summary>Images with a report, with the job that made it and when.</summary>
    public Task<IReadOnlyList<string>> FinishedAsync(CancellationToken ct) => TextsAsync("""
        SELECT CAST(manifest_id AS TEXT) || ' job ' || CAST(job_id AS TEXT) || ' at ' || CAST(finished_at AS TEXT) || ' and ' || CAST(reported_at AS TEXT) FROM artifact_scans WHERE state = 1
        """, ct);

    /// <summary>Layers that were read, and when.</summary>
    public Task<IReadOnlyList<string>> LayersAsync(CancellationToken ct) => TextsAsync("SELECT diff_id || ' ' || CAST(stored_at AS TEXT) FROM layer_inventories", ct);

    /// <summary>Who ran scans.</summary>
    public Task<IReadOnlyList<string>> OwnersAsync(CancellationToken ct) => TextsAsync("SELECT DISTINCT lease_owner FROM jobs WHERE kind = 'image_scan'", ct);

    /// <summary>How often scans of images were begun.</summary>
    public Task<long> BegunAsync(CancellationToken ct) => NumberAsync("SELECT COALESCE(SUM(attempts), 0) FROM jobs WHERE kind = 'image_scan'", ct);

    /// <summary>How many scans of images there were to do.</summary>
    public Task<long> AskedAsync(CancellationToken ct) => NumberAsync("SELECT COUNT(*) FROM jobs WHERE kind = 'image_scan'", ct);

    public Task<long> FindingsAsync(CancellationToken ct) => NumberAsync("SELECT COUNT(*) FROM artifact_findings", ct);

    public Task<long> PackagesAsync(CancellationToken ct) => NumberAsync("SELECT COUNT(*) FROM artifact_packages", ct);

    private async Task<long> NumberAsync(string sql, CancellationToken ct) => long.Parse((await TextsAsync($"SELECT CAST(({sql}) AS TEXT)", ct))[0]);

    private async Task<IReadOnlyList<string>> TextsAsync(string sql, CancellationToken ct)
    {
        await using var connection = connect();
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are those above.
        command.CommandText = sql;
#pragma warning restore CA2100
        var found = new List<string>();
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct)) found.Add(rows.GetString(0));
        return found;
    }
}
