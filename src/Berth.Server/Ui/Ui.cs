using System.Text.Encodings.Web;
using System.Text.Unicode;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Settings;
using Berth.Server.Ui.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Ui;

/// <summary>
/// The web pages (mode <c>local</c>): components that are drawn on the server, in this process. The features list their pages (<see cref="UiPages"/>); this maps them
/// behind one door, <see cref="UiEndpoint"/>. A page asks operations of the API (<see cref="UiQuestions"/>), so what it shows and does is what the API would answer the
/// same person. Everything works without scripts; a small script of our own makes it quick.
/// </summary>
public static class Ui
{
    /// <summary>Registers the door. The features register their <see cref="UiPages"/>.</summary>
    public static IServiceCollection AddUi(this IServiceCollection services) => services
        // Chinese as it is: as numbers it would be three times as long.
        .AddSingleton(HtmlEncoder.Create(UnicodeRanges.All))
        .AddSingleton<UiAssets>()
        .AddSingleton(p => new UiQuestions(p.GetRequiredService<ApiEndpoint>(), () => p.GetServices<ApiOperations>().SelectMany(o => o.All)))
        .AddSingleton(p => new UiDrawing(
            p, p.GetRequiredService<ILoggerFactory>(), p.GetRequiredService<UiAssets>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<HealthMonitor>()))
        .AddSingleton(p => new UiMenus(() => p.GetServices<UiPages>().SelectMany(o => o.All)))
        .AddSingleton(p => new UiEndpoint(
            p.GetRequiredService<ICallerSource>(), p.GetRequiredService<ApiEndpoint>(), p.GetRequiredService<ApiRights>(), p.GetRequiredService<UiQuestions>(),
            p.GetRequiredService<UiDrawing>(), p.GetRequiredService<UiMenus>(), p.GetRequiredService<TimeProvider>()))
        .AddPages(
            new UiPage("/", ApiNeed.Anybody, typeof(HomePage)),
            new UiPage("/ui/design", ApiNeed.Anybody, typeof(DesignPage)),
            new UiPage("/ui/preferences", ApiNeed.Anybody, typeof(PreferencesPage))
            {
                IsOpenBeforePasswordChange = true,
                Actions = [new("set", Preferences.SetAsync)],
            });

    /// <summary>Registers the pages of a feature.</summary>
    internal static IServiceCollection AddPages(this IServiceCollection services, params UiPage[] pages) => services.AddSingleton(new UiPages(pages));

    /// <summary>Maps all pages and what they load.</summary>
    public static IEndpointRouteBuilder MapUi(this IEndpointRouteBuilder endpoints)
    {
        var door = endpoints.ServiceProvider.GetRequiredService<UiEndpoint>();
        var assets = endpoints.ServiceProvider.GetRequiredService<UiAssets>();
        foreach (var page in endpoints.ServiceProvider.GetServices<UiPages>().SelectMany(p => p.All))
        {
            string[] methods = page.Actions.Count > 0 ? [HttpMethods.Get, HttpMethods.Head, HttpMethods.Post] : [HttpMethods.Get, HttpMethods.Head];
            endpoints.MapMethods(page.Route, methods, (RequestDelegate)(context => door.HandleAsync(context, page)));
        }
        endpoints.MapMethods(UiAssets.Route, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)assets.SendAsync);
        return endpoints;
    }

    /// <summary>Answers what nothing else answers: with a page where a browser asks for one.</summary>
    /// <param name="services">The services.</param>
    /// <param name="others">The answer for programs.</param>
    internal static RequestDelegate MissingFor(IServiceProvider services, RequestDelegate others)
    {
        var door = services.GetRequiredService<UiEndpoint>();
        return context => HttpMethods.IsGet(context.Request.Method) && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal)
            ? door.MissingAsync(context)
            : others(context);
    }

    /// <summary>Whether a path is one of the pages: they know by themselves whom to turn away under maintenance.</summary>
    internal static bool Owns(PathString path)
    {
        if (path.Value is null or "" or "/") return true;
        foreach (var first in s_firstSegments)
        {
            if (path.StartsWithSegments(first, StringComparison.Ordinal)) return true;
        }
        return false;
    }

    // A test holds them against the pages that there are.
    private static readonly PathString[] s_firstSegments = ["/ui", "/account", "/projects", "/administration", "/search", "/oidc-onboard"];
}
