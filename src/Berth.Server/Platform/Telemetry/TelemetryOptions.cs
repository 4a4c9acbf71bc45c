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

    /// <summary>A database statement that takes longer is logged as a warning, with its text and without its values; 0 logs none.</summary>
    public TimeSpan SlowQuery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>An operation of the blob store that takes longer is logged as a warning; 0 logs none.</summary>
    public TimeSpan SlowStorage { get; init; } = TimeSpan.FromSeconds(5);
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

    /// <summary>Most projects that are shown with what they use: those that have used 85 % of their quota or more, the fullest first. 0 shows none by name.</summary>
    public int MaxProjects { get; init; } = 50;
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
