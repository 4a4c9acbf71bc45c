using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>Statements as log lines show them. Their values are parameters, and so never part of the text.</summary>
internal static partial class SqlText
{
    private const int MaxLength = 1000;

    /// <summary>The statement on one line, cut where it is very long.</summary>
    public static string OneLine(string sql)
    {
        var line = Blanks().Replace(sql, " ").Trim();
        return line.Length <= MaxLength ? line : line[..MaxLength] + " …";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

internal static partial class SqlTextLog
{
    [LoggerMessage(EventId = 131, Level = LogLevel.Warning, Message = "slow statement: {Elapsed}: {Sql}")]
    public static partial void SlowStatement(this ILogger logger, TimeSpan elapsed, string sql);
}
