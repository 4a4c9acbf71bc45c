using Microsoft.AspNetCore.Http;

namespace Berth.Server.Platform.Http;

/// <summary>
/// Serves everything under <see cref="HttpOptions.Prefix"/>: the prefix moves from the path to <see cref="HttpRequest.PathBase"/>, and what
/// does not start with it is not found. The debug listener has no prefix.
/// </summary>
public static class PathPrefix
{
    /// <summary>Puts the step before the rest; without a prefix there is no step.</summary>
    public static RequestDelegate Before(RequestDelegate next, string prefix)
    {
        var trimmed = prefix.Trim('/');
        if (trimmed.Length == 0) return next;
        var start = new PathString("/" + trimmed);
        return context =>
        {
            var request = context.Request;
            if (request.Path.StartsWithSegments(start, StringComparison.Ordinal, out var rest))
            {
                request.PathBase = request.PathBase.Add(start);
                request.Path = rest.HasValue ? rest : "/";
                return next(context);
            }
            if (DebugListener.Carries(context)) return next(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        };
    }
}
