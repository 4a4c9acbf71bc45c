using Microsoft.AspNetCore.Http;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// <c>GET /metrics</c>: Prometheus text format 0.0.4, or OpenMetrics 1.0 when the client accepts <c>application/openmetrics-text</c> (as
/// Prometheus does). No sign-in is asked for: bind <c>http.debug_address</c> to an inner address where numbers are nobody else's business.
/// </summary>
public sealed class MetricsPage(MetricRegistry registry, TimeProvider time)
{
    /// <summary>How long figures may be read: a database that hangs must not take all other metrics with it.</summary>
    private static readonly TimeSpan MostRefresh = TimeSpan.FromSeconds(2);

    private const string Text = "text/plain; version=0.0.4; charset=utf-8";
    private const string OpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private long _readAt;

    /// <summary>How long ago the page was read; null for never.</summary>
    public TimeSpan? ReadAgo => Interlocked.Read(ref _readAt) is > 0 and var at ? time.GetElapsedTime(at) : null;

    /// <summary>Answers a request for the page.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var response = context.Response;
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = "GET, HEAD";
            return;
        }
        var openMetrics = context.Request.Headers.Accept.ToString().Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        using (var limit = new CancellationTokenSource(MostRefresh, time))
        using (var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted))
        {
            await registry.RefreshAsync(both.Token).ConfigureAwait(false);
        }
        var page = new LineBuffer();
        registry.Write(page, openMetrics);
        Interlocked.Exchange(ref _readAt, time.GetTimestamp());
        response.ContentType = openMetrics ? OpenMetrics : Text;
        response.Headers.CacheControl = "no-store";
        response.ContentLength = page.Written.Length;
        if (HttpMethods.IsGet(context.Request.Method)) await response.Body.WriteAsync(page.WrittenMemory, context.RequestAborted);
    }
}
