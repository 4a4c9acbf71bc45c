using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Sends spans by OTLP over HTTP (protobuf): requests, database commands, outgoing HTTP, Berth's own work. The only class that names
/// OpenTelemetry. A request that comes with a sampling decision of its caller keeps it; others are sampled by ratio of the trace id.
/// </summary>
internal static class OtlpTracing
{
    private const string TracesPath = "/v1/traces";

    public static IDisposable Start(TracingOptions options) => Sdk.CreateTracerProviderBuilder()
        .ConfigureResource(resource => resource.AddService(options.ServiceName, serviceVersion: ProcessMetrics.Version))
        .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(Math.Clamp(options.SampleRatio, 0, 1))))
        .AddSource("Microsoft.AspNetCore", "Npgsql", "System.Net.Http", Tracing.SourceName)
        .AddOtlpExporter(exporter =>
        {
            exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
            exporter.Endpoint = TracesAddress(options.OtlpEndpoint!);
        })
        .Build();

    /// <summary>The setting names the collector; traces have a path of their own there (OTLP/HTTP request, "opentelemetry.io/docs/specs/otlp").</summary>
    internal static Uri TracesAddress(string endpoint)
    {
        var trimmed = endpoint.TrimEnd('/');
        return new Uri(trimmed.EndsWith(TracesPath, StringComparison.Ordinal) ? trimmed : trimmed + TracesPath);
    }
}
