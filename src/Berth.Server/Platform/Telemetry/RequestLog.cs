using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Tells of every finished request in exactly one line, never two:
/// <list type="bullet">
/// <item>text format with <see cref="LogOptions.AccessLog"/> on (the default): a Combined-Log line on standard output;</item>
/// <item>JSON or logstash format, or text with the access log off: a structured line at Information through the logger, on standard error.</item>
/// </list>
/// To have no line at all, turn the access log off and set the level to Warning.
/// </summary>
public sealed class RequestLog
{
    private static readonly Func<RequestLine, Exception?, string> s_text = static (_, _) => RequestLine.Message;
    private readonly AccessLog? _accessLog;
    private readonly ILogger _logger;

    /// <param name="options">Decides which of the two lines is written.</param>
    /// <param name="accessLog">Where the Combined-Log line goes.</param>
    /// <param name="loggers">Where the structured line goes.</param>
    public RequestLog(LogOptions options, AccessLog accessLog, ILoggerFactory loggers)
    {
        _accessLog = options is { Format: LogFormat.Text, AccessLog: true } ? accessLog : null;
        _logger = loggers.CreateLogger("Request");
    }

    /// <summary>Whether anything is written at all.</summary>
    public bool IsEnabled => _accessLog is not null || _logger.IsEnabled(LogLevel.Information);

    /// <summary>Writes the line.</summary>
    public void Write(in RequestLine line)
    {
        if (_accessLog is not null) _accessLog.Write(line);
        else _logger.Log(LogLevel.Information, new EventId(0), line, null, s_text);
    }
}
