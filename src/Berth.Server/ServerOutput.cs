using Berth.Server.Platform.Telemetry;

namespace Berth.Server;

/// <summary>The two streams of a server: log lines and the access log. Disposed after the server, so that its last words are written.</summary>
public sealed class ServerOutput(Stream log, Stream access) : IDisposable
{
    /// <summary>Nowhere.</summary>
    public static ServerOutput Silent { get; } = new(Stream.Null, Stream.Null);

    internal LogOutput Log { get; } = new(log);

    internal LogOutput Access { get; } = new(access);

    /// <summary>Log lines on standard error, the access log on standard output, as Docker Registry has them.</summary>
    public static ServerOutput OfThisProcess() => new(Console.OpenStandardError(), Console.OpenStandardOutput());

    public void Dispose()
    {
        Access.Dispose();
        Log.Dispose();
    }
}
