using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Api;
using Berth.Server.Identity;
using Berth.Server.Identity.Issuers;
using Berth.Server.Identity.Oidc;
using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Secrets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.SignIn;

/// <summary>
/// Signing in with an OpenID provider, at Harbor's addresses: 1. the browser is sent to the provider; 2. it comes back with a code; 3. the person is one
/// of our users, 4. or becomes one, under the name of a claim or one of their choice; 5. the session begins. Several providers are told apart by <c>?provider=</c>.
/// </summary>
internal sealed class OidcPages(
    OidcProviders providers, SignInSettings settings, OutsideUsers outside, SessionStart start, InstallationSecret secret, TimeProvider time, ILogger<OidcPages> log)
{
    /// <summary>Where a session is ended here and at the provider.</summary>
    public const string LogoutPath = "/c/oidc/logout";

    private const string CallbackPath = "/c/oidc/callback";
    private const string SignInPage = "/account/sign-in";
    private const string OnboardCookie = "berth-oidc-onboard";
    private const string OnboardPurpose = "oidc-onboard";
    private const int MaxCookieLength = 3800;

    public IEnumerable<ApiOperation> Operations() =>
    [
        Page("GET", "/c/oidc/login", "oidcLogin", LoginAsync, "Sends the browser to a provider (provider, redirect_url)"),
        Page("GET", CallbackPath, "oidcCallback", CallbackAsync, "Takes the browser back from the provider"),
        Page("POST", "/c/oidc/onboard", "oidcOnboard", OnboardAsync, "Gives a new person the user name of their choice") with { Body = typeof(OnboardRequest) },
        Page("GET", LogoutPath, "oidcLogout", LogoutAsync, "Ends the session, here and at the provider"),
    ];

    private static ApiOperation Page(string method, string path, string id, ApiHandler run, string summary) =>
        new(method, path, id, "session", ApiNeed.Anybody, run) { Surface = ApiSurface.Root, IsOpenToOtherPages = true, Summary = summary };

    private async Task<ApiResult> LoginAsync(ApiCall call, CancellationToken ct)
    {
        await settings.RefreshAsync(ct).ConfigureAwait(false);
        if (providers.Find(call.Query("provider")) is not { } provider) return ApiResult.Fail(ApiError.PreconditionFailed, "there is no such OpenID provider");
        var returnPath = call.Query("redirect_url");
        if (!SessionStart.IsLocalPath(returnPath)) return ApiResult.BadRequest("cannot redirect to other site");
        try
        {
            // 1.
            var redirect = await provider.BeginAsync(start.OriginOf(call.Http) + CallbackPath, returnPath, ct).ConfigureAwait(false);
            call.Http.Response.Cookies.Append(redirect.CookieName, redirect.CookieValue, FlowCookie(call.Http));
            return ApiResult.Redirect(redirect.Location.AbsoluteUri);
        }
        catch (IssuerUnavailableException e)
        {
            log.ProviderUnavailable(provider.Options.Name, e.Message);
            return ApiResult.Fail(ApiError.Unavailable, "the OpenID provider does not answer: try again");
        }
    }

    private async Task<ApiResult> CallbackAsync(ApiCall call, CancellationToken ct)
    {
        // 2.
        await settings.RefreshAsync(ct).ConfigureAwait(false);
        var state = call.Query("state");
        var cookie = OidcSignInState.CookieOf(state);
        if (state.Length == 0 || call.Http.Request.Cookies[cookie] is not { } value || providers.Recall(state, value) is not { } begun) return ApiResult.BadRequest("State mismatch");
        call.Http.Response.Cookies.Delete(cookie, FlowCookie(call.Http));
        var name = begun.Provider.Options.Name;
        switch (await begun.Provider.CompleteAsync(begun.State, AnswerOf(call), ct).ConfigureAwait(false))
        {
            case OidcSignIn.Accepted accepted:
                return await SignInAsync(call, begun.Provider.Options, accepted, ct).ConfigureAwait(false);
            case OidcSignIn.Refused refused:
                log.PersonRefused(name, refused.Reason);
                await start.RefuseAsync(call.Http, name, ct).ConfigureAwait(false);
                return ApiResult.BadRequest(refused.Reason);
            case OidcSignIn.Unavailable away:
                log.ProviderUnavailable(name, away.Reason);
                return ApiResult.Fail(ApiError.Unavailable, "the OpenID provider does not answer: try again");
            default:
                throw new InvalidOperationException("an outcome of a sign-in is not known here");
        }
    }

    private async Task<ApiResult> SignInAsync(ApiCall call, OidcOptions options, OidcSignIn.Accepted accepted, CancellationToken ct)
    {
        var person = accepted.Person;
        var isKnown = await outside.FindAsync(SourceOf(person), ExternalIdOf(person), ct).ConfigureAwait(false) is not null;
        // 4. The page asks for a name and posts it back.
        if (!isKnown && !options.AutoOnboard)
        {
            call.Http.Response.Cookies.Append(OnboardCookie, Seal(person), OnboardCookieOf(call.Http));
            var query = $"?username={Uri.EscapeDataString(person.Name ?? "")}&redirect_url={Uri.EscapeDataString(accepted.ReturnPath)}";
            return ApiResult.Redirect(call.Http.Request.PathBase + "/oidc-onboard" + query);
        }
        // 3. A known person keeps the name, whatever the claim says now.
        if (!isKnown && UserProfileRules.ProblemOfName(person.Name ?? "") is { } problem) return ApiResult.BadRequest(problem);
        var refusal = await BeginAsync(call, person, person.Name ?? person.Subject, ct).ConfigureAwait(false);
        return refusal ?? ApiResult.Redirect(accepted.ReturnPath.Length > 0 ? accepted.ReturnPath : call.Http.Request.PathBase + "/");
    }

    private async Task<ApiResult> OnboardAsync(ApiCall call, CancellationToken ct)
    {
        if (CrossSite.IsFromElsewhere(call.Http.Request)) return ApiResult.Forbidden("another site must not sign in here");
        var (isRead, body, unreadable) = await call.ReadAsync(SignInJson.Default.OnboardRequest, ct).ConfigureAwait(false);
        if (!isRead) return unreadable!;
        if (UserProfileRules.ProblemOfName(body.Username ?? "") is { } problem) return ApiResult.BadRequest(problem);
        if (Open(call.Http.Request.Cookies[OnboardCookie]) is not { } pending) return ApiResult.BadRequest("Failed to get OIDC user info from session");
        var person = pending.Person with { IdToken = "" };
        // Who has a name already does not get another this way.
        if (await outside.FindAsync(SourceOf(person), ExternalIdOf(person), ct).ConfigureAwait(false) is null
            && await BeginAsync(call, person, body.Username!, ct).ConfigureAwait(false) is { } refusal) return refusal;
        call.Http.Response.Cookies.Delete(OnboardCookie, OnboardCookieOf(call.Http));
        return ApiResult.Done;
    }

    private async Task<ApiResult> LogoutAsync(ApiCall call, CancellationToken ct)
    {
        await settings.RefreshAsync(ct).ConfigureAwait(false);
        var session = call.Http.Features.Get<BrowserSession>();
        var provider = session is null ? null : start.ProviderOf(session);
        await start.EndAsync(call.Http, ct).ConfigureAwait(false);
        var location = provider is { IdToken.Length: > 0 } && providers.Find(provider.Name) is { } known
            ? await known.LogoutAsync(provider.IdToken, start.OriginOf(call.Http) + SignInPage, ct).ConfigureAwait(false)
            : null;
        return ApiResult.Redirect(location?.AbsoluteUri ?? call.Http.Request.PathBase + SignInPage);
    }

    // 5. Null when the session has begun.
    private async Task<ApiResult?> BeginAsync(ApiCall call, OidcPerson person, string name, CancellationToken ct)
    {
        var actor = new EventActor("user", 0, name, call.Http.Connection.RemoteIpAddress?.ToString() ?? "", RequestFacts.Of(call.Http).RequestId);
        var user = await outside.EnsureAsync(
            new OutsidePerson(
                SourceOf(person), ExternalIdOf(person), name, person.Email, person.RealName, GroupKind.Oidc, person.Groups?.Select(g => new OutsideGroup(g)).ToList(), person.IsAdmin),
            actor, ct).ConfigureAwait(false);
        if (user is null) return ApiResult.Conflict($"the user name {name} is taken by somebody else");
        if (user.IsDisabled) return ApiResult.Forbidden("this user may not sign in");
        await start.BeginAsync(call.Http, user.Id, user.Name, new SessionProvider(person.Provider, person.IdToken), ct).ConfigureAwait(false);
        return null;
    }

    private static string SourceOf(OidcPerson person) => "oidc:" + person.Provider;

    // With the issuer: a provider that moves elsewhere must not hand its subjects' accounts to others.
    private static string ExternalIdOf(OidcPerson person) => $"{person.Subject} {person.Issuer}";

    private static OidcAnswer AnswerOf(ApiCall call) => new(
        call.Query("code") is { Length: > 0 } code ? code : null, call.Query("iss") is { Length: > 0 } issuer ? issuer : null,
        call.Query("error") is { Length: > 0 } error ? error : null, call.Query("error_description"));

    private CookieOptions FlowCookie(HttpContext context)
    {
        var cookie = start.CookieOf(context);
        cookie.MaxAge = OidcSignInState.Lifetime;
        cookie.Path = context.Request.PathBase + "/c/oidc";
        return cookie;
    }

    // The page that asks for a name is none of the operations.
    private CookieOptions OnboardCookieOf(HttpContext context)
    {
        var cookie = FlowCookie(context);
        cookie.Path = context.Request.PathBase + "/";
        return cookie;
    }

    private string Seal(OidcPerson person)
    {
        var pending = new PendingPerson(person with { IdToken = "" }, (time.GetUtcNow() + OidcSignInState.Lifetime).ToUnixTimeMilliseconds());
        var cookie = Encrypt(pending);
        // Somebody with very many groups gets them at the next sign-in.
        return cookie.Length <= MaxCookieLength ? cookie : Encrypt(pending with { Person = pending.Person with { Groups = null } });
    }

    private string Encrypt(PendingPerson pending) =>
        Base64Url.EncodeToString(secret.Encrypt(JsonSerializer.SerializeToUtf8Bytes(pending, PendingPersonJson.Default.PendingPerson), OnboardPurpose));

    private PendingPerson? Open(string? cookie)
    {
        if (cookie is null || cookie.Length > MaxCookieLength * 2 || !Base64Url.IsValid(cookie)) return null;
        if (!secret.TryDecrypt(Base64Url.DecodeFromChars(cookie), OnboardPurpose, out var json)) return null;
        var pending = JsonSerializer.Deserialize(json, PendingPersonJson.Default.PendingPerson);
        return pending is not null && time.GetUtcNow().ToUnixTimeMilliseconds() < pending.ExpiresAt ? pending : null;
    }
}

/// <summary>Somebody whom a provider has vouched for and who has no name here yet.</summary>
internal sealed record PendingPerson(OidcPerson Person, long ExpiresAt);

[JsonSerializable(typeof(PendingPerson))]
internal sealed partial class PendingPersonJson : JsonSerializerContext;

internal static partial class OidcPagesLog
{
    [LoggerMessage(2120, LogLevel.Error, "OpenID provider {Provider} unavailable, nobody can sign in with it: {Reason}")]
    public static partial void ProviderUnavailable(this ILogger logger, string provider, string reason);

    [LoggerMessage(2121, LogLevel.Information, "sign-in with OpenID provider {Provider} refused: {Reason}")]
    public static partial void PersonRefused(this ILogger logger, string provider, string reason);
}
