using System.Diagnostics;
using System.Runtime.CompilerServices;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// The outermost step of every request:
/// <list type="number">
/// <item>believes the forwarding headers of trusted proxies;</item>
/// <item>makes the <see cref="RequestFacts"/> with the request's id;</item>
/// <item>sets the headers of every answer: <c>X-Request-Id</c>, <c>X-Content-Type-Options: nosniff</c>, those of the settings;</item>
/// <item>runs the rest;</item>
/// <item>counts it and writes its line, also when it failed or the client went away.</item>
/// </list>
/// A failure that nobody handled becomes a 500 here and is logged once, here. Costs about half a microsecond and two small objects a request.
/// </summary>
/// <remarks>
/// Handlers set <see cref="RequestFacts.Route"/> and, when they stream, the byte counts; for others the lengths in the headers are counted.
/// </remarks>
public sealed class RequestTelemetry
{
    private static readonly StringValues s_noSniff = "nosniff";

    private readonly RequestDelegate _next;
    private readonly RequestMetrics _metrics;
    private readonly RequestLog _log;
    private readonly ForwardedHeaders? _forwarded;
    private readonly KeyValuePair<string, StringValues>[] _headers;
    private readonly ILogger _logger;

    /// <param name="next">The rest of the pipeline.</param>
    /// <param name="options">Headers of every answer and trusted proxies.</param>
    /// <param name="metrics">Where requests are counted.</param>
    /// <param name="log">Where their lines go.</param>
    /// <param name="loggers">For failures that nobody handled.</param>
    public RequestTelemetry(RequestDelegate next, HttpOptions options, RequestMetrics metrics, RequestLog log, ILoggerFactory loggers)
    {
        _next = next;
        _metrics = metrics;
        _log = log;
        _forwarded = options.TrustedProxies.Count > 0 ? new ForwardedHeaders(options.TrustedProxies) : null;
        _headers = [new("X-Content-Type-Options", s_noSniff),
            .. options.Headers.Select(header => new KeyValuePair<string, StringValues>(header.Key, header.Value.ToArray()))];
        _logger = loggers.CreateLogger("Request");
    }

    /// <summary>Handles a request.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var started = Stopwatch.GetTimestamp();
        _metrics.Started();
        _forwarded?.Apply(context);                                                             // 1
        var facts = new RequestFacts { RequestId = RequestId.For(context.Request.Headers[RequestId.HeaderName]) };
        context.Features.Set(facts);                                                            // 2
        SetHeaders(context.Response.Headers, facts.RequestId);                                  // 3
        Task rest;
        try
        {
            rest = _next(context);                                                              // 4
        }
#pragma warning disable CA1031 // The one place where what nobody handled becomes an answer and a log line.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(context, facts, started, e);
            return Task.CompletedTask;
        }
        if (!rest.IsCompletedSuccessfully) return Awaited(rest, context, facts, started);
        Finished(context, facts, started, context.Response.StatusCode);                         // 5
        return Task.CompletedTask;
    }

    private async Task Awaited(Task rest, HttpContext context, RequestFacts facts, long started)
    {
        try
        {
            await rest;
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(context, facts, started, e);
            return;
        }
        Finished(context, facts, started, context.Response.StatusCode);
    }

    private void SetHeaders(IHeaderDictionary headers, string requestId)
    {
        headers[RequestId.HeaderName] = requestId;
        foreach (var (name, value) in _headers) headers[name] = value;
    }

    private void Failed(HttpContext context, RequestFacts facts, long started, Exception e)
    {
        var response = context.Response;
        var status = e switch
        {
            BadHttpRequestException bad => bad.StatusCode,
            _ when context.RequestAborted.IsCancellationRequested => RequestMetrics.ClientClosedRequest,
            _ => StatusCodes.Status500InternalServerError,
        };
        if (status == StatusCodes.Status500InternalServerError)
            _logger.RequestFailed(context.Request.Method, context.Request.Path.Value ?? "", facts.RequestId, e);
        if (response.HasStarted)
        {
            // Half an answer is out: only cutting the connection tells the client that the rest will not come.
            context.Abort();
        }
        else if (status != RequestMetrics.ClientClosedRequest)
        {
            response.Clear();
            SetHeaders(response.Headers, facts.RequestId);
            response.StatusCode = status;
            response.ContentLength = 0;
            // What is left of the body is not read: the connection cannot be used again.
            if (context.Request.ContentLength is not 0 and not null && !HttpProtocol.IsHttp2(context.Request.Protocol)) response.Headers.Connection = "close";
        }
        Finished(context, facts, started, status);
    }

    private void Finished(HttpContext context, RequestFacts facts, long started, int status)
    {
        var ticks = Stopwatch.GetTimestamp() - started;
        var request = context.Request;
        var method = request.Method;
        var sent = facts.BytesSent;
        if (sent == 0 && status < 400 && !HttpMethods.IsHead(method)) sent = context.Response.ContentLength ?? 0;
        // The token is only made when the answer fell short: most requests never need it.
        else if (sent < context.Response.ContentLength && sent > 0 && context.RequestAborted.IsCancellationRequested) status = RequestMetrics.ClientClosedRequest;
        var received = facts.BytesReceived;
        if (received == 0 && status < 400) received = request.ContentLength ?? 0;

        _metrics.Finished(facts.Route, method, status, ticks, received, sent);
        if (Activity.Current is not null) Describe(context, facts, status);
        if (!_log.IsEnabled) return;
        _log.Write(new RequestLine
        {
            Method = method,
            Target = context.Features.Get<IHttpRequestFeature>()?.RawTarget is { Length: > 0 } target ? target : request.Path.Value ?? "/",
            Protocol = request.Protocol,
            Status = status,
            Elapsed = new TimeSpan((long)(ticks * ((double)TimeSpan.TicksPerSecond / Stopwatch.Frequency))),
            RequestId = facts.RequestId,
            Route = facts.Route,
            BytesSent = sent,
            BytesReceived = received,
            Remote = context.Features.Get<IHttpConnectionFeature>()?.RemoteIpAddress,
            Caller = facts.Caller,
            Repository = facts.Repository,
            UserAgent = request.Headers.UserAgent,
            Referer = request.Headers.Referer,
        });
    }

    /// <summary>The span of the request, in the words of OpenTelemetry's semantic conventions for HTTP.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Describe(HttpContext context, RequestFacts facts, int status)
    {
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is not { IsAllDataRequested: true } span) return;
        span.DisplayName = context.Request.Method + " " + facts.Route;
        span.SetTag("http.request.method", context.Request.Method);
        span.SetTag("http.route", facts.Route);
        span.SetTag("http.response.status_code", status);
        span.SetTag("url.path", context.Request.Path.Value);
        span.SetTag("berth.request_id", facts.RequestId);
        if (facts.Repository is { } repository) span.SetTag("berth.repository", repository);
        if (status >= 500) span.SetStatus(ActivityStatusCode.Error);
    }
}

internal static partial class RequestTelemetryLog
{
    [LoggerMessage(EventId = 100, Level = LogLevel.Error, Message = "request failed: {Method} {Path}, request id {RequestId}")]
    public static partial void RequestFailed(this ILogger logger, string method, string path, string requestId, Exception exception);
}
