using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Spans of Berth's own work, and the switch for their export. Without <see cref="TracingOptions.OtlpEndpoint"/> nobody listens:
/// <see cref="ActivitySource.StartActivity(string, ActivityKind)"/> returns null at the price of a branch, and no OpenTelemetry type is loaded.
/// </summary>
public static class Tracing
{
    /// <summary>Name of <see cref="Source"/>.</summary>
    public const string SourceName = "Berth";

    /// <summary>Source of Berth's own spans.</summary>
    public static readonly ActivitySource Source = new(SourceName, ProcessMetrics.Version);

    /// <summary>Starts the export when it is asked for; dispose it after the server has stopped, so that the last spans are sent.</summary>
    /// <returns>Null when tracing is off.</returns>
    public static IDisposable? Start(TracingOptions options) => string.IsNullOrEmpty(options.OtlpEndpoint) ? null : StartExport(options);

    // A method of its own, never inlined: the runtime loads the types of a method when it compiles it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IDisposable StartExport(TracingOptions options) => OtlpTracing.Start(options);
}
