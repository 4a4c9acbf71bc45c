using System.Collections;
using System.Net;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// What is told of one finished request. It is the state of a log entry: our own provider writes it without boxing, other providers see the
/// usual list of fields.
/// </summary>
public readonly record struct RequestLine : IReadOnlyList<KeyValuePair<string, object?>>
{
    /// <summary>Constant text of the entry.</summary>
    public const string Message = "request completed";

    public required string Method { get; init; }

    /// <summary>Request target as it was sent, query included; redacted when it is written.</summary>
    public required string Target { get; init; }

    /// <summary><c>HTTP/1.1</c>, <c>HTTP/2</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary>Status code; 499 when the client went away before the answer was complete.</summary>
    public required int Status { get; init; }

    public required TimeSpan Elapsed { get; init; }

    public required string RequestId { get; init; }

    public required string Route { get; init; }

    public long BytesSent { get; init; }

    public long BytesReceived { get; init; }

    /// <summary>The client's address; null on a Unix socket.</summary>
    public IPAddress? Remote { get; init; }

    public string? Caller { get; init; }

    public string? Repository { get; init; }

    public string? UserAgent { get; init; }

    public string? Referer { get; init; }

    int IReadOnlyCollection<KeyValuePair<string, object?>>.Count => 13;

    KeyValuePair<string, object?> IReadOnlyList<KeyValuePair<string, object?>>.this[int index] => index switch
    {
        0 => new("method", Method),
        1 => new("path", Redaction.Of(Target)),
        2 => new("route", Route),
        3 => new("status", Status),
        4 => new("bytes", BytesSent),
        5 => new("received", BytesReceived),
        6 => new("ms", Elapsed.TotalMilliseconds),
        7 => new("remote", Remote?.ToString()),
        8 => new("caller", Caller),
        9 => new("repository", Repository),
        10 => new("request_id", RequestId),
        11 => new("user_agent", UserAgent),
        12 => new("{OriginalFormat}", Message),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    IEnumerator<KeyValuePair<string, object?>> IEnumerable<KeyValuePair<string, object?>>.GetEnumerator()
    {
        IReadOnlyList<KeyValuePair<string, object?>> fields = this;
        for (var i = 0; i < fields.Count; i++) yield return fields[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<KeyValuePair<string, object?>>)this).GetEnumerator();

    public override string ToString() => Message;
}
