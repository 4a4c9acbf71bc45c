using Microsoft.AspNetCore.Http;

namespace Berth.Server.Api;

/// <summary>Answers what no operation answers: other methods of a path with 405 and <c>Allow</c>, OPTIONS with <c>Allow</c>, unknown paths with 404, in the form of the interface.</summary>
internal sealed class ApiFallback(IReadOnlyList<ApiOperation> operations)
{
    private readonly (string[] Segments, string Method)[] _routes =
        [.. operations.Select(o => (o.Route.Split('/', StringSplitOptions.RemoveEmptyEntries), o.Method))];

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var api = path.StartsWith("/api/berth/", StringComparison.Ordinal) ? ApiSurface.Berth : ApiSurface.Harbor;
        var methods = MethodsOf(path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        if (methods.Count == 0) return ApiAnswers.SendAsync(context, api, ApiResult.NotFound("there is no such path"), context.RequestAborted);
        context.Response.Headers.Allow = string.Join(", ", methods);
        var result = HttpMethods.IsOptions(context.Request.Method)
            ? ApiResult.NoContent
            : ApiResult.Fail(ApiError.MethodNotAllowed, $"{context.Request.Method} is not a method of this path: it has {string.Join(", ", methods)}");
        return ApiAnswers.SendAsync(context, api, result, context.RequestAborted);
    }

    private SortedSet<string> MethodsOf(string[] path)
    {
        var methods = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (segments, method) in _routes)
        {
            if (Fits(segments, path)) methods.Add(method);
        }
        if (methods.Contains(HttpMethods.Get)) methods.Add(HttpMethods.Head);
        if (methods.Count > 0) methods.Add(HttpMethods.Options);
        return methods;
    }

    private static bool Fits(string[] segments, string[] path)
    {
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i].StartsWith("{*", StringComparison.Ordinal)) return path.Length > i;
            if (i >= path.Length || (segments[i][0] != '{' && segments[i] != path[i])) return false;
        }
        return segments.Length == path.Length;
    }
}
