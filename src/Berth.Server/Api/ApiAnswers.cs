using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Api;

/// <summary>Writes answers in the form of their interface: Harbor's envelope, or problem documents (RFC 9457).</summary>
internal static class ApiAnswers
{
    /// <summary>Sends an answer.</summary>
    public static async Task SendAsync(HttpContext context, ApiSurface api, ApiResult result, CancellationToken ct)
    {
        var response = context.Response;
        response.StatusCode = result.Status;
        response.Headers.CacheControl = "no-store";
        if (result.Location is { } location) response.Headers.Location = location;
        if (result.Total is { } total) SetPages(context, total);
        if (result.Failure is { } failure)
        {
            await SendErrorAsync(context, api, failure.Error, failure.Message, ct).ConfigureAwait(false);
            return;
        }
        if (result.Write is null)
        {
            if (result.Status != StatusCodes.Status204NoContent) response.ContentLength = 0;
            return;
        }
        response.ContentType = result.ContentType;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await result.Write(context, ct).ConfigureAwait(false);
    }

    private static async Task SendErrorAsync(HttpContext context, ApiSurface api, ApiError error, string message, CancellationToken ct)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            if (api == ApiSurface.Berth) WriteProblem(json, context, error, message);
            else WriteEnvelope(json, error, message);
        }
        context.Response.ContentType = api == ApiSurface.Berth ? "application/problem+json" : "application/json; charset=utf-8";
        context.Response.ContentLength = body.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, ct).ConfigureAwait(false);
    }

    private static void WriteEnvelope(Utf8JsonWriter json, ApiError error, string message)
    {
        json.WriteStartObject();
        json.WriteStartArray("errors");
        json.WriteStartObject();
        json.WriteString("code", error.Code);
        json.WriteString("message", message);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteProblem(Utf8JsonWriter json, HttpContext context, ApiError error, string message)
    {
        json.WriteStartObject();
        json.WriteString("type", "about:blank");
        json.WriteString("title", error.Code.Replace('_', ' ').ToLowerInvariant());
        json.WriteNumber("status", error.Status);
        json.WriteString("detail", message);
        json.WriteString("code", error.Code);
        json.WriteString("instance", context.Request.Path.Value);
        json.WriteEndObject();
    }

    // RFC 8288, in Harbor's form: the page before and the page after, with all parameters of the request.
    private static void SetPages(HttpContext context, long total)
    {
        var response = context.Response;
        response.Headers["X-Total-Count"] = total.ToString(CultureInfo.InvariantCulture);
        var query = context.Request.Query;
        _ = long.TryParse(query["page"], CultureInfo.InvariantCulture, out var page);
        _ = long.TryParse(query["page_size"], CultureInfo.InvariantCulture, out var size);
        page = Math.Max(1, page);
        size = size < 1 ? 10 : size;
        var links = new List<string>(2);
        if (page > 1) links.Add($"<{PageOf(context, page - 1, size)}>; rel=\"prev\"");
        if (page * size < total) links.Add($"<{PageOf(context, page + 1, size)}>; rel=\"next\"");
        if (links.Count > 0) response.Headers.Link = string.Join(" , ", links);
    }

    private static string PageOf(HttpContext context, long page, long size)
    {
        var text = new StringBuilder(128);
        text.Append(context.Request.PathBase.Value).Append(context.Request.Path.ToUriComponent());
        var separator = '?';
        foreach (var (name, values) in context.Request.Query)
        {
            if (name is "page" or "page_size") continue;
            foreach (var value in values)
            {
                text.Append(separator).Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value ?? ""));
                separator = '&';
            }
        }
        return text.Append(separator).Append(CultureInfo.InvariantCulture, $"page={page}&page_size={size}").ToString();
    }
}
