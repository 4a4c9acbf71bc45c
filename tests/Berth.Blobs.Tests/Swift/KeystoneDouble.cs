using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Berth.Blobs.Tests.Swift;

/// <summary>
/// Stands for Keystone's <c>POST /v3/auth/tokens</c>, written after the Identity API's published description: it records what it is asked and answers 201 with the token
/// and the catalog that a test says, or 401. It checks no password and knows no other call; that our requests suit a real Keystone is not proven by it.
/// </summary>
internal sealed class KeystoneDouble : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    public KeystoneDouble()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}";
        }
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Url { get; }

    /// <summary>What came, as JSON.</summary>
    public ConcurrentQueue<JsonElement> Requests { get; } = new();

    /// <summary>Tokens that it gives, one after the other, the last for ever; null is a refusal.</summary>
    public IReadOnlyList<string?> Tokens { get; set; } = ["token"];

    /// <summary>How long they live.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Interface, region, URL of the object store.</summary>
    public IReadOnlyList<(string Interface, string Region, string Url)> Endpoints { get; set; } = [];

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            await AnswerAsync(context);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream);
        var body = await reader.ReadToEndAsync();
        var token = Tokens[Math.Min(Requests.Count, Tokens.Count - 1)];
        if (context.Request.HttpMethod != "POST" || context.Request.Url!.AbsolutePath != "/v3/auth/tokens")
        {
            context.Response.StatusCode = 404;
            context.Response.Close();
            return;
        }
        Requests.Enqueue(JsonDocument.Parse(body).RootElement);
        context.Response.StatusCode = token is null ? 401 : 201;
        if (token is not null) context.Response.Headers.Add("X-Subject-Token", token);
        context.Response.ContentType = "application/json";
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(token is null ? "{\"error\":{\"code\":401,\"title\":\"Unauthorized\"}}" : Body()));
        context.Response.Close();
    }

    private string Body()
    {
        var endpoints = string.Join(',', Endpoints.Select(e => $$$"""{"id":"1","interface":"{{{e.Interface}}}","region":"{{{e.Region}}}","region_id":"{{{e.Region}}}","url":"{{{e.Url}}}"}"""));
        var expires = (Time.GetUtcNow() + Lifetime).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        return $$$"""
            {"token":{"methods":["password"],"expires_at":"{{{expires}}}","user":{"id":"u","name":"n","domain":{"id":"default","name":"Default"}},
            "catalog":[{"type":"identity","name":"keystone","endpoints":[]},{"type":"object-store","name":"swift","endpoints":[{{{endpoints}}}]}]}}
            """;
    }
}
