using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;
using Berth.Server.Tests;

namespace Berth.EndToEnd.Observability;

/// <summary>A registry that sends its traces to a sink, has a port for operators and a receiver of notifications, and to which something was pushed.</summary>
public sealed class ObservedRegistry(ImageFixtures images) : IAsyncLifetime
{
    private readonly int operatorPort = RegistryUnderTest.FreePort();
    private readonly TemporaryFolder folder = new("observed");
    private ToolServer? sink;
    private RunningRegistry? registry;

    /// <summary>Trace id that the client of the push gave to all its requests.</summary>
    public const string TraceId = "0af7651916cd43dd8448eb211c80319c";

    public RunningRegistry Registry => registry!;

    /// <summary>Address of metrics and health.</summary>
    public string Operators => $"http://127.0.0.1:{operatorPort}";

    /// <summary>File with a JSON line for each span.</summary>
    public string SpansFile => sink!["OTLP_SPANS"];

    public async ValueTask InitializeAsync()
    {
        RegistryUnderTest.OnlyBerth("metrics and traces of this kind");
        sink = await ToolServer.StartAsync("start-otlp.sh");
        sink.Require();
        var port = RegistryUnderTest.FreePort();
        registry = await RegistryUnderTest.StartBerth(folder, port, $$"""
            http: { urls: [ "http://127.0.0.1:{{port}}" ], debugAddress: "127.0.0.1:{{operatorPort}}" }
            notifications: { endpoints: [ { name: nobody, url: "http://127.0.0.1:1/" } ] }
            tracing: { otlpEndpoint: "{{sink["OTEL_EXPORTER_OTLP_ENDPOINT"]}}", serviceName: observed }
            """, TestContext.Current.CancellationToken);
        using var client = new RegistryHttp($"http://{registry.Address}");
        client.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        client.Client.DefaultRequestHeaders.Add("traceparent", $"00-{TraceId}-b7ad6b7169203331-01");
        await client.Push("library/observed", "1", images.Small(), TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (registry is not null) await registry.DisposeAsync();
        if (sink is not null) await sink.DisposeAsync();
        folder.Dispose();
    }
}
