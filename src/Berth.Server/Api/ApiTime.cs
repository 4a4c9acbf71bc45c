using System.Globalization;

namespace Berth.Server.Api;

/// <summary>Times as Harbor's JSON writes them: UTC with milliseconds.</summary>
internal static class ApiTime
{
    /// <summary>A time of the database.</summary>
    /// <param name="milliseconds">Unix milliseconds.</param>
    public static string Text(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
