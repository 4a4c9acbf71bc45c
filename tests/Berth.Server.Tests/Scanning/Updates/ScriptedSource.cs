using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Scanning.Updates;

/// <summary>A registry that sends everybody elsewhere.</summary>
internal sealed class ScriptedSource : IAsyncDisposable
{
    private readonly WebApplication app;

    private ScriptedSource(WebApplication app) => this.app = app;

    public string Host => new Uri(app.Urls.First()).Authority;

    public static async Task<ScriptedSource> StartAsync(string location)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(context =>
        {
            context.Response.Redirect(location);
            return Task.CompletedTask;
        });
        await app.StartAsync();
        return new ScriptedSource(app);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
