using System.Security.Cryptography.X509Certificates;
using Berth.Client.Credentials;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Client.Tests;

/// <summary>A server that answers as a test says, and remembers what it was asked.</summary>
internal sealed class ScriptedRegistry : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly List<string> asked = [];

    private ScriptedRegistry(WebApplication app) => this.app = app;

    /// <summary>Host and port.</summary>
    public string Host => new Uri(app.Urls.First()).Authority;

    /// <summary>Method, path with query, and the sign-in, in the order of the requests.</summary>
    public IReadOnlyList<string> Asked
    {
        get
        {
            lock (asked) return [.. asked];
        }
    }

    public static async Task<ScriptedRegistry> StartAsync(Func<HttpContext, ScriptedRegistry, Task> answer, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        var app = builder.Build();
        var registry = new ScriptedRegistry(app);
        app.Run(context =>
        {
            lock (registry.asked) registry.asked.Add($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {context.Request.Headers.Authorization}".TrimEnd());
            return answer(context, registry);
        });
        await app.StartAsync();
        return registry;
    }

    /// <summary>A client that makes no pauses worth the name.</summary>
    public static RegistryClient Client(RegistryCredential? credential = null, Func<RegistryClientOptions, RegistryClientOptions>? more = null)
    {
        var options = new RegistryClientOptions { UsesPlainHttp = true, FirstPause = TimeSpan.FromMilliseconds(1), AnswerTimeout = TimeSpan.FromSeconds(30) };
        return new RegistryClient(more is null ? options : more(options), new GivenCredential(credential), TimeProvider.System, new Random(1));
    }

    public ImageReference Reference(string rest = "x:1") => ImageReference.Parse($"{Host}/{rest}");

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
