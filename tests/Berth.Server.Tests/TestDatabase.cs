using Berth.Server.Platform.Data;
using Npgsql;

namespace Berth.Server.Tests;

/// <summary>
/// An empty, migrated database that a test has to itself: a SQLite file, or a schema of the PostgreSQL server that <c>BERTH_TEST_POSTGRES</c>
/// (an Npgsql connection string) names. Without that variable the test is skipped.
/// </summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly DatabaseKind _kind;
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly string _schema;
    private readonly List<Database> _open = [];

    private TestDatabase(DatabaseKind kind)
    {
        _kind = kind;
        _schema = Path.GetFileName(_folder).Replace('-', '_').ToLowerInvariant() + "_" + Environment.ProcessId;
    }

    /// <summary>Both kinds, for a theory.</summary>
    public static TheoryData<DatabaseKind> Kinds => [DatabaseKind.Sqlite, DatabaseKind.Postgres];

    private string File => Path.Join(_folder, "berth.db");

    private string ConnectionString => new NpgsqlConnectionStringBuilder(Server) { SearchPath = _schema, Pooling = true }.ConnectionString;

    private static string? Server => Environment.GetEnvironmentVariable("BERTH_TEST_POSTGRES");

    /// <summary>Makes one.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="known">Migrations that it gets, as an earlier version knew them; null for all, empty for none.</param>
    public static async Task<TestDatabase> NewAsync(DatabaseKind kind, IReadOnlyList<string>? known = null)
    {
        Assert.SkipWhen(kind == DatabaseKind.Postgres && string.IsNullOrEmpty(Server), "BERTH_TEST_POSTGRES is not set");
        var database = new TestDatabase(kind);
        if (known is null && kind == DatabaseKind.Sqlite) await MigratedSchema.CreateFileAsync(database.File);
        else if (known is null) await MigratedSchema.CreateSchemaAsync(database.ConnectionString);
        else if (kind == DatabaseKind.Postgres) await ServerAsync($"CREATE SCHEMA {database._schema}");
        if (known is not { Count: 0 }) await database.Open(known).MigrateAsync(CancellationToken.None);
        return database;
    }

    /// <summary>The instance that was opened last.</summary>
    public Database Current => _open[^1];

    /// <summary>One more instance on the same data, as another replica has it; on SQLite only after <see cref="CloseAsync"/>.</summary>
    /// <param name="known">Migrations that it knows, as an earlier version; null for all.</param>
    public Database Open(IReadOnlyList<string>? known = null)
    {
        if (_kind == DatabaseKind.Sqlite && _open.Count > 0 && known is null) throw new InvalidOperationException("a SQLite file belongs to one process");
        _open.Add(_kind == DatabaseKind.Sqlite
            ? SqliteDatabase.Open(File, 8, known)
            : PostgresDatabase.Open(ConnectionString, 8, knownMigrations: known));
        return Current;
    }

    /// <summary>Closes all instances, the data stay.</summary>
    public async Task CloseAsync()
    {
        foreach (var database in _open) await database.DisposeAsync();
        _open.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        if (_kind == DatabaseKind.Postgres) await ServerAsync($"DROP SCHEMA {_schema} CASCADE");
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task ServerAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(Server!);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
