using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Berth's log: every entry is one line on standard error, in the form of <see cref="LogOptions.Format"/>. Scopes are not kept; a line that
/// belongs to a request says so by its fields, and with tracing on every line carries the trace's id.
/// </summary>
[ProviderAlias("Berth")]
public sealed class LogProvider(LogOptions options, LogOutput output, TimeProvider time) : ILoggerProvider
{
    private const string OwnPrefix = "Berth.Server.";
    private readonly LogLine _line = new(options);

    public ILogger CreateLogger(string categoryName) =>
        new CategoryLog(this, categoryName.StartsWith(OwnPrefix, StringComparison.Ordinal) ? categoryName[OwnPrefix.Length..] : categoryName);

    /// <summary>The output belongs to whoever made it; it outlives the provider so that the last lines of a shutdown arrive.</summary>
    public void Dispose()
    {
    }

    private sealed class CategoryLog(LogProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.None) return;
            var now = provider.Now();
            string? message = null;
            // The message may itself use this thread's buffer: make it before taking the buffer.
            if (typeof(TState) != typeof(RequestLine)) message = formatter(state, exception);
            var buffer = LineBuffer.Mine();
            if (state is RequestLine request)
            {
                provider._line.Write(buffer, now, logLevel, category, request);
            }
            else
            {
                provider._line.Write(buffer, new LogLine.Entry
                {
                    Time = now,
                    Level = logLevel,
                    Category = category,
                    Message = message ?? "",
                    Fields = state as IReadOnlyList<KeyValuePair<string, object?>>,
                    Exception = exception,
                });
            }
            provider.Send(buffer, urgent: logLevel >= LogLevel.Error);
        }
    }

    private DateTimeOffset Now() => time.GetUtcNow();

    private void Send(LineBuffer buffer, bool urgent) => output.Write(buffer.Written, urgent);
}
