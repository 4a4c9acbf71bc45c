using Berth.Server.Platform.Options;

namespace Berth.Server.Platform.Data;

/// <summary>Where the metadata lives (section <c>database</c>).</summary>
public sealed record DatabaseOptions
{
    /// <summary>Which database: <c>sqlite</c> (embedded) or <c>postgres</c>.</summary>
    public DatabaseKind Kind { get; init; } = DatabaseKind.Sqlite;

    /// <summary>SQLite: the file; default <c>berth.db</c> in the data folder.</summary>
    public string? File { get; init; }

    /// <summary>PostgreSQL: Npgsql connection string. Secret.</summary>
    [Secret]
    public string? ConnectionString { get; init; }

    /// <summary>Most connections that one replica opens for reading.</summary>
    public int MaxReaders { get; init; } = 32;

    /// <summary>For tests: <see cref="Database.KnownMigrations"/>.</summary>
    internal IReadOnlyList<string>? KnownMigrations { get; init; }

    /// <summary>
    /// PostgreSQL: how long pulls go on from memory while the database cannot be reached. For as long a permission that was withdrawn, or content that was deleted, elsewhere at that moment may
    /// still count here. 0 turns it off.
    /// </summary>
    public TimeSpan OutageReads { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>The supported databases.</summary>
public enum DatabaseKind
{
    /// <summary>One file, one process.</summary>
    Sqlite,

    /// <summary>PostgreSQL 14 or newer, any number of replicas.</summary>
    Postgres,
}
