using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Platform.Http;

/// <summary>A real Kestrel with Berth's listeners and request telemetry before a handler of the test.</summary>
internal sealed class ListeningHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly LogOutput _errors;
    private readonly LogOutput _access;
    private readonly MemoryStream _errorBytes = new();
    private readonly MemoryStream _accessBytes = new();

    private ListeningHost(HttpOptions options, LogOptions log, RequestDelegate handler)
    {
        _errors = new LogOutput(_errorBytes);
        _access = new LogOutput(_accessBytes);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<DatabaseTimings>();
        builder.Logging.AddBerthLog(log, _errors, TimeProvider.System);
        builder.Services.AddTelemetry(log, _access);
        builder.WebHost.AddListeners(options);
        _app = builder.Build();
        var first = new RequestTelemetry(PathPrefix.Before(handler, options.Prefix), options, Get<RequestMetrics>(), Get<RequestLog>(), Get<ILoggerFactory>());
        ((IApplicationBuilder)_app).Run(first.InvokeAsync);
    }

    /// <summary>Addresses in the order of the settings, with the ports that were given.</summary>
    public IReadOnlyList<string> Addresses =>
        [.. _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses];

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public static async Task<ListeningHost> StartAsync(HttpOptions options, RequestDelegate handler, LogOptions? log = null)
    {
        var host = new ListeningHost(options, log ?? new LogOptions(), handler);
        await host._app.StartAsync();
        return host;
    }

    /// <summary>Stops the server and returns what it has logged.</summary>
    public async Task<(string Errors, string Access)> StopAsync()
    {
        await _app.StopAsync();
        _errors.Dispose();
        _access.Dispose();
        return (Encoding.UTF8.GetString(_errorBytes.ToArray()), Encoding.UTF8.GetString(_accessBytes.ToArray()));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _errors.Dispose();
        _access.Dispose();
    }
}
