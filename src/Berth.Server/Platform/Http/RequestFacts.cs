using Microsoft.AspNetCore.Http;

namespace Berth.Server.Platform.Http;

/// <summary>What the handlers learn about a request and the logs and metrics tell; a request feature.</summary>
public sealed class RequestFacts
{
    /// <summary>Name of the route for metrics, from a small fixed set: <c>manifest</c>, <c>blob</c>, <c>upload</c>, <c>tags</c> …</summary>
    public string Route { get; set; } = "other";

    /// <summary>Name of the caller once it is known.</summary>
    public string? Caller { get; set; }

    /// <summary>Repository that the request names.</summary>
    public string? Repository { get; set; }

    /// <summary>Id of the request in logs and in the X-Request-Id header: the client's own when it is sane, else random.</summary>
    public required string RequestId { get; init; }

    /// <summary>Bytes of the body that were received.</summary>
    public long BytesReceived { get; set; }

    /// <summary>Bytes of the body that were sent.</summary>
    public long BytesSent { get; set; }

    /// <summary>The facts of a request; made on first use.</summary>
    public static RequestFacts Of(HttpContext context)
    {
        var facts = context.Features.Get<RequestFacts>();
        if (facts is null) context.Features.Set(facts = new RequestFacts { RequestId = context.TraceIdentifier });
        return facts;
    }
}
