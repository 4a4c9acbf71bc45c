using Microsoft.AspNetCore.Http;

namespace Berth.Server.Ui;

/// <summary>What a browser remembers for somebody: language and appearance, in cookies, also before anybody has signed in.</summary>
internal static class Preferences
{
    /// <summary>Cookie of the appearance.</summary>
    public const string ThemeCookie = "berth-theme";

    private static readonly TimeSpan s_kept = TimeSpan.FromDays(365);

    /// <summary>The appearance: <c>light</c>, <c>dark</c> or <c>auto</c>.</summary>
    public static string ThemeOf(HttpRequest request) => request.Cookies[ThemeCookie] is "light" or "dark" ? request.Cookies[ThemeCookie]! : "auto";

    /// <summary>Keeps what a form says.</summary>
    public static Task<UiOutcome> SetAsync(UiCall call, CancellationToken ct)
    {
        var context = call.Http;
        var options = new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, MaxAge = s_kept, Path = context.Request.PathBase.HasValue ? context.Request.PathBase.Value : "/" };
        if (call.Field("lang") is "en" or "zh") context.Response.Cookies.Append(Languages.Cookie, call.Field("lang"), options);
        if (call.Field("theme") is "light" or "dark" or "auto") context.Response.Cookies.Append(ThemeCookie, call.Field("theme"), options);
        return Task.FromResult(UiOutcome.Go(LocalPath.Of(call.Field("to"), "/ui/preferences")));
    }
}

/// <summary>Paths that a browser may be sent to: ours alone, so that no link leads people astray.</summary>
internal static class LocalPath
{
    /// <summary>The path, or another one when it is not of this server.</summary>
    public static string Of(string path, string otherwise) =>
        path.Length is > 0 and <= 2048 && path[0] == '/' && (path.Length == 1 || path[1] is not ('/' or '\\')) && path.AsSpan().IndexOfAny("\\\r\n\t") < 0 ? path : otherwise;
}
