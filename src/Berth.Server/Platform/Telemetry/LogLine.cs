using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// One line of the log, in one of three forms. Text is <c>time=… level=info msg="…" key=value</c>, JSON an object with the same names,
/// logstash an object with <c>@timestamp</c>, <c>@version</c>, <c>message</c> and <c>logger_name</c> as its shippers expect them.
/// Times are UTC with milliseconds. Strings pass through <see cref="Redaction"/>; fields whose name says secret are masked.
/// </summary>
internal sealed class LogLine
{
    private readonly LogFormat _format;
    private readonly (string Name, string Value)[] _fixedFields;

    public LogLine(LogOptions options)
    {
        _format = options.Format;
        _fixedFields = [.. options.Fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => (Free(field.Key), field.Value))];
    }

    private bool IsText => _format == LogFormat.Text;

    /// <summary>What an entry of the log consists of.</summary>
    public readonly ref struct Entry
    {
        public required DateTimeOffset Time { get; init; }
        public required LogLevel Level { get; init; }
        public required string Category { get; init; }
        public required string Message { get; init; }
        public IReadOnlyList<KeyValuePair<string, object?>>? Fields { get; init; }
        public Exception? Exception { get; init; }
    }

    /// <summary>Writes an entry with its line feed.</summary>
    public void Write(LineBuffer to, in Entry entry)
    {
        Start(to, entry.Time, entry.Level, Redaction.Of(entry.Message), entry.Category);
        if (entry.Fields is { } fields) WriteFields(to, fields);
        if (entry.Exception is { } exception)
        {
            Field(to, "error", exception.GetType().Name + ": " + exception.Message);
            Field(to, "stack", exception.ToString());
        }
        if (Activity.Current is { } activity) Plain(to, "trace_id", activity.TraceId.ToHexString());
        End(to);
    }

    /// <summary>Writes the entry of a finished request; no boxing, no strings.</summary>
    public void Write(LineBuffer to, DateTimeOffset time, LogLevel level, string category, in RequestLine line)
    {
        Start(to, time, level, RequestLine.Message, category);
        Plain(to, "method", line.Method);
        // A path holds names and digests; only a query may hold a secret.
        Plain(to, "path", line.Target.Contains('?') ? Redaction.Of(line.Target) : line.Target);
        Plain(to, "route", line.Route);
        Field(to, "status", line.Status);
        Field(to, "bytes", line.BytesSent);
        if (line.BytesReceived > 0) Field(to, "received", line.BytesReceived);
        Name(to, "ms");
        to.Number(line.Elapsed.TotalMilliseconds, digits: 3);
        if (line.Remote is { } remote) Plain(to, "remote", remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4().ToString() : remote.ToString());
        if (line.Caller is { } caller) Plain(to, "caller", caller);
        if (line.Repository is { } repository) Plain(to, "repository", repository);
        Plain(to, "request_id", line.RequestId);
        if (line.UserAgent is { Length: > 0 } agent) Plain(to, "user_agent", agent);
        if (line.Referer is { Length: > 0 } referer) Field(to, "referer", referer);
        if (Activity.Current is { } activity) Plain(to, "trace_id", activity.TraceId.ToHexString());
        End(to);
    }

    /// <summary>Name of a level in all three forms.</summary>
    internal static ReadOnlySpan<byte> LevelName(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace"u8,
        LogLevel.Debug => "debug"u8,
        LogLevel.Information => "info"u8,
        LogLevel.Warning => "warning"u8,
        LogLevel.Error => "error"u8,
        _ => "fatal"u8,
    };

    private void Start(LineBuffer to, DateTimeOffset time, LogLevel level, string message, string category)
    {
        if (IsText)
        {
            Time(to.Raw("time="u8), time).Raw(" level="u8).Raw(LevelName(level)).Raw(" msg="u8).Quoted(message);
        }
        else
        {
            var logstash = _format == LogFormat.Logstash;
            Time(to.Raw(logstash ? "{\"@timestamp\":\""u8 : "{\"time\":\""u8), time).Raw('"');
            if (logstash) to.Raw(",\"@version\":\"1\""u8);
            to.Raw(",\"level\":\""u8).Raw(LevelName(level)).Raw(logstash ? "\",\"message\":"u8 : "\",\"msg\":"u8).JsonString(message);
        }
        Plain(to, _format == LogFormat.Logstash ? "logger_name" : "logger", category);
        foreach (var (name, value) in _fixedFields)
        {
            Name(to, name);
            String(to, value);
        }
    }

    /// <summary>The framework's round-trip form, which it writes fastest, cut to milliseconds: <c>2026-11-22T01:45:32.123Z</c>.</summary>
    private static LineBuffer Time(LineBuffer to, DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[33];
        return time.UtcDateTime.TryFormat(text, out var length, "O") && length >= 23 ? to.Raw(text[..23]).Raw('Z') : to;
    }

    private void End(LineBuffer to) => to.Raw(IsText ? "\n"u8 : "}\n"u8);

    private void WriteFields(LineBuffer to, IReadOnlyList<KeyValuePair<string, object?>> fields)
    {
        // The template is the last entry of a state; in text, what the message already says is not said again.
        var template = fields.Count > 0 && fields[^1].Key == "{OriginalFormat}" ? fields[^1].Value as string ?? "" : "";
        for (var i = 0; i < fields.Count; i++)
        {
            var (key, value) = fields[i];
            if (key == "{OriginalFormat}") continue;
            if (IsText && Mentions(template, key)) continue;
            var name = Free(SnakeCase(key));
            if (Redaction.IsSecretName(key)) Field(to, name, "***");
            else Any(to, name, value);
        }
    }

    private static bool Mentions(string template, string key)
    {
        for (var at = template.IndexOf('{'); at >= 0; at = template.IndexOf('{', at + 1))
        {
            var rest = template.AsSpan(at + 1);
            if (rest.StartsWith(key) && rest.Length > key.Length && rest[key.Length] is '}' or ':' or ',') return true;
        }
        return false;
    }

    private void Any(LineBuffer to, string name, object? value)
    {
        switch (value)
        {
            case null: break;
            case string text: Field(to, name, text); break;
            case int or long or short or byte or uint or ushort or sbyte: Field(to, name, Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
            case bool yes:
                Name(to, name);
                to.Raw(yes ? "true"u8 : "false"u8);
                break;
            case double or float when double.IsFinite(Convert.ToDouble(value, CultureInfo.InvariantCulture)):
                Name(to, name);
                to.Number(Convert.ToDouble(value, CultureInfo.InvariantCulture));
                break;
            case IEnumerable<string> list: Field(to, name, string.Join(", ", list)); break;
            default: Field(to, name, Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""); break;
        }
    }

    private void Field(LineBuffer to, string name, string value) => Plain(to, name, Redaction.Of(value));

    /// <summary>A field that cannot hold a secret.</summary>
    private void Plain(LineBuffer to, string name, string value)
    {
        Name(to, name);
        String(to, value);
    }

    private void Field(LineBuffer to, string name, long value)
    {
        Name(to, name);
        to.Number(value);
    }

    private void String(LineBuffer to, string value)
    {
        if (IsText) to.Word(value);
        else to.JsonString(value);
    }

    private void Name(LineBuffer to, string name)
    {
        if (IsText) to.Raw(' ').Text(name).Raw('=');
        else to.Raw(',').JsonString(name).Raw(':');
    }

    /// <summary>A field that has the name of one of ours would make two of a name in an object.</summary>
    private static string Free(string name) => name switch
    {
        "time" or "level" or "msg" or "message" or "logger" or "logger_name" or "@timestamp" or "@version" or "error" or "stack" or "trace_id" =>
            "fields." + name,
        _ => name,
    };

    /// <summary>The parameter names of log methods are <c>SizeBytes</c>; in lines they are <c>size_bytes</c> like all others.</summary>
    internal static string SnakeCase(string name)
    {
        var capitals = 0;
        foreach (var c in name) capitals += char.IsAsciiLetterUpper(c) ? 1 : 0;
        if (capitals == 0) return name;
        var text = new System.Text.StringBuilder(name.Length + capitals);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (char.IsAsciiLetterUpper(c) && i > 0 && !char.IsAsciiLetterUpper(name[i - 1]) && name[i - 1] != '_') text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }
}
