using System.IO.Compression;
using System.Text.Json;
using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Backup;

/// <summary>
/// Fills a migrated database from an export (<see cref="DatabaseExport"/>) in one transaction: all of it or nothing. Blobs get the place where the restore
/// has put them.
/// </summary>
internal sealed class DatabaseImport(string store, Func<Digest, BlobPlace> placeOf)
{
    private const int BatchRows = 200;

    // What a database has that somebody uses.
    private static readonly string[] s_telling = ["projects", "users", "repositories", "blobs"];

    /// <summary>Tables whose rows are left out; for a restore without the secret key.</summary>
    public IReadOnlySet<string> LeftOut { get; init; } = new HashSet<string>();

    /// <summary>Whether nobody has used the database yet.</summary>
    public static async Task<bool> IsEmptyAsync(Database database, CancellationToken ct) =>
        await database.ReadAsync(0, static async (session, _, token) =>
        {
            foreach (var table in s_telling)
            {
                await using var command = session.OneTimeCommand($"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS t", []);
                if (Convert.ToInt64(await command.ExecuteScalarAsync(token).ConfigureAwait(false), provider: null) > 0) return false;
            }
            return true;
        }, ct).ConfigureAwait(false);

    /// <summary>Replaces everything in the database; the number of rows.</summary>
    /// <exception cref="InvalidDataException">The export is damaged, or of a newer version.</exception>
    public Task<long> RunAsync(Database database, string exportFile, CancellationToken ct) =>
        // Files are read with blocking calls: on SQLite the work runs on the writer's thread.
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            IReadOnlyList<ExportTable> tables;
            await using (var context = session.NewContext()) tables = ExportTables.Of(context);
            foreach (var table in tables.Reverse()) await ExecuteAsync(session, $"DELETE FROM \"{table.Name}\"", token).ConfigureAwait(false);
            // What was the key of another installation is nobody's any more.
            await ExecuteAsync(session, $"DELETE FROM installation_facts WHERE name = '{SecretKeyCheck.Fact}'", token).ConfigureAwait(false);
            using var lines = new StreamReader(new GZipStream(File.OpenRead(exportFile), CompressionMode.Decompress));
            var rows = await ReadAsync(session, tables.ToDictionary(t => t.Name), lines, token).ConfigureAwait(false);
            if (session.Kind == DatabaseKind.Postgres)
            {
                foreach (var table in tables) await MoveSequenceAsync(session, table, token).ConfigureAwait(false);
            }
            return rows;
        }, ct);

    private async Task<long> ReadAsync(DbSession session, Dictionary<string, ExportTable> tables, StreamReader lines, CancellationToken ct)
    {
        Rows? current = null;
        long all = 0;
        while (lines.ReadLine() is { } line)
        {
            ct.ThrowIfCancellationRequested();
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Array)
            {
                await (current ?? throw Damaged()).AddAsync(root, ct).ConfigureAwait(false);
            }
            else if (root.TryGetProperty("table", out var name))
            {
                current = NewRows(session, tables, name.GetString()!, [.. root.GetProperty("columns").EnumerateArray().Select(c => c.GetString()!)]);
            }
            else if (root.TryGetProperty("end", out _))
            {
                await (current ?? throw Damaged()).FlushAsync(ct).ConfigureAwait(false);
                if (current.Count != root.GetProperty("rows").GetInt64()) throw Damaged();
                all += current.Count;
                current = null;
            }
            else if (root.TryGetProperty("done", out _))
            {
                return all;
            }
        }
        throw Damaged();
    }

    private Rows NewRows(DbSession session, Dictionary<string, ExportTable> tables, string name, string[] columns)
    {
        if (!tables.TryGetValue(name, out var table)) throw new InvalidDataException($"the backup has a table {name}, which this version does not know: restore with a newer version of Berth");
        if (columns.FirstOrDefault(c => table.Columns.All(known => known.Name != c)) is { } unknown)
            throw new InvalidDataException($"the backup has a column {name}.{unknown}, which this version does not know: restore with a newer version of Berth");
        return new Rows(session, table, columns, LeftOut.Contains(name), name == "blobs" ? Relocate : null);
    }

    // The bytes lie where the restore has put them.
    private void Relocate(string[] columns, object?[] values)
    {
        var place = placeOf(Digest.Parse((string)values[Array.IndexOf(columns, "digest")]!));
        values[Array.IndexOf(columns, "store")] = store;
        values[Array.IndexOf(columns, "key")] = place.Key;
    }

    // Identity columns go on after the highest number that was restored.
    private static async Task MoveSequenceAsync(DbSession session, ExportTable table, CancellationToken ct)
    {
        if (table.Key.Count != 1) return;
        var key = table.Key[0];
        await using var find = session.OneTimeCommand("SELECT pg_get_serial_sequence(@0, @1)", [$"\"{table.Name}\"", key]);
        if (await find.ExecuteScalarAsync(ct).ConfigureAwait(false) is not string sequence) return;
        await using var move = session.OneTimeCommand($"SELECT setval(@0::regclass, coalesce((SELECT max(\"{key}\") FROM \"{table.Name}\"), 0) + 1, false)", [sequence]);
        await move.ExecuteScalarAsync(ct).ConfigureAwait(false);
    }

    private static async Task ExecuteAsync(DbSession session, string sql, CancellationToken ct)
    {
        await using var command = session.OneTimeCommand(sql, []);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static InvalidDataException Damaged() => new("the export of the database is damaged");

    /// <summary>Rows of one table on their way in.</summary>
    private sealed class Rows(DbSession session, ExportTable table, string[] columns, bool isLeftOut, Action<string[], object?[]>? change)
    {
        private readonly string _sql =
            $"INSERT INTO \"{table.Name}\" ({string.Join(", ", columns.Select(c => $"\"{c}\""))}) VALUES ({string.Join(", ", columns.Select((_, i) => "@" + i))})";

        private readonly bool[] _isBoolean = [.. columns.Select(c => table.Columns.First(known => known.Name == c).IsBoolean)];
        private readonly List<object?[]> _waiting = [];

        public long Count { get; private set; }

        public async ValueTask AddAsync(JsonElement row, CancellationToken ct)
        {
            Count++;
            if (isLeftOut) return;
            if (row.GetArrayLength() != columns.Length) throw Damaged();
            var values = new object?[columns.Length];
            for (var i = 0; i < values.Length; i++) values[i] = ValueOf(row[i], _isBoolean[i]);
            change?.Invoke(columns, values);
            _waiting.Add(values);
            if (_waiting.Count >= BatchRows) await FlushAsync(ct).ConfigureAwait(false);
        }

        public async ValueTask FlushAsync(CancellationToken ct)
        {
            if (_waiting.Count == 0) return;
            if (session.Connection.CanCreateBatch) await FlushBatchAsync(ct).ConfigureAwait(false);
            else await FlushOneByOneAsync(ct).ConfigureAwait(false);
            _waiting.Clear();
        }

        private async Task FlushBatchAsync(CancellationToken ct)
        {
            await using var batch = session.Connection.CreateBatch();
            batch.Transaction = session.Transaction;
            foreach (var values in _waiting)
            {
                var command = batch.CreateBatchCommand();
                command.CommandText = _sql;
                for (var i = 0; i < values.Length; i++)
                {
                    var parameter = command.CreateParameter();
                    (parameter.ParameterName, parameter.Value) = ("@" + i, values[i] ?? DBNull.Value);
                    command.Parameters.Add(parameter);
                }
                batch.BatchCommands.Add(command);
            }
            await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }

        private async Task FlushOneByOneAsync(CancellationToken ct)
        {
            await using var command = session.OneTimeCommand(_sql, _waiting[0]);
            foreach (var values in _waiting)
            {
                for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i] ?? DBNull.Value;
                await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            }
        }

        // SQLite has numbers where PostgreSQL has true and false.
        private static object? ValueOf(JsonElement value, bool isBoolean) => value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString(),
            JsonValueKind.True => isBoolean ? true : 1L,
            JsonValueKind.False => isBoolean ? false : 0L,
            JsonValueKind.Number when isBoolean => value.GetInt64() != 0,
            JsonValueKind.Number => value.TryGetInt64(out var whole) ? whole : value.GetDouble(),
            JsonValueKind.Object when value.TryGetProperty("b64", out var bytes) => bytes.GetBytesFromBase64(),
            _ => throw Damaged(),
        };
    }
}
