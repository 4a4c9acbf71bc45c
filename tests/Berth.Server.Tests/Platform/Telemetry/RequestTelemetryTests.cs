using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Tests.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Platform.Telemetry;

public sealed class RequestTelemetryTests
{
    private static readonly HttpOptions s_options = new()
    {
        Urls = ["http://127.0.0.1:0"],
        Headers = new Dictionary<string, IReadOnlyList<string>> { ["X-Site"] = ["north"], ["X-Two"] = ["a", "b"] },
    };

    [Theory]
    [InlineData("/sync")]
    [InlineData("/async")]
    [InlineData("/throws")]
    [InlineData("/throws-async")]
    public async Task Every_answer_carries_the_request_id_and_the_headers_of_the_settings(string path)
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle);
        using var client = new HttpClient { BaseAddress = new Uri(host.Addresses[0]) };
        client.DefaultRequestHeaders.Add("X-Request-Id", "mine-1");
        using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(["mine-1"], answer.Headers.GetValues("X-Request-Id"));
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(["north"], answer.Headers.GetValues("X-Site"));
        Assert.Equal(["a", "b"], answer.Headers.GetValues("X-Two"));
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("X-Half-Made"));
        Assert.Equal(path.StartsWith("/throws", StringComparison.Ordinal) ? HttpStatusCode.InternalServerError : HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("abc-123.X_y:z", true)]
    [InlineData("with blank", false)]
    [InlineData("", false)]
    [InlineData("quote\"", false)]
    public void A_sane_request_id_is_kept(string given, bool kept)
    {
        var id = RequestId.For(given);
        Assert.Equal(kept, id == given);
        if (!kept) Assert.Matches("^[0-9a-f]{16}$", id);
    }

    [Fact]
    public void Made_request_ids_do_not_repeat_and_long_ones_are_replaced()
    {
        Assert.Equal(100_000, Enumerable.Range(0, 100_000).Select(_ => RequestId.New()).Distinct().Count());
        Assert.Equal(16, RequestId.For(new string('a', 129)).Length);
    }

    [Fact]
    public async Task By_default_a_request_is_one_line_on_standard_output()
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle);
        await Get(host, "/sync?password=geheim");
        var (errors, access) = await host.StopAsync();
        Assert.Equal("", errors);
        Assert.Matches("^127\\.0\\.0\\.1 - alice \\[[0-9]{2}/[A-Z][a-z]{2}/[0-9:]+ \\+0000\\] \"GET /sync\\?password=\\*\\*\\* HTTP/1\\.1\" 200 5 \"-\" \"-\"\n$", access);
    }

    [Theory]
    [InlineData(LogFormat.Json, true)]
    [InlineData(LogFormat.Json, false)]
    [InlineData(LogFormat.Text, false)]
    public async Task Otherwise_it_is_one_structured_line_on_standard_error(LogFormat format, bool accessLog)
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle, new LogOptions { Format = format, AccessLog = accessLog });
        await Get(host, "/sync");
        var (errors, access) = await host.StopAsync();
        Assert.Equal("", access);
        var line = Assert.Single(errors.TrimEnd().Split('\n'));
        if (format == LogFormat.Text)
        {
            Assert.Contains("msg=\"request completed\" logger=Request method=GET path=/sync route=test status=200 bytes=5 ", line);
            return;
        }
        using var document = JsonDocument.Parse(line);
        var fields = document.RootElement;
        Assert.Equal(("info", "request completed", 200, 5), (fields.GetProperty("level").GetString(), fields.GetProperty("msg").GetString(),
            fields.GetProperty("status").GetInt32(), fields.GetProperty("bytes").GetInt32()));
        Assert.Equal("127.0.0.1", fields.GetProperty("remote").GetString());
        Assert.Equal("alice", fields.GetProperty("caller").GetString());
    }

    [Fact]
    public async Task No_line_is_written_when_both_are_off()
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle, new LogOptions { Level = LogLevel.Warning, AccessLog = false });
        await Get(host, "/sync");
        Assert.Equal(("", ""), await host.StopAsync());
    }

    [Fact]
    public async Task A_failure_is_logged_once_counted_and_answered_with_500()
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle);
        await Get(host, "/throws-async");
        var metrics = host.Get<RequestMetrics>();
        await Eventually.TrueAsync(() => metrics.Requests("test", "GET", "500") == 1, "counted");
        var (errors, access) = await host.StopAsync();
        Assert.Single(errors.Split("level=error"), part => part.Contains("request failed: GET /throws-async, request id"));
        Assert.Equal(2, errors.Split("level=").Length);
        Assert.Contains("the disk is gone", errors);
        Assert.Contains("\" 500 0 ", access);
        Assert.Equal(0, metrics.InFlight);
    }

    [Fact]
    public async Task A_client_that_goes_away_is_499_and_no_error()
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle);
        using (var socket = ListenersTests.Connect(host))
        {
            await socket.SendAsync("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            await socket.ReceiveAsync(new byte[1000], SocketFlags.None);
            socket.LingerState = new LingerOption(true, 0);
        }
        var metrics = host.Get<RequestMetrics>();
        Assert.True(SpinWait.SpinUntil(() => metrics.InFlight == 0, TimeSpan.FromSeconds(10)));
        await Eventually.TrueAsync(() => metrics.Requests("test", "GET", "499") == 1, "counted");
        var (errors, access) = await host.StopAsync();
        Assert.Equal("", errors);
        Assert.Contains("\" 499 ", access);
    }

    [Fact]
    public async Task A_body_that_breaks_the_protocol_is_answered_with_its_status()
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle);
        using var socket = ListenersTests.Connect(host);
        await socket.SendAsync("PUT /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 400 ", await ListenersTests.ReadAll(socket));
        await Eventually.TrueAsync(() => host.Get<RequestMetrics>().Requests("test", "PUT", "400") == 1, "counted");
    }

    [Fact]
    public async Task A_failure_in_the_middle_of_an_answer_cuts_the_connection()
    {
        await using var host = await ListeningHost.StartAsync(s_options, Handle);
        using var client = new HttpClient { BaseAddress = new Uri(host.Addresses[0]) };
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetStringAsync("/half", TestContext.Current.CancellationToken));
        await Eventually.TrueAsync(() => host.Get<RequestMetrics>().Requests("test", "GET", "500") == 1, "counted");
    }

    [Fact]
    public async Task Trusted_proxies_decide_the_address_in_the_log()
    {
        await using var host = await ListeningHost.StartAsync(s_options with { TrustedProxies = ["127.0.0.0/8"] }, Handle);
        using var client = new HttpClient { BaseAddress = new Uri(host.Addresses[0]) };
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "6.6.6.6, 203.0.113.9");
        for (var i = 0; i < 2; i++)
        {
            await client.GetAsync("/sync", TestContext.Current.CancellationToken);
            // The address belongs to the request, not to the connection that the proxy keeps for its other clients.
            client.DefaultRequestHeaders.Remove("X-Forwarded-For");
        }
        var (_, access) = await host.StopAsync();
        var lines = access.TrimEnd().Split('\n');
        Assert.StartsWith("203.0.113.9 ", lines[0]);
        Assert.StartsWith("127.0.0.1 ", lines[1]);
    }

    [Fact]
    public async Task The_metrics_page_is_served_in_both_formats()
    {
        MetricsPage? page = null;
        await using var host = await ListeningHost.StartAsync(s_options, context => page!.ServeAsync(context));
        page = host.Get<MetricsPage>();
        using var client = new HttpClient { BaseAddress = new Uri(host.Addresses[0]) };
        using var plain = await client.GetAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", plain.Content.Headers.ContentType!.ToString());
        client.DefaultRequestHeaders.Add("Accept", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3");
        using var open = await client.GetAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.StartsWith("application/openmetrics-text", open.Content.Headers.ContentType!.ToString());
        Assert.EndsWith("# EOF\n", await open.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using var post = await client.PostAsync("/metrics", null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    private static async Task Get(ListeningHost host, string path)
    {
        using var client = new HttpClient { BaseAddress = new Uri(host.Addresses[0]) };
        using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
        await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
    }

    private static Task Handle(HttpContext context)
    {
        var facts = RequestFacts.Of(context);
        (facts.Route, facts.Caller) = ("test", "alice");
        switch (context.Request.Path.Value)
        {
            case "/sync":
                context.Response.ContentLength = 5;
                return context.Response.Body.WriteAsync("hello"u8.ToArray()).AsTask();
            case "/throws":
                context.Response.Headers["X-Half-Made"] = "1";
                throw new InvalidDataException("the disk is gone");
            default:
                return Slow(context, facts);
        }
    }

    private static async Task Slow(HttpContext context, RequestFacts facts)
    {
        await Task.Yield();
        switch (context.Request.Path.Value)
        {
            case "/throws-async":
                throw new InvalidDataException("the disk is gone");
            case "/half":
                context.Response.ContentLength = 100;
                await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes("half"), context.RequestAborted);
                throw new InvalidDataException("the disk is gone");
            case "/endless":
                var block = new byte[100_000];
                while (true)
                {
                    await context.Response.Body.WriteAsync(block, context.RequestAborted);
                    facts.BytesSent += block.Length;
                    context.RequestAborted.ThrowIfCancellationRequested();
                }
            case "/read":
                await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
                break;
        }
        await context.Response.WriteAsync("hello");
    }
}
