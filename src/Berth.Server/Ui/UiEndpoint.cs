using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Http;
using Berth.Server.Ui.Components;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Ui;

/// <summary>
/// The door of the pages: 1. who reads, 2. whether they may, by the rules of the API's own door, 3. the form, if one is posted: it must be ours, 4. the page, or where
/// to go next. Failures become pages here and nowhere else.
/// </summary>
internal sealed class UiEndpoint(ICallerSource access, ApiEndpoint api, ApiRights rights, UiQuestions questions, UiDrawing drawing, UiMenus menus, TimeProvider time)
{
    /// <summary>Where people sign in; Harbor's path.</summary>
    public const string SignInPath = "/account/sign-in";

    /// <summary>Where people choose a new password.</summary>
    public const string PasswordPath = "/account/password";

    /// <summary>The field of a form that proves that it is ours.</summary>
    public const string ProofField = "_proof";

    /// <summary>The field of a form that names its action.</summary>
    public const string ActionField = "do";

    private const string ToastCookie = "berth-toast";
    private const long MaxFormBytes = 1024 * 1024;

    // Nothing inline, nothing from elsewhere.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Answers one request for a page.</summary>
    public async Task HandleAsync(HttpContext context, UiPage page)
    {
        var facts = RequestFacts.Of(context);
        facts.Route = "ui";
        context.Response.Headers[RequestId.HeaderName] = facts.RequestId;
        UiCall? call = null;
        try
        {
            // 1.
            var signIn = await access.SignInAsync(context, context.RequestAborted).ConfigureAwait(false);
            call = new UiCall(context, signIn.Caller is { Grants: null } caller ? caller : Caller.Anonymous, questions, rights, time);
            facts.Caller = call.Caller.IsAnonymous ? null : call.Caller.Name;
            if (signIn.RetryAfter is { } wait)
            {
                context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                call.Failure = (StatusCodes.Status429TooManyRequests, "too many failed sign-ins: try again later");
            }
            await AnswerAsync(call, page, context.RequestAborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The browser is gone: nobody is left to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var failure = api.FailureOf(context, e);
            call ??= new UiCall(context, Caller.Anonymous, questions, rights, time);
            (call.Failure, call.Problem) = ((failure.Status, failure.Failure?.Message ?? ""), null);
            await SendFailureAsync(call).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(UiCall call, UiPage page, CancellationToken ct)
    {
        var context = call.Http;
        if (call.Failure is null)
        {
            if (call.Caller.MustChangePassword && !page.IsOpenBeforePasswordChange)
            {
                Redirect(context, PasswordPath);
                return;
            }
            // 2.
            var allowed = await IsAllowedAsync(call, page, ct).ConfigureAwait(false);
            if (allowed.Failure is { } refusal)
            {
                if (allowed.Status == StatusCodes.Status401Unauthorized && HttpMethods.IsGet(context.Request.Method))
                {
                    Redirect(context, $"{SignInPath}?to={Uri.EscapeDataString(context.Request.Path + context.Request.QueryString)}");
                    return;
                }
                call.Failure = (allowed.Status, refusal.Message);
            }
            // 3.
            else if (HttpMethods.IsPost(context.Request.Method) && await TakeFormAsync(call, page, ct).ConfigureAwait(false))
            {
                return;
            }
        }
        // 4.
        if (call.Failure is not null)
        {
            await SendFailureAsync(call).ConfigureAwait(false);
            return;
        }
        await menus.SetTabsAsync(call, page, p => IsAllowedAsync(call, p, ct)).ConfigureAwait(false);
        TakeToast(call);
        var html = await drawing.DrawAsync(call, page.Component, page.Route == SignInPath, ct).ConfigureAwait(false);
        if (call.RedirectTo is { } elsewhere) Redirect(context, elsewhere);
        else await SendAsync(call, html, call.Failure?.Status ?? context.Response.StatusCode).ConfigureAwait(false);
    }

    // The door of the API judges a page as if it were an operation: one rule for both.
    private Task<ApiResult> IsAllowedAsync(UiCall call, UiPage page, CancellationToken ct)
    {
        var question = new ApiOperation(HttpMethods.Get, page.Route, "page", "ui", page.Need, (asked, _) =>
        {
            call.Project ??= asked.Project;
            return Task.FromResult(ApiResult.Done);
        })
        {
            RunsInMaintenance = page.IsOpenBeforePasswordChange,
            IsOpenBeforePasswordChange = true,
            IsOpenToOtherPages = true,
        };
        return api.AskAsync(call.Http, question, call.Caller, ct);
    }

    // True when the answer is sent.
    private static async Task<bool> TakeFormAsync(UiCall call, UiPage page, CancellationToken ct)
    {
        var context = call.Http;
        if (CrossSite.IsFromElsewhere(context.Request) || !context.Request.HasFormContentType || context.Request.ContentLength is null or > MaxFormBytes)
        {
            call.Failure = (StatusCodes.Status400BadRequest, call.Words.FormExpired);
            return false;
        }
        var form = await context.Request.ReadFormAsync(ct).ConfigureAwait(false);
        if (!IsOurs(context, form[ProofField].ToString()) || page.Actions.FirstOrDefault(a => a.Name == form[ActionField].ToString()) is not { } action)
        {
            call.Failure = (StatusCodes.Status400BadRequest, call.Words.FormExpired);
            return false;
        }
        call.Form = form;
        var outcome = await action.Run(call, ct).ConfigureAwait(false);
        if (outcome.Path is { } path)
        {
            if (outcome.Toast is { } toast) context.Response.Cookies.Append(ToastCookie, UiToast.Pack(toast, outcome.Undo), ToastCookieOf(context));
            if (outcome.IsLeaving) LeadOn(context, path);
            else Redirect(context, path);
            return true;
        }
        (call.Problem, call.Secret, context.Response.StatusCode) = (outcome.Problem, outcome.Secret, outcome.Status);
        return false;
    }

    // Without a session there is nothing of anybody's that another site could use.
    private static bool IsOurs(HttpContext context, string sent) => context.Features.Get<RequestProof>() is not { } proof
        || proof.IsProven
        || (proof.Token is { } token && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), Encoding.UTF8.GetBytes(token)));

    private static void TakeToast(UiCall call)
    {
        if (call.Http.Request.Cookies[ToastCookie] is not { Length: > 0 and < UiToast.MaxLength } toast) return;
        (call.Toast, call.Undo) = UiToast.Unpack(toast);
        call.Http.Response.Cookies.Delete(ToastCookie, ToastCookieOf(call.Http));
    }

    private static CookieOptions ToastCookieOf(HttpContext context) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        MaxAge = TimeSpan.FromSeconds(30),
        Path = context.Request.PathBase.HasValue ? context.Request.PathBase.Value : "/",
    };

    private static void Redirect(HttpContext context, string path)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = context.Request.PathBase + path;
        context.Response.Headers.CacheControl = "no-store";
    }

    // What a browser understands since its beginnings, and the HTML standard describes ("shared declarative refresh steps").
    private static void LeadOn(HttpContext context, string path)
    {
        context.Response.Headers["Refresh"] = "0; url=" + context.Request.PathBase + path;
        context.Response.Headers.CacheControl = "no-store";
    }

    /// <summary>Answers a path that is no page.</summary>
    public Task MissingAsync(HttpContext context) =>
        HandleAsync(context, new UiPage("/{**rest}", ApiNeed.Anybody, typeof(MissingPage)));

    private async Task SendFailureAsync(UiCall call)
    {
        var html = await drawing.DrawAsync(call, typeof(FailurePage), false, CancellationToken.None).ConfigureAwait(false);
        await SendAsync(call, html, call.Failure!.Value.Status).ConfigureAwait(false);
    }

    private static async Task SendAsync(UiCall call, string html, int status)
    {
        var response = call.Http.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "same-origin";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentLanguage = Languages.TagOf(call.Language);
        var bytes = Encoding.UTF8.GetBytes(html);
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(call.Http.Request.Method)) await response.Body.WriteAsync(bytes, call.Http.RequestAborted).ConfigureAwait(false);
    }
}
