using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.SignIn;

/// <summary>Begins and ends the session of a browser: the row, the cookie, the event.</summary>
internal sealed class SessionStart(BrowserSessions sessions, DomainEvents events, HttpOptions http)
{
    /// <summary>Signs a browser in. A session that it had before ends: a cookie that was planted must not become somebody's.</summary>
    public async Task BeginAsync(HttpContext context, long userId, string name, SessionProvider? provider, CancellationToken ct)
    {
        await EndAsync(context, ct).ConfigureAwait(false);
        var address = context.Connection.RemoteIpAddress?.ToString() ?? "";
        var token = await sessions.BeginAsync(userId, address, context.Request.Headers.UserAgent.ToString(), provider, ct).ConfigureAwait(false);
        context.Response.Cookies.Append(SessionCredentials.Cookie, token, CookieOf(context));
        context.Response.Headers[SessionCredentials.ProofHeader] = BrowserSessions.ProofOf(token);
        await events.RaiseAsync(
            Event(name, new EventActor("user", userId, name, address, RequestFacts.Of(context).RequestId), provider, isSuccessful: true), ct).ConfigureAwait(false);
    }

    /// <summary>Notes that somebody could not sign in.</summary>
    public Task RefuseAsync(HttpContext context, string name, CancellationToken ct) => events.RaiseAsync(
        Event(name, new EventActor("anonymous", 0, name, context.Connection.RemoteIpAddress?.ToString() ?? "", RequestFacts.Of(context).RequestId), null, isSuccessful: false), ct);

    /// <summary>Ends the session of a browser, if it has one, and takes the cookie away.</summary>
    public async Task EndAsync(HttpContext context, CancellationToken ct)
    {
        if (context.Request.Cookies[SessionCredentials.Cookie] is not { Length: > 0 } token) return;
        if (await sessions.FindAsync(token, ct).ConfigureAwait(false) is { } session) await sessions.EndAsync(session.Id, null, ct).ConfigureAwait(false);
        context.Response.Cookies.Delete(SessionCredentials.Cookie, CookieOf(context));
    }

    /// <summary>The provider that vouched for a session, or null.</summary>
    public SessionProvider? ProviderOf(BrowserSession session) => sessions.ProviderOf(session);

    /// <summary>How cookies of ours are set. Lax, not strict: a browser that comes back from a provider must bring them along.</summary>
    public CookieOptions CookieOf(HttpContext context) => new()
    {
        HttpOnly = true,
        Secure = OriginOf(context).StartsWith("https:", StringComparison.OrdinalIgnoreCase),
        SameSite = SameSiteMode.Lax,
        Path = context.Request.PathBase.HasValue ? context.Request.PathBase.Value : "/",
    };

    /// <summary>Where browsers find this server: scheme, host, and prefix, without a slash at the end.</summary>
    public string OriginOf(HttpContext context) =>
        http.OriginOf(context.Request) + context.Request.PathBase;

    /// <summary>Whether a text is a path of this server to send a browser to; others would make us lead people astray.</summary>
    public static bool IsLocalPath(string path) =>
        path.Length == 0 || (path[0] == '/' && (path.Length == 1 || path[1] != '/') && path.AsSpan().IndexOfAny("\\\r\n\t") < 0 && path.Length <= 2048);

    private static DomainEvent Event(string name, EventActor actor, SessionProvider? provider, bool isSuccessful) => new()
    {
        Operation = "login",
        ResourceType = "user",
        Resource = name,
        Actor = actor,
        Description = provider is null ? $"sign-in of {name}" : $"sign-in of {name} by {provider.Name}",
        IsSuccessful = isSuccessful,
    };
}
