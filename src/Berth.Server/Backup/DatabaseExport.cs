using System.Buffers;
using System.Data.Common;
using System.IO.Compression;
using System.Text.Json;
using Berth.Server.Platform.Data;

namespace Berth.Server.Backup;

/// <summary>
/// Reads the whole database as of one moment while others go on writing: one transaction that sees one snapshot (SQLite's WAL; REPEATABLE READ on PostgreSQL).
/// The form is the same for both databases, so that one can be restored as the other: gzip, UTF-8, one JSON value a line. An object
/// <c>{"table","columns"}</c> begins a table, an array is a row, <c>{"end","rows"}</c> ends it, <c>{"done"}</c> is the last line. Bytes are <c>{"b64"}</c>.
/// </summary>
internal static class DatabaseExport
{
    private const int FlushBytes = 256 * 1024;
    private static readonly byte[] s_newLine = "\n"u8.ToArray();

    /// <summary>What was read.</summary>
    /// <param name="Migrations">Migrations of the database.</param>
    /// <param name="Blobs">How many blobs.</param>
    /// <param name="Bytes">Their bytes.</param>
    internal sealed record Outcome(IReadOnlyList<string> Migrations, long Blobs, long Bytes);

    /// <summary>Writes the export and the list of blobs, both of the same moment.</summary>
    public static async Task<Outcome> RunAsync(Database database, string exportFile, string blobsFile, CancellationToken ct) =>
        await database.ReadAsync((exportFile, blobsFile), static async (session, files, token) =>
        {
            await ExecuteAsync(session, session.Kind == DatabaseKind.Sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", token).ConfigureAwait(false);
            var migrations = await MigrationsAsync(session, token).ConfigureAwait(false);
            await ExportAsync(session, files.exportFile, token).ConfigureAwait(false);
            var (count, bytes) = await ListBlobsAsync(session, files.blobsFile, token).ConfigureAwait(false);
            await ExecuteAsync(session, "COMMIT", token).ConfigureAwait(false);
            return new Outcome(migrations, count, bytes);
        }, ct).ConfigureAwait(false);

    private static async Task ExportAsync(DbSession session, string file, CancellationToken ct)
    {
        IReadOnlyList<ExportTable> tables;
        await using (var context = session.NewContext()) tables = ExportTables.Of(context);
        await using var output = new GZipStream(File.Create(file), CompressionLevel.Fastest);
        var buffer = new ArrayBufferWriter<byte>(FlushBytes * 2);
        using var json = new Utf8JsonWriter(buffer);
        foreach (var table in tables)
        {
            json.WriteStartObject();
            json.WriteString("table", table.Name);
            json.WriteStartArray("columns");
            foreach (var column in table.Columns) json.WriteStringValue(column.Name);
            json.WriteEndArray();
            json.WriteEndObject();
            EndLine(json, buffer);
            var rows = await ExportRowsAsync(session, table, json, buffer, output, ct).ConfigureAwait(false);
            json.WriteStartObject();
            json.WriteString("end", table.Name);
            json.WriteNumber("rows", rows);
            json.WriteEndObject();
            EndLine(json, buffer);
        }
        json.WriteStartObject();
        json.WriteBoolean("done", true);
        json.WriteEndObject();
        EndLine(json, buffer);
        await output.WriteAsync(buffer.WrittenMemory, ct).ConfigureAwait(false);
    }

    private static async Task<long> ExportRowsAsync(
        DbSession session, ExportTable table, Utf8JsonWriter json, ArrayBufferWriter<byte> buffer, Stream output, CancellationToken ct)
    {
        var columns = string.Join(", ", table.Columns.Select(c => $"\"{c.Name}\""));
        var key = string.Join(", ", table.Key.Select(c => $"\"{c}\""));
        await using var command = session.OneTimeCommand($"SELECT {columns} FROM \"{table.Name}\" ORDER BY {key}", []);
        command.CommandTimeout = 0;
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        long count = 0;
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            json.WriteStartArray();
            for (var i = 0; i < rows.FieldCount; i++) WriteValue(json, rows.GetValue(i));
            json.WriteEndArray();
            EndLine(json, buffer);
            count++;
            if (buffer.WrittenCount < FlushBytes) continue;
            await output.WriteAsync(buffer.WrittenMemory, ct).ConfigureAwait(false);
            buffer.ResetWrittenCount();
        }
        return count;
    }

    private static void WriteValue(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case DBNull: json.WriteNullValue(); break;
            case string text: json.WriteStringValue(text); break;
            case bool truth: json.WriteBooleanValue(truth); break;
            case long number: json.WriteNumberValue(number); break;
            case int number: json.WriteNumberValue(number); break;
            case short number: json.WriteNumberValue(number); break;
            case double number: json.WriteNumberValue(number); break;
            case byte[] bytes:
                json.WriteStartObject();
                json.WriteBase64String("b64", bytes);
                json.WriteEndObject();
                break;
            default: throw new InvalidOperationException($"no backup can hold a value of type {value.GetType().Name}");
        }
    }

    private static void EndLine(Utf8JsonWriter json, ArrayBufferWriter<byte> buffer)
    {
        json.Flush();
        json.Reset();
        buffer.Write(s_newLine);
    }

    private static async Task<(long Count, long Bytes)> ListBlobsAsync(DbSession session, string file, CancellationToken ct)
    {
        await using var output = new StreamWriter(new GZipStream(File.Create(file), CompressionLevel.Fastest));
        await using var command = session.OneTimeCommand("SELECT digest, size, store, key FROM blobs ORDER BY id", []);
        command.CommandTimeout = 0;
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (count, bytes) = (0L, 0L);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var entry = new BlobEntry(rows.GetString(0), rows.GetInt64(1), rows.GetString(2), rows.IsDBNull(3) ? null : rows.GetString(3));
            await output.WriteLineAsync(JsonSerializer.Serialize(entry, BackupJson.Default.BlobEntry).AsMemory(), ct).ConfigureAwait(false);
            (count, bytes) = (count + 1, bytes + entry.Size);
        }
        return (count, bytes);
    }

    private static async Task<List<string>> MigrationsAsync(DbSession session, CancellationToken ct)
    {
        var migrations = new List<string>();
        await using var command = session.OneTimeCommand("""SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY 1""", []);
        await using DbDataReader rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) migrations.Add(rows.GetString(0));
        return migrations;
    }

    private static async Task ExecuteAsync(DbSession session, string sql, CancellationToken ct)
    {
        await using var command = session.OneTimeCommand(sql, []);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
