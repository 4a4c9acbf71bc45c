using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>Log output (section <c>log</c>).</summary>
public sealed record LogOptions
{
    /// <summary>Least severe level that is written.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary><c>text</c>, <c>json</c> or <c>logstash</c> (JSON with logstash's field names).</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;

    /// <summary>Fields added to every line.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    /// <summary>One line a request in Combined Log Format on standard output.</summary>
    public bool AccessLog { get; init; } = true;
}

/// <summary>Form of log lines.</summary>
public enum LogFormat
{
    Text,
    Json,
    Logstash,
}

/// <summary>Prometheus metrics (section <c>metrics</c>).</summary>
public sealed record MetricsOptions
{
    /// <summary>Serve metrics.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Path of the metrics page.</summary>
    public string Path { get; init; } = "/metrics";
}

/// <summary>OpenTelemetry traces (section <c>tracing</c>).</summary>
public sealed record TracingOptions
{
    /// <summary>OTLP/HTTP address such as <c>http://localhost:4318</c>; empty turns tracing off.</summary>
    public string? OtlpEndpoint { get; init; }

    /// <summary>Share of requests that are traced, 0 to 1.</summary>
    public double SampleRatio { get; init; } = 1.0;

    /// <summary>Service name in traces.</summary>
    public string ServiceName { get; init; } = "berth";
}
