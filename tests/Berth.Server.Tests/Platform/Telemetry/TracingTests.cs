using System.Diagnostics;
using System.Net;
using System.Text;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Tests.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Platform.Telemetry;

public sealed class TracingTests
{
    private static readonly HttpOptions s_options = new() { Urls = ["http://127.0.0.1:0"] };

    [Fact]
    public void Without_an_address_nothing_is_started_and_a_span_costs_nothing()
    {
        Assert.Null(Tracing.Start(new TracingOptions()));
        Assert.Null(Tracing.Source.StartActivity("push", ActivityKind.Internal, parentContext: default));
    }

    [Fact]
    public async Task Spans_of_requests_and_of_our_own_work_arrive_at_the_collector()
    {
        var received = new List<(string Path, string Type, string Body)>();
        await using var collector = await ListeningHost.StartAsync(s_options, async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            lock (received) received.Add((context.Request.Path, context.Request.ContentType ?? "", Encoding.Latin1.GetString(body.ToArray())));
        });
        var tracing = Tracing.Start(new TracingOptions { OtlpEndpoint = collector.Addresses[0], ServiceName = "berth-under-test" });
        Assert.NotNull(tracing);
        await using (var host = await ListeningHost.StartAsync(s_options, Handle))
        {
            using var client = new HttpClient();
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(host.Addresses[0] + "/v2/", TestContext.Current.CancellationToken)).StatusCode);
            await host.StopAsync();
        }
        tracing.Dispose();

        Assert.All(received, call => Assert.Equal(("/v1/traces", "application/x-protobuf"), (call.Path, call.Type)));
        var all = string.Concat(received.Select(call => call.Body));
        foreach (var text in new[] { "berth-under-test", "service.version", "GET traced", "http.route", "berth.request_id", "commit blob", "Microsoft.AspNetCore" })
            Assert.Contains(text, all);
    }

    [Theory]
    [InlineData("http://localhost:4318", "http://localhost:4318/v1/traces")]
    [InlineData("http://localhost:4318/", "http://localhost:4318/v1/traces")]
    [InlineData("https://otlp.example/base", "https://otlp.example/base/v1/traces")]
    [InlineData("http://localhost:4318/v1/traces", "http://localhost:4318/v1/traces")]
    public void Traces_go_to_their_path_at_the_collector(string endpoint, string expected) =>
        Assert.Equal(expected, OtlpTracing.TracesAddress(endpoint).AbsoluteUri);

    private static Task Handle(HttpContext context)
    {
        RequestFacts.Of(context).Route = "traced";
        using var span = Tracing.Source.StartActivity("commit blob");
        return context.Response.WriteAsync("ok");
    }
}
