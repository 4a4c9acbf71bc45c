using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// The errors of the registry protocol: code, status and text (OCI distribution spec, "Error Codes"; Docker Registry's for the rest).
/// Written as <c>{"errors":[{"code":…,"message":…,"detail":…}]}</c>.
/// </summary>
public sealed record OciError(string Code, int Status, string Message)
{
    public static readonly OciError BlobUnknown = new("BLOB_UNKNOWN", 404, "blob unknown to registry");
    public static readonly OciError BlobUploadInvalid = new("BLOB_UPLOAD_INVALID", 400, "blob upload invalid");
    public static readonly OciError BlobUploadUnknown = new("BLOB_UPLOAD_UNKNOWN", 404, "blob upload unknown to registry");
    public static readonly OciError RangeInvalid = new("BLOB_UPLOAD_INVALID", 416, "content range does not continue the upload");
    public static readonly OciError DigestInvalid = new("DIGEST_INVALID", 400, "provided digest did not match uploaded content");
    public static readonly OciError ManifestBlobUnknown = new("MANIFEST_BLOB_UNKNOWN", 404, "manifest references content unknown to registry");
    public static readonly OciError ManifestInvalid = new("MANIFEST_INVALID", 400, "manifest invalid");
    public static readonly OciError ManifestUnknown = new("MANIFEST_UNKNOWN", 404, "manifest unknown to registry");
    public static readonly OciError NameInvalid = new("NAME_INVALID", 400, "invalid repository name");
    public static readonly OciError NameUnknown = new("NAME_UNKNOWN", 404, "repository name not known to registry");
    public static readonly OciError SizeInvalid = new("SIZE_INVALID", 400, "provided length did not match content length");
    public static readonly OciError TooLarge = new("SIZE_INVALID", 413, "content is larger than this registry accepts");
    public static readonly OciError TagInvalid = new("TAG_INVALID", 400, "invalid tag");
    public static readonly OciError TooManyTags = new("TAG_INVALID", 414, "too many tags in one request");
    public static readonly OciError PaginationInvalid = new("PAGINATION_NUMBER_INVALID", 400, "invalid number of results requested");
    public static readonly OciError Unauthorized = new("UNAUTHORIZED", 401, "authentication required");
    public static readonly OciError Denied = new("DENIED", 403, "requested access to the resource is denied");
    public static readonly OciError PasswordChange = new("DENIED", 403, "choose a new password before anything else: sign in to the web page or the API");
    public static readonly OciError Unsupported = new("UNSUPPORTED", 405, "the operation is unsupported");
    public static readonly OciError NoSuchRoute = new("UNSUPPORTED", 404, "no such endpoint");
    public static readonly OciError TooManyRequests = new("TOOMANYREQUESTS", 429, "too many requests");
    public static readonly OciError PreconditionFailed = new("PRECONDITION_FAILED", 412, "the tag is not in the required state");
    public static readonly OciError TagImmutable = new("PRECONDITION", 412, "the tag is immutable or locked");
    public static readonly OciError TagLocked = new("DENIED", 403, "the tag is locked");
    public static readonly OciError Archived = new("DENIED", 403, "the artifact is archived");
    public static readonly OciError QuotaExceeded = new("DENIED", 403, "the quota of the project does not allow it");
    public static readonly OciError StorageFull = new("STORAGE_FULL", 507, "the registry has no room for the content");

    /// <summary>Harbor's word where a rule of the project keeps an image from being pulled.</summary>
    public static readonly OciError PolicyViolation = new("PROJECTPOLICYVIOLATION", 412, "a rule of the project keeps the image from being pulled");
    public static readonly OciError BadRequest = new("UNKNOWN", 400, "malformed request");
    public static readonly OciError Unavailable = new("UNAVAILABLE", 503, "service unavailable, try again");
    public static readonly OciError Internal = new("UNKNOWN", 500, "unknown error");

    /// <summary>Every error, for documentation and tests.</summary>
    public static IReadOnlyList<OciError> All { get; } =
    [
        BlobUnknown, BlobUploadInvalid, BlobUploadUnknown, RangeInvalid, DigestInvalid, ManifestBlobUnknown, ManifestInvalid, ManifestUnknown,
        NameInvalid, NameUnknown, SizeInvalid, TooLarge, TagInvalid, TooManyTags, PaginationInvalid, Unauthorized, Denied, PasswordChange, Unsupported, NoSuchRoute,
        TooManyRequests, PreconditionFailed, TagImmutable, TagLocked, Archived, QuotaExceeded, StorageFull, PolicyViolation, BadRequest, Unavailable, Internal,
    ];
}

/// <summary>Writes protocol errors.</summary>
internal static class OciErrors
{
    /// <summary>Answers with one error.</summary>
    /// <param name="context">The request; its answer must not have started.</param>
    /// <param name="error">Which error.</param>
    /// <param name="detail">What exactly, for the client; null for none.</param>
    public static Task WriteAsync(HttpContext context, OciError error, string? detail = null) =>
        WriteAsync(context, error, detail is null ? [] : [detail]);

    /// <summary>Answers with the same error once for each detail, such as each missing blob.</summary>
    public static async Task WriteAsync(HttpContext context, OciError error, IReadOnlyList<string> details)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        response.ContentType = "application/json; charset=utf-8";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("errors");
            for (var i = 0; i < Math.Max(1, details.Count); i++)
            {
                json.WriteStartObject();
                json.WriteString("code", error.Code);
                json.WriteString("message", error.Message);
                if (i < details.Count) json.WriteString("detail", details[i]);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        response.ContentLength = buffer.WrittenCount;
        await response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }
}
