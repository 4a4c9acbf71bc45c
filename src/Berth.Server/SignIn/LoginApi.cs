using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Identity.Oidc;
using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.SignIn;

/// <summary>
/// Harbor's <c>/c/login</c> and <c>/c/log_out</c>: a browser, or a script that plays one, gets a session for a user's password. An unknown name and a wrong password
/// are answered alike.
/// </summary>
internal sealed class LoginApi(LocalCallers callers, PasswordSignIn passwords, SessionStart start, BrowserSessions sessions, OidcProviders providers, SignInSettings settings)
{
    private const long MaxFormBytes = 64 * 1024;

    public IEnumerable<ApiOperation> Operations() =>
    [
        new("POST", "/c/login", "login", "session", ApiNeed.Anybody, LoginAsync)
        {
            Surface = ApiSurface.Root, IsOpenToOtherPages = true, Summary = "Begins a session: form fields principal and password",
        },
        new("GET", "/c/log_out", "logout", "session", ApiNeed.Anybody, LogOutAsync) { Surface = ApiSurface.Root, Summary = "Ends the session of the browser" },
    ];

    private async Task<ApiResult> LoginAsync(ApiCall call, CancellationToken ct)
    {
        // A page of another site must not sign a browser in as somebody of its choice either.
        if (CrossSite.IsFromElsewhere(call.Http.Request)) return ApiResult.Forbidden("another site must not sign in here");
        if (!call.Http.Request.HasFormContentType || call.Http.Request.ContentLength is null or > MaxFormBytes) return ApiResult.BadRequest("the body must be a form with principal and password");
        var form = await call.Http.Request.ReadFormAsync(ct).ConfigureAwait(false);
        var (name, password) = (form["principal"].ToString(), form["password"].ToString());
        var caller = await CheckAsync(call.Http, name, password, ct).ConfigureAwait(false);
        if (caller.RetryAfter is { } wait)
        {
            call.Http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return ApiResult.Fail(ApiError.TooManyRequests, "too many failed sign-ins: try again later");
        }
        if (caller.Caller is not { } user)
        {
            await start.RefuseAsync(call.Http, name, ct).ConfigureAwait(false);
            return ApiResult.Fail(ApiError.Unauthorized, "wrong user name or password");
        }
        await start.BeginAsync(call.Http, user.SubjectId, user.Name, null, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private async Task<ApiResult> LogOutAsync(ApiCall call, CancellationToken ct)
    {
        await settings.RefreshAsync(ct).ConfigureAwait(false);
        // As in Harbor: who came from a provider is sent to sign out there, and the session ends on the way.
        if (call.Http.Features.Get<BrowserSession>() is { } session && sessions.ProviderOf(session) is { } provider && providers.Find(provider.Name)?.Options.Logout == true)
            return ApiResult.Json(StatusCodes.Status403Forbidden, new RedirectAnswer(start.OriginOf(call.Http) + OidcPages.LogoutPath), SignInJson.Default.RedirectAnswer);
        await start.EndAsync(call.Http, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private async ValueTask<SignInResult> CheckAsync(HttpContext context, string name, string password, CancellationToken ct)
    {
        // A colon would move a part of the name into the password.
        if (name.Contains(':', StringComparison.Ordinal)) name = "";
        var result = await passwords.SignInAsync(
            new BasicCredentials(name, password).ToHeader(), context.Connection.RemoteIpAddress, callers.CheckPasswordAsync, callers.CheckOutsideAsync, ct).ConfigureAwait(false);
        // Robots, tokens and CLI secrets are for programs: they open no session.
        return result.Caller is { } caller && (caller.Kind != CallerKind.User || caller.Scopes is not null || !caller.IsOwnPassword) ? SignInResult.Refused : result;
    }
}
