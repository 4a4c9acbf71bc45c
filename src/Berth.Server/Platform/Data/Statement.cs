namespace Berth.Server.Platform.Data;

/// <summary>
/// One hand-written SQL text that both databases understand, with positional parameters <c>@0</c>, <c>@1</c>, …
/// Declared once as a static field: its identity is the key under which each session keeps the prepared command.
/// </summary>
public sealed class Statement
{
    /// <summary>Declares a statement.</summary>
    /// <param name="sql">The text for SQLite.</param>
    /// <param name="postgres">The text for PostgreSQL when it differs, for a row lock for example.</param>
    public Statement(string sql, string? postgres = null)
    {
        Sqlite = sql;
        Postgres = postgres ?? sql;
        while (sql.Contains("@" + ParameterCount, StringComparison.Ordinal)) ParameterCount++;
    }

    /// <summary>Text for SQLite.</summary>
    public string Sqlite { get; }

    /// <summary>Text for PostgreSQL.</summary>
    public string Postgres { get; }

    /// <summary>How many parameters the text has.</summary>
    public int ParameterCount { get; }
}
