using System.Globalization;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Api;

/// <summary>Times, kinds and logs of jobs as Harbor's API writes them.</summary>
internal static class HarborWords
{
    /// <summary>Kind of a job as Harbor writes it: <c>PURGE_AUDIT_LOG</c>.</summary>
    public static string TypeOf(string kind) => kind.ToUpperInvariant();

    /// <summary>The kind of such a word.</summary>
    public static string KindOf(string type) => type.ToLowerInvariant();

    /// <summary>A time, in Unix milliseconds, as ISO 8601 in UTC; that of year one for none, as Go has it.</summary>
    public static string TimeOf(long? at) => at is { } ms and < long.MaxValue
        ? DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
        : "0001-01-01T00:00:00.000Z";

    /// <summary>Lines of a job's log as text.</summary>
    public static string LogOf(IEnumerable<JobLogLine> lines) => string.Concat(lines.Select(l => $"{TimeOf(l.At)} {l.Text}\n"));
}
