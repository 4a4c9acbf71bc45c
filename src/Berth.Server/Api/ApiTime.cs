using Berth.Server.Platform.Text;

namespace Berth.Server.Api;

/// <summary>Times as Harbor's API writes them.</summary>
internal static class ApiTime
{
    /// <summary>Unix milliseconds as <c>2006-01-02T15:04:05.000Z</c>.</summary>
    public static string Text(long milliseconds) => UtcText.Of(milliseconds);

    /// <summary>The same for a time that may be missing.</summary>
    public static string? Text(long? milliseconds) => milliseconds is { } known ? Text(known) : null;
}
