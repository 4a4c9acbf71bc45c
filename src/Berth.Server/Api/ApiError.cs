namespace Berth.Server.Api;

/// <summary>The errors of the management API: Harbor's codes with their status.</summary>
/// <param name="Code">Code in the envelope.</param>
/// <param name="Status">HTTP status.</param>
public sealed record ApiError(string Code, int Status)
{
    public static readonly ApiError BadRequest = new("BAD_REQUEST", 400);
    public static readonly ApiError Unauthorized = new("UNAUTHORIZED", 401);
    public static readonly ApiError Forbidden = new("FORBIDDEN", 403);
    public static readonly ApiError Denied = new("DENIED", 403);
    public static readonly ApiError NotFound = new("NOT_FOUND", 404);
    public static readonly ApiError MethodNotAllowed = new("METHOD_NOT_ALLOWED", 405);
    public static readonly ApiError Conflict = new("CONFLICT", 409);
    public static readonly ApiError PreconditionFailed = new("PRECONDITION", 412);
    public static readonly ApiError TooLarge = new("REQUEST_ENTITY_TOO_LARGE", 413);
    public static readonly ApiError Unsupported = new("UNSUPPORTED_MEDIA_TYPE", 415);
    public static readonly ApiError Unprocessable = new("UNPROCESSABLE_ENTITY", 422);
    public static readonly ApiError TooManyRequests = new("TOO_MANY_REQUESTS", 429);
    public static readonly ApiError Internal = new("UNKNOWN", 500);
    public static readonly ApiError NotImplemented = new("NOT_IMPLEMENTED", 501);
    public static readonly ApiError Unavailable = new("UNAVAILABLE", 503);
}
