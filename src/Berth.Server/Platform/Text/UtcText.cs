using System.Globalization;

namespace Berth.Server.Platform.Text;

/// <summary>Times as they stand in answers, logs and exports.</summary>
internal static class UtcText
{
    /// <summary>Unix milliseconds as <c>2006-01-02T15:04:05.000Z</c> (RFC 3339).</summary>
    public static string Of(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
