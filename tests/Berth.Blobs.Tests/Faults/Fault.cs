namespace Berth.Blobs.Tests.Faults;

/// <summary>A request that the proxy sees.</summary>
/// <param name="Method">GET, PUT …</param>
/// <param name="Target">Path and query, as sent.</param>
/// <param name="Number">1, 2, 3 …</param>
public sealed record FaultRequest(string Method, string Target, int Number);

/// <summary>How a request is spoilt.</summary>
public sealed record Fault(FaultKind Kind)
{
    /// <summary>Waits this long first.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Bytes that pass before the cut.</summary>
    public long Bytes { get; init; }

    /// <summary>Status of the answer.</summary>
    public int Status { get; init; }

    /// <summary>Body of the answer.</summary>
    public string Body { get; init; } = "";

    /// <summary>Further headers of the answer, each with its line end.</summary>
    public string Headers { get; init; } = "";

    /// <summary>The connection breaks before the server sees the request.</summary>
    public static Fault Reset => new(FaultKind.Reset);

    /// <summary>No answer ever comes; the server does not see the request.</summary>
    public static Fault Silence => new(FaultKind.Silence);

    /// <summary>The server does what it was asked, and the connection breaks before its answer.</summary>
    public static Fault LostAnswer => new(FaultKind.LoseAnswer);

    /// <summary>The server does what it was asked, and the client gets a 500.</summary>
    public static Fault DoneYet500 => new(FaultKind.LoseAnswer) { Status = 500 };

    /// <summary>500 without the server seeing the request.</summary>
    public static Fault InternalError => Answer(500);

    /// <summary>S3's way to ask for less.</summary>
    public static Fault SlowDown => Answer(503, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>");

    /// <summary>An answer of the proxy's own.</summary>
    public static Fault Answer(int status, string body = "", string headers = "") => new(FaultKind.Answer) { Status = status, Body = body, Headers = headers };

    /// <summary>The connection breaks after so many bytes of the answer, its head included.</summary>
    public static Fault CutAnswer(long bytes) => new(FaultKind.CutAnswer) { Bytes = bytes };

    /// <summary>The connection breaks after so many bytes of the request's body.</summary>
    public static Fault CutRequest(long bytes) => new(FaultKind.CutRequest) { Bytes = bytes };

    /// <summary>Everything passes, later.</summary>
    public static Fault Late(TimeSpan delay) => new(FaultKind.None) { Delay = delay };
}

/// <summary>Kinds of faults.</summary>
public enum FaultKind
{
    /// <summary>None but the delay.</summary>
    None,

    /// <summary><see cref="Fault.Reset"/>.</summary>
    Reset,

    /// <summary><see cref="Fault.Silence"/>.</summary>
    Silence,

    /// <summary><see cref="Fault.Answer"/>.</summary>
    Answer,

    /// <summary><see cref="Fault.CutAnswer"/>.</summary>
    CutAnswer,

    /// <summary><see cref="Fault.CutRequest"/>.</summary>
    CutRequest,

    /// <summary><see cref="Fault.LostAnswer"/> and <see cref="Fault.DoneYet500"/>.</summary>
    LoseAnswer,
}
