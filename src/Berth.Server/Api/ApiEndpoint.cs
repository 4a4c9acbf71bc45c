using System.Data.Common;
using System.Globalization;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Api;

/// <summary>
/// The door of the management API. Every call goes through here: 1. who calls, 2. the project of the path, 3. whether this is the
/// time for it and the need of the operation, 4. the handler, 5. the answer. Errors of the infrastructure become answers here and nowhere else.
/// </summary>
internal sealed class ApiEndpoint(ICallerSource access, ApiRights rights, RuntimeSettings settings, ILogger<ApiEndpoint> logger)
{
    /// <summary>Answers one request for an operation.</summary>
    public async Task HandleAsync(HttpContext context, ApiOperation operation)
    {
        var facts = RequestFacts.Of(context);
        facts.Route = "api";
        context.Response.Headers[RequestId.HeaderName] = facts.RequestId;
        try
        {
            var result = await RunAsync(context, operation, context.RequestAborted).ConfigureAwait(false);
            await SendAsync(context, operation, result, context.RequestAborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone: nobody is left to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await SendAsync(context, operation, FailureOf(context, e), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<ApiResult> RunAsync(HttpContext context, ApiOperation operation, CancellationToken ct)
    {
        // 1.
        var signIn = await access.SignInAsync(context, ct).ConfigureAwait(false);
        if (signIn.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return ApiResult.Fail(ApiError.TooManyRequests, "too many failed sign-ins: try again later");
        }
        // A registry token opens the registry, nothing else.
        if (signIn.Caller is not { Grants: null } caller) return ApiResult.Fail(ApiError.Unauthorized, "unauthorized");
        RequestFacts.Of(context).Caller = caller.IsAnonymous ? null : caller.Name;
        return await AskAsync(context, operation, caller, ct).ConfigureAwait(false);
    }

    /// <summary>Steps 2 to 4 for somebody who is known already: how our own pages ask, in the same process and under the same conditions.</summary>
    public async Task<ApiResult> AskAsync(HttpContext context, ApiOperation operation, Caller caller, CancellationToken ct)
    {
        if (caller.MustChangePassword && !operation.IsOpenBeforePasswordChange)
            return ApiResult.Forbidden($"choose a new password first: PUT /api/v2.0/users/{caller.SubjectId}/password");

        // A page of somebody else must not use what the browser sends by itself (CSRF).
        if (context.Features.Get<RequestProof>() is { IsProven: false } && !operation.IsOpenToOtherPages && IsChange(context.Request.Method))
            return ApiResult.Forbidden("CSRF token invalid");

        // 2.
        var project = await FindProjectAsync(context, ct).ConfigureAwait(false);
        var call = new ApiCall(context, operation, caller, rights, project);

        // 3. and 4.
        return await MaintenanceRefusalAsync(call, ct).ConfigureAwait(false)
            ?? await RefusalAsync(call, ct).ConfigureAwait(false)
            ?? await ReadOnlyRefusalAsync(operation, ct).ConfigureAwait(false)
            ?? await operation.Run(call, ct).ConfigureAwait(false);
    }

    private static bool IsChange(string method) => !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !HttpMethods.IsOptions(method);

    private async ValueTask<ProjectFacts?> FindProjectAsync(HttpContext context, CancellationToken ct)
    {
        var routes = context.Request.RouteValues;
        if ((routes["project_name_or_id"] ?? routes["project_name"]) is not string text) return null;
        text = Uri.UnescapeDataString(text);
        // A number is an id unless the client says that it is a name.
        var isName = routes.ContainsKey("project_name") || string.Equals(context.Request.Headers["X-Is-Resource-Name"], "true", StringComparison.OrdinalIgnoreCase);
        if (!isName && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return await rights.FindProjectAsync(id, ct).ConfigureAwait(false);
        return await rights.FindProjectAsync(text, ct).ConfigureAwait(false);
    }

    private static async ValueTask<ApiResult?> RefusalAsync(ApiCall call, CancellationToken ct)
    {
        var need = call.Operation.Need;
        switch (need.Kind)
        {
            case ApiNeedKind.Anybody:
            case ApiNeedKind.Inside:
                return null;
            case ApiNeedKind.SignedIn:
                return call.Caller.IsAnonymous ? call.Refuse() : null;
            case ApiNeedKind.Admin:
                return call.IsAdmin ? null : call.Refuse();
            case ApiNeedKind.System:
                return await call.MayAsync(need.Permission!, ct).ConfigureAwait(false) ? null : call.Refuse();
            default:
                // What somebody may not see looks as if it were not there, and the other way round.
                if (call.Project is not null) return await call.MayAsync(need.Permission!, ct).ConfigureAwait(false) ? null : call.Refuse();
                var name = call.Route("project_name_or_id") is { Length: > 0 } given ? given : call.Route("project_name");
                return call.IsAdmin ? ApiResult.NotFound($"project {name} not found") : call.Refuse();
        }
    }

    private async ValueTask<ApiResult?> ReadOnlyRefusalAsync(ApiOperation operation, CancellationToken ct) =>
        IsChange(operation.Method) && !operation.RunsInReadOnlyMode
        && await settings.ReadAsync(RuntimeSettingTable.ReadOnly, ct).ConfigureAwait(false)
            ? ApiResult.Fail(ApiError.Denied, "The system is in read only mode. Any modification is prohibited.")
            : null;

    private async ValueTask<ApiResult?> MaintenanceRefusalAsync(ApiCall call, CancellationToken ct)
    {
        if (call.IsAdmin || call.Operation.RunsInMaintenance) return null;
        var values = await settings.ReadAsync(ct).ConfigureAwait(false);
        if (!values.Of(RuntimeSettingTable.MaintenanceMode)) return null;
        call.Http.Response.Headers.RetryAfter = MaintenanceNotice.RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        return ApiResult.Fail(ApiError.Unavailable, MaintenanceNotice.TextOf(values));
    }

    private static Task SendAsync(HttpContext context, ApiOperation operation, ApiResult result, CancellationToken ct) =>
        ApiAnswers.SendAsync(context, operation.Surface, result, ct);

    /// <summary>The answer for what went wrong on the way; logs what is not the caller's fault.</summary>
    public ApiResult FailureOf(HttpContext context, Exception failure)
    {
        switch (failure)
        {
            case BadHttpRequestException bad:
                return ApiResult.Fail(bad.StatusCode == 413 ? ApiError.TooLarge : ApiError.BadRequest, bad.Message);
            case SignInUnavailableException:
                context.Response.Headers.RetryAfter = "5";
                return ApiResult.Fail(ApiError.Unavailable, SignInUnavailableException.Answer);
            case DbException away when DatabaseFailure.IsPassing(away):
            case TimeoutException:
                // An outage is told once, when it begins.
                if (failure is not DatabaseAwayException) logger.ApiUnavailable(failure, context.Request.Method, context.Request.Path);
                context.Response.Headers.RetryAfter = "5";
                return ApiResult.Fail(ApiError.Unavailable, "the database is out of order: try again");
            default:
                logger.ApiFailed(failure, context.Request.Method, context.Request.Path);
                return ApiResult.Fail(ApiError.Internal, "internal error: the log has more under the id of this request");
        }
    }
}

internal static partial class ApiEndpointLog
{
    [LoggerMessage(5000, LogLevel.Error, "API call failed: {Method} {Path}")]
    public static partial void ApiFailed(this ILogger logger, Exception error, string method, string? path);

    [LoggerMessage(5001, LogLevel.Error, "API call failed: {Method} {Path}: the database is out of order")]
    public static partial void ApiUnavailable(this ILogger logger, Exception error, string method, string? path);
}
