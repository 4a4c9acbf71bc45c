using Berth.Server.Platform.Data;
using Microsoft.Data.Sqlite;

namespace Berth.Microbenchmarks;

/// <summary>
/// A SQLite database as a large registry has it: so many manifests, each with a tag, in repositories of a thousand, with blobs, links and
/// references. Made by SQL alone; the bytes of the blobs do not exist. For <c>bench/run --scale</c>.
/// </summary>
internal static class FilledDatabase
{
    private const int ManifestsPerRepository = 1000;

    public static async Task FillAsync(string file, int manifests, CancellationToken ct)
    {
        await using (var database = SqliteDatabase.Open(file, maxReaders: 4)) await database.MigrateAsync(ct);
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        await connection.OpenAsync(ct);
        await RunAsync(connection, "PRAGMA synchronous=OFF; PRAGMA cache_size=-262144; PRAGMA foreign_keys=OFF; BEGIN", ct);
        var repositories = (manifests + ManifestsPerRepository - 1) / ManifestsPerRepository;
        // The multiplier scatters digests over the index, as hashes are scattered.
        string numbers = $"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {manifests})";
        const string digest = "'sha256:' || printf('%016x%048x', (i * 0x9E3779B97F4A7C15) & 0x7fffffffffffffff, i)";
        await RunAsync(connection, $"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {repositories}) INSERT INTO repositories (name, created_at) SELECT printf('scale/r%05d', i), 1 FROM n", ct);
        await RunAsync(connection, $"{numbers} INSERT INTO blobs (digest, size, created_at) SELECT {digest}, 10240, 1 FROM n", ct);
        await RunAsync(connection, "INSERT INTO repository_blobs (repository_id, blob_id, linked_at) SELECT (id - 1) / 1000 + 1, id, 1 FROM blobs", ct);
        await RunAsync(connection, $$"""
            {{numbers}} INSERT INTO manifests (repository_id, digest, media_type, artifact_type, pushed_at, size, content)
            SELECT (i - 1) / 1000 + 1, {{digest}}, 'application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.config.v1+json', 1, 500,
                   cast(printf('{"schemaVersion":2,"filler":"%0470d"}', i) AS BLOB) FROM n
            """, ct);
        await RunAsync(connection, "INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT id, id FROM manifests", ct);
        await RunAsync(connection, "INSERT INTO tags (repository_id, name, manifest_id, updated_at) SELECT repository_id, printf('v%07d', id), id, 1 FROM manifests", ct);
        await RunAsync(connection, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", ct);
        Console.WriteLine($"{manifests} manifests and tags in {repositories} repositories, {new FileInfo(file).Length / 1_000_000} MB");
    }

    private static async Task RunAsync(SqliteConnection connection, string sql, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(ct);
    }
}
