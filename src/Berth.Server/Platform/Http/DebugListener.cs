using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Berth.Server.Platform.Http;

/// <summary>
/// Marks the connections of the second listener (<see cref="HttpOptions.DebugAddress"/>), on which only metrics and health are served. The mark is on
/// the connection, so no host header or port can fake it.
/// </summary>
public static class DebugListener
{
    /// <summary>Whether a request came in on the debug listener.</summary>
    public static bool Carries(HttpContext context) => context.Features.Get<Mark>() is not null;

    /// <summary>Whether metrics and health may be served to this request: on the debug listener when there is one, else everywhere.</summary>
    public static bool MayServeOperators(HttpContext context, HttpOptions options) => string.IsNullOrEmpty(options.DebugAddress) || Carries(context);

    internal static void MarkConnections(ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Features.Set(Mark.Only);
        return next(connection);
    });

    private sealed class Mark
    {
        public static readonly Mark Only = new();
    }
}
