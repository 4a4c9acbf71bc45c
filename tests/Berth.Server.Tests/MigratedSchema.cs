using Berth.Server.Platform.Data;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Berth.Server.Tests;

/// <summary>
/// The schema as all migrations leave it, made once in the process and copied: EF's models of the migrations cost a fifth of a second, more than ten times what
/// the rest of a server's start costs, and there are thousands of starts. Tests about migrations do without; <see cref="MigratedSchemaTests"/> holds the copies
/// against what migrations make.
/// </summary>
internal static class MigratedSchema
{
    private static readonly Lazy<Task<byte[]>> s_file = new(MakeFileAsync);
    private static readonly Lazy<string> s_script = new(MakeScript);

    /// <summary>Makes the SQLite file.</summary>
    public static async Task CreateFileAsync(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, await s_file.Value);
    }

    /// <summary>Makes the schema that the connection's search path names on a PostgreSQL server, with all tables.</summary>
    public static async Task CreateSchemaAsync(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var source = NpgsqlDataSource.Create(settings.ConnectionString);
        await using var command = source.CreateCommand($"CREATE SCHEMA {settings.SearchPath}; {s_script.Value}");
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<byte[]> MakeFileAsync()
    {
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        try
        {
            var file = Path.Join(folder, "berth.db");
            // Closing the last connection puts the log into the file.
            await using (var database = SqliteDatabase.Open(file, maxReaders: 1)) await database.MigrateAsync(CancellationToken.None);
            return await File.ReadAllBytesAsync(file);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string MakeScript()
    {
        using var context = new PostgresContextFactory().CreateDbContext([]);
        return context.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.NoTransactions)
            + $"INSERT INTO installation_facts (name, value) VALUES ('schema.oldest', '{SchemaVersion.Migrations[0]}');";
    }
}
