using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Access;
using Berth.Server.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;

namespace Berth.Server.Ui;

/// <summary>
/// How pages ask the API: the same operations, through the same checks, in the same process and without the network between. An operation sees a request that has
/// the connection, the session and the headers of the page's own, and its own path, query and body.
/// </summary>
internal sealed class UiQuestions(ApiEndpoint door, Func<IEnumerable<ApiOperation>> operations)
{
    private static readonly HashSet<string> s_passedOn = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Cookie", "User-Agent", "Origin", "Sec-Fetch-Site", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-For", "Forwarded", "Accept-Language",
    };

    // Ids are unique within an interface; pages mean ours where both have one.
    private readonly Lazy<Dictionary<string, ApiOperation>> _byId = new(() =>
        operations().OrderBy(o => o.Surface == ApiSurface.Berth).GroupBy(o => o.Id, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last(), StringComparer.Ordinal));

    /// <summary>Asks an operation.</summary>
    public async Task<ApiResult> AskAsync(
        UiCall call, string operation, IReadOnlyList<(string Name, string Value)> route, IReadOnlyList<(string Name, string Value)> query, JsonNode? body) =>
        (await RunAsync(call, operation, route, query, ContentOf(body)).ConfigureAwait(false)).Result;

    /// <summary>Posts a form to an operation that takes one.</summary>
    public async Task<ApiResult> PostAsync(UiCall call, string operation, IReadOnlyList<(string Name, string Value)> fields)
    {
        var text = string.Join('&', fields.Select(f => $"{Uri.EscapeDataString(f.Name)}={Uri.EscapeDataString(f.Value)}"));
        return (await RunAsync(call, operation, [], [], (Encoding.ASCII.GetBytes(text), "application/x-www-form-urlencoded")).ConfigureAwait(false)).Result;
    }

    /// <summary>The text that an operation answers; null when it is refused.</summary>
    public async Task<string?> TextAsync(UiCall call, string operation, IReadOnlyList<(string Name, string Value)> route)
    {
        var (result, context) = await RunAsync(call, operation, route, [], default).ConfigureAwait(false);
        if (result.Failure is not null || result.Write is null) return null;
        var stream = new MemoryStream();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(stream));
        await result.Write(context, call.Http.RequestAborted).ConfigureAwait(false);
        await context.Response.CompleteAsync().ConfigureAwait(false);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private async Task<(ApiResult Result, HttpContext Context)> RunAsync(
        UiCall call, string operation, IReadOnlyList<(string Name, string Value)> route, IReadOnlyList<(string Name, string Value)> query, (byte[]? Bytes, string Type) body)
    {
        var found = _byId.Value[operation];
        var context = ContextOf(call, found, route, query, body);
        var result = await door.AskAsync(context, found, call.Caller, call.Http.RequestAborted).ConfigureAwait(false);
        // A session that begins or ends shows in the browser.
        foreach (var cookie in context.Response.Headers.SetCookie) call.Http.Response.Headers.Append("Set-Cookie", cookie);
        return (result, context);
    }

    private static DefaultHttpContext ContextOf(
        UiCall call, ApiOperation operation, IReadOnlyList<(string Name, string Value)> route, IReadOnlyList<(string Name, string Value)> query, (byte[]? Bytes, string Type) body)
    {
        var outer = call.Http;
        var bytes = body.Bytes ?? [];
        var features = new FeatureCollection(outer.Features);
        var headers = new HeaderDictionary();
        foreach (var (name, value) in outer.Request.Headers)
        {
            if (s_passedOn.Contains(name)) headers[name] = value;
        }
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = operation.Method,
            Scheme = outer.Request.Scheme,
            Protocol = outer.Request.Protocol,
            PathBase = outer.Request.PathBase.Value ?? "",
            Path = operation.Route,
            Headers = headers,
            Body = new MemoryStream(bytes),
        });
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        features.Set<IRouteValuesFeature>(new RouteValuesFeature { RouteValues = RouteOf(call, operation, route) });
        features.Set<IQueryFeature>(new QueryFeature(new QueryCollection(query.GroupBy(q => q.Name).ToDictionary(g => g.Key, g => new StringValues([.. g.Select(q => q.Value)])))));
        // The form of the page has been checked already; what changes nothing needs no proof.
        if (call.Form is not null || operation.ChangesNothing) features.Set(new RequestProof(true, call.ProofToken));
        var context = new DefaultHttpContext(features);
        // Each of these would otherwise be the page's own.
        features.Set<IRequestBodyPipeFeature>(new RequestBodyPipeFeature(context));
        features.Set<IFormFeature>(new FormFeature(context.Request));
        if (body.Bytes is not null) (context.Request.ContentType, context.Request.ContentLength) = (body.Type, bytes.Length);
        return context;
    }

    private static (byte[]? Bytes, string Type) ContentOf(JsonNode? body) => body is null ? default : (Encoding.UTF8.GetBytes(body.ToJsonString()), "application/json");

    private static RouteValueDictionary RouteOf(UiCall call, ApiOperation operation, IReadOnlyList<(string Name, string Value)> route)
    {
        var values = new RouteValueDictionary();
        if (call.Project is { } project)
        {
            // By id where the operation takes either: a name of digits would be taken for one.
            if (operation.Route.Contains("{project_name_or_id}", StringComparison.Ordinal)) values["project_name_or_id"] = project.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);
            if (operation.Route.Contains("{project_name}", StringComparison.Ordinal)) values["project_name"] = project.Name;
        }
        // What comes out of a path is percent-decoded once more by those who read it.
        foreach (var (name, value) in route) values[name] = Uri.EscapeDataString(value);
        return values;
    }
}
