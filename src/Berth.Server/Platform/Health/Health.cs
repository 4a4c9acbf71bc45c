using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Berth.Server.Platform.Storage;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Health;

/// <summary>
/// Whether the process lives and whether it should get requests. Checks run in the background (<see cref="HealthMonitor"/>); an answer costs
/// no more than writing it. All routes are anonymous, for GET and HEAD:
/// <list type="bullet">
/// <item><c>/health/live</c>: 200 as long as the process answers;</item>
/// <item><c>/health/ready</c>: 200 when every check has passed and none is failing, else 503; it names no address, path or error. While the database is away and
/// pulls go on from memory (<see cref="DatabaseOutage"/>), it is 200 and says <c>degraded</c>, and 503 for who asks <c>?for=writes</c>;</item>
/// <item><c>/debug/health</c>: Docker Registry's map of failing checks with their errors, 503 when there are any. For operators only: it
/// belongs on the debug listener.</item>
/// </list>
/// </summary>
public static class Health
{
    /// <summary>Checks are not asked for so often that a connection would be worth keeping for longer.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(1);

    private const int MaxRedirects = 10;

    // Addresses and paths stay readable; the answer is JSON, not HTML.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Registers the monitor. <see cref="Database"/>, <see cref="BlobStores"/> and <see cref="TimeProvider"/> must be registered too.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="options">The settings, validated.</param>
    /// <param name="storeKind">Docker Registry's name of the storage driver; it is part of the name of the storage check.</param>
    public static IServiceCollection AddHealth(this IServiceCollection services, HealthOptions options, string storeKind = "filesystem")
    {
        services.AddSingleton(p => new HealthMonitor(
            HealthProbes.All(options, p.GetRequiredService<Database>(), p.GetRequiredService<BlobStores>(), storeKind, NewClient()),
            p.GetRequiredService<IHostApplicationLifetime>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<HealthMonitor>>()));
        services.AddSingleton<IHostedService>(p => p.GetRequiredService<HealthMonitor>());
        return services;
    }

    /// <summary>Adds <c>/health/live</c> and <c>/health/ready</c>.</summary>
    public static IEndpointRouteBuilder MapHealth(this IEndpointRouteBuilder routes)
    {
        var monitor = routes.ServiceProvider.GetRequiredService<HealthMonitor>();
        var outage = routes.ServiceProvider.GetRequiredService<Database>().Outage;
        routes.MapMethods("/health/live", Methods, (RequestDelegate)AnswerLiveAsync);
        routes.MapMethods("/health/ready", Methods, (RequestDelegate)(context => AnswerReadyAsync(context, monitor, outage)));
        return routes;
    }

    /// <summary>Adds <c>/debug/health</c>.</summary>
    public static IEndpointRouteBuilder MapDebugHealth(this IEndpointRouteBuilder routes)
    {
        var monitor = routes.ServiceProvider.GetRequiredService<HealthMonitor>();
        routes.MapMethods("/debug/health", Methods, (RequestDelegate)(context => AnswerDebugAsync(context, monitor)));
        return routes;
    }

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    private static readonly byte[] Live = """{"status":"live"}"""u8.ToArray();

    private static Task AnswerLiveAsync(HttpContext context) => AnswerAsync(context, StatusCodes.Status200OK, Live);

    private static Task AnswerReadyAsync(HttpContext context, HealthMonitor monitor, DatabaseOutage outage)
    {
        var isDegraded = outage.IsAway;
        var isReady = monitor.IsReady && !(isDegraded && context.Request.Query["for"] == "writes");
        var body = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(body, Readable))
        {
            json.WriteStartObject();
            json.WriteString("status", isReady ? isDegraded ? "degraded" : "ready" : monitor.IsDraining ? "draining" : "unready");
            json.WriteStartArray("checks");
            foreach (var check in monitor.Checks)
            {
                var reading = check.Reading;
                json.WriteStartObject();
                json.WriteString("name", check.Name);
                json.WriteString("status", NameOf(reading.Status));
                if (reading.Failures > 0) json.WriteNumber("failures", reading.Failures);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return AnswerAsync(context, isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, body.WrittenMemory);
    }

    private static Task AnswerDebugAsync(HttpContext context, HealthMonitor monitor)
    {
        // As Docker Registry: a map in the order of its keys. Two checks of one address are one entry.
        var failing = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var check in monitor.Checks)
        {
            if (check.Reading is { Status: HealthStatus.Failing, Error: { } error }) failing[check.DebugName] = error;
        }
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body, Readable))
        {
            json.WriteStartObject();
            foreach (var (name, error) in failing) json.WriteString(name, error);
            json.WriteEndObject();
        }
        return AnswerAsync(context, failing.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, body.WrittenMemory);
    }

    private static async Task AnswerAsync(HttpContext context, int status, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static string NameOf(HealthStatus status) => status switch
    {
        HealthStatus.Ok => "ok",
        HealthStatus.Failing => "failing",
        _ => "pending",
    };

    private static HttpClient NewClient()
    {
        // Redirects are followed, as Docker Registry does in its checks; the status that counts is the last one.
        var handler = new SocketsHttpHandler { MaxAutomaticRedirections = MaxRedirects, UseCookies = false, PooledConnectionLifetime = ConnectionLifetime };
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
