using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Api;

/// <summary>The answer of an operation, as a value.</summary>
public sealed class ApiResult
{
    // Scripts look for names such as robot$project+ci with grep: a plus stands as it is, as in Harbor's answers.
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private ApiResult(int status) => Status = status;

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>The error and its message; null for success.</summary>
    public (ApiError Error, string Message)? Failure { get; private init; }

    /// <summary>Location header: where what was made can be found.</summary>
    public string? Location { get; private init; }

    /// <summary>Number of all items of a list of which the answer is a page; null for what is no page.</summary>
    public long? Total { get; private init; }

    /// <summary>What the body says, for those who ask in the same process; null without a body, and for text and streams.</summary>
    public object? Value { get; private init; }

    /// <summary>Content-Type; null without a body.</summary>
    public string? ContentType { get; private init; }

    /// <summary>Writes the body.</summary>
    internal Func<HttpContext, CancellationToken, Task>? Write { get; private init; }

    /// <summary>200 without a body.</summary>
    public static ApiResult Done { get; } = new(StatusCodes.Status200OK);

    /// <summary>202 with where to look.</summary>
    public static ApiResult Accepted(string? location = null) => new(StatusCodes.Status202Accepted) { Location = location };

    /// <summary>204.</summary>
    public static ApiResult NoContent { get; } = new(StatusCodes.Status204NoContent);

    /// <summary>200 with a value.</summary>
    public static ApiResult Ok<T>(T value, JsonTypeInfo<T> type) => Json(StatusCodes.Status200OK, value, type, null, null);

    /// <summary>200 with a page of a list.</summary>
    /// <param name="items">The page.</param>
    /// <param name="total">Number of all items.</param>
    /// <param name="type">Type of the page.</param>
    public static ApiResult List<T>(T items, long total, JsonTypeInfo<T> type) => Json(StatusCodes.Status200OK, items, type, null, total);

    /// <summary>201 without a body.</summary>
    public static ApiResult Created(string location) => new(StatusCodes.Status201Created) { Location = location };

    /// <summary>201 with what was made.</summary>
    public static ApiResult Created<T>(string location, T value, JsonTypeInfo<T> type) => Json(StatusCodes.Status201Created, value, type, location, null);

    /// <summary>Text, such as a log.</summary>
    public static ApiResult Text(string text, string contentType = "text/plain; charset=utf-8") => new(StatusCodes.Status200OK)
    {
        ContentType = contentType,
        Write = (context, ct) => context.Response.WriteAsync(text, ct),
    };

    /// <summary>Whatever the function writes.</summary>
    public static ApiResult Stream(string contentType, Func<HttpContext, CancellationToken, Task> write) =>
        new(StatusCodes.Status200OK) { ContentType = contentType, Write = write };

    /// <summary>302 to another page.</summary>
    public static ApiResult Redirect(string location) => new(StatusCodes.Status302Found) { Location = location };

    /// <summary>An error with a sentence that says what to do.</summary>
    public static ApiResult Fail(ApiError error, string message) => new(error.Status) { Failure = (error, message) };

    public static ApiResult NotFound(string message) => Fail(ApiError.NotFound, message);

    public static ApiResult BadRequest(string message) => Fail(ApiError.BadRequest, message);

    public static ApiResult Conflict(string message) => Fail(ApiError.Conflict, message);

    public static ApiResult Forbidden(string message) => Fail(ApiError.Forbidden, message);

    /// <summary>Some status with a value, where Harbor answers an error in a form of its own.</summary>
    internal static ApiResult Json<T>(int status, T value, JsonTypeInfo<T> type) => Json(status, value, type, null, null);

    private static ApiResult Json<T>(int status, T value, JsonTypeInfo<T> type, string? location, long? total) => new(status)
    {
        Location = location,
        Total = total,
        Value = value,
        ContentType = "application/json; charset=utf-8",
        Write = async (context, ct) =>
        {
            var writer = new Utf8JsonWriter(context.Response.BodyWriter, s_json);
            await using (writer.ConfigureAwait(false))
            {
                JsonSerializer.Serialize(writer, value, type);
                await writer.FlushAsync(ct).ConfigureAwait(false);
            }
        },
    };
}
