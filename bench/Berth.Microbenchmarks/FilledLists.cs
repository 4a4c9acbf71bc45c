using System.Data.Common;
using System.Diagnostics;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Berth.Microbenchmarks;

/// <summary>Fills a database with the projects, repositories, artifacts and tags that the lists of the management API and the web pages are measured on.</summary>
internal static class FilledLists
{
    /// <summary>Migrates and fills an empty database: a file, or a connection string with <c>Host=</c>.</summary>
    /// <param name="database">The database.</param>
    /// <param name="isForPages">Blobs, members, robots, histories and an audit log too.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task FillAsync(string database, bool isForPages, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        var isPostgres = database.Contains("Host=", StringComparison.OrdinalIgnoreCase);
        await using (Database schema = isPostgres ? PostgresDatabase.Open(database, 4) : SqliteDatabase.Open(database, 4))
        {
            await schema.MigrateAsync(ct);
            // A server makes its first administrator only where there are no users yet.
            if (isForPages) await new FirstAdmin(new Users(schema, TimeProvider.System)).EnsureAsync(Environment.GetEnvironmentVariable(FirstAdmin.PasswordVariable), ct);
        }
        await using DbConnection connection = isPostgres ? new NpgsqlConnection(database) : new SqliteConnection($"Data Source={database};Pooling=False");
        await connection.OpenAsync(ct);
        foreach (var name in (string[])(isForPages ? ["Lists", "Pages"] : ["Lists"])) await RunAsync(connection, $"{name}.{(isPostgres ? "postgres" : "sqlite")}.sql", ct);
        Console.WriteLine($"1,000 projects, 10,000 repositories, 1,000,000 artifacts, 2,000,000 tags in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
    }

    private static async Task RunAsync(DbConnection connection, string script, CancellationToken ct)
    {
        using var text = new StreamReader(typeof(FilledLists).Assembly.GetManifestResourceStream(script)!);
        foreach (var statement in (await text.ReadToEndAsync(ct)).Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = connection.CreateCommand();
            command.CommandText = statement;
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
