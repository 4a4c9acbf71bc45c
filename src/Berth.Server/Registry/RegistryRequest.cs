using Berth.Server.Access;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>A request to one repository whose caller is known and allowed to make it.</summary>
internal readonly record struct RegistryRequest(HttpContext Http, RepositoryRights Rights, Caller Caller, RequestFacts Facts)
{
    /// <summary>Name of the repository as it is called now.</summary>
    public string Repository => Rights.Repository;

    /// <summary>Address that the request came from; empty when it is not known.</summary>
    public string Address => Http.Connection.RemoteIpAddress?.ToString() ?? "";

    public CancellationToken Aborted => Http.RequestAborted;

    public bool IsHead => HttpMethods.IsHead(Http.Request.Method);

    /// <summary>A link to something of a repository, in the form that the settings ask for.</summary>
    public string Link(HttpOptions options, string path)
    {
        var request = Http.Request;
        var relative = string.Concat(request.PathBase.Value, "/v2/", path);
        if (options.RelativeUrls) return relative;
        return options.OriginOf(request) + relative;
    }

    public Task FailAsync(OciError error, string? detail = null) => OciErrors.WriteAsync(Http, error, detail);

    public Task FailAsync(OciError error, IReadOnlyList<string> details) => OciErrors.WriteAsync(Http, error, details);
}
