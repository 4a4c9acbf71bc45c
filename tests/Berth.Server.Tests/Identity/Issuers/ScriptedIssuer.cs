using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Berth.Server.Identity.Issuers;
using Berth.Server.Tests.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Identity.Issuers;

/// <summary>An issuer on loopback whose documents, keys and answers a test writes.</summary>
internal sealed class ScriptedIssuer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = IssuerHttp.CreateClient(verifyCertificate: true, caPath: null);

    private ScriptedIssuer(WebApplication app) => _app = app;

    /// <summary>Its address.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The discovery document; a test may change it.</summary>
    public JsonObject Document { get; set; } = [];

    /// <summary>The keys that it shows, by id.</summary>
    public Dictionary<string, RSA> Keys { get; } = new() { ["one"] = RSA.Create(2048) };

    /// <summary>What other paths answer.</summary>
    public Dictionary<string, Func<HttpContext, Task>> Paths { get; } = [];

    /// <summary>How often the key set was asked for.</summary>
    public int KeyRequests { get; private set; }

    /// <summary>Answers everything with 503.</summary>
    public bool IsDown { get; set; }

    /// <summary>A clock that starts now, so that its tokens and its certificates are in force.</summary>
    public ManualTime Time { get; } = new();

    public IssuerHttp Http => new(() => _client, Time);

    public static async Task<ScriptedIssuer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddLogging();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var issuer = new ScriptedIssuer(app);
        app.Run(issuer.AnswerAsync);
        await app.StartAsync();
        issuer.Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        foreach (var (name, path) in new[]
        {
            ("jwks_uri", "/keys"), ("authorization_endpoint", "/authorize"), ("token_endpoint", "/token"), ("userinfo_endpoint", "/userinfo"), ("end_session_endpoint", "/logout?x=1"),
        }) issuer.Document[name] = issuer.Address + path;
        issuer.Document["issuer"] = issuer.Address;
        return issuer;
    }

    /// <summary>Claims that are in order for an audience.</summary>
    public JsonObject Claims(string audience) => new()
    {
        ["iss"] = Address,
        ["sub"] = "somebody",
        ["aud"] = audience,
        ["iat"] = Time.GetUtcNow().ToUnixTimeSeconds(),
        ["exp"] = Time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(),
    };

    public string Sign(JsonObject claims, string keyId = "one", string algorithm = "RS256") =>
        TestTokens.Sign(new JsonObject { ["alg"] = algorithm, ["kid"] = keyId }, claims, TestTokens.With(Keys[keyId], algorithm));

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        foreach (var key in Keys.Values) key.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (IsDown) context.Response.StatusCode = 503;
        if (IsDown) return Task.CompletedTask;
        if (Paths.TryGetValue(path, out var answer)) return answer(context);
        if (path == IssuerMetadata.Path) return context.Response.WriteAsync(Document.ToJsonString());
        if (path == "/keys")
        {
            KeyRequests++;
            return context.Response.WriteAsync(new JsonObject { ["keys"] = new JsonArray([.. Keys.Select(k => TestTokens.Jwk(k.Value, k.Key))]) }.ToJsonString());
        }
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
