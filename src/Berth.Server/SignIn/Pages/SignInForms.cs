using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.SignIn.Pages;

/// <summary>What the forms of signing in do: each asks the operation that programs ask.</summary>
internal static class SignInForms
{
    private static readonly Statement s_anySession = new("SELECT 1 FROM user_sessions LIMIT 1");
    private static readonly Statement s_anyRepository = new("SELECT 1 FROM repositories LIMIT 1");

    /// <summary>Begins a session.</summary>
    public static async Task<UiOutcome> SignInAsync(UiCall call, CancellationToken ct)
    {
        var words = new SignInWords(call.Language);
        // A password may begin or end with a blank: it is not trimmed.
        var result = await call.PostAsync("login", ("principal", call.Field("principal")), ("password", call.Form!["password"].ToString())).ConfigureAwait(false);
        return result.Status switch
        {
            200 => UiOutcome.Go(LocalPath.Of(call.Query("to"), "/projects")),
            429 => UiOutcome.Refuse(words.TooMany, 429),
            401 => UiOutcome.Refuse(words.Wrong, 401),
            _ => UiOutcome.Refuse(result.Failure?.Message ?? words.Wrong, result.Status),
        };
    }

    /// <summary>Ends the session; who came from a provider goes on to sign out there.</summary>
    public static async Task<UiOutcome> SignOutAsync(UiCall call, CancellationToken ct)
    {
        var result = await call.AskAsync("logout").ConfigureAwait(false);
        return result.Value is RedirectAnswer ? UiOutcome.Leave(OidcPages.LogoutPath) : UiOutcome.Go(UiEndpoint.SignInPath);
    }

    /// <summary>Takes the user name that a new person chose.</summary>
    public static Task<UiOutcome> OnboardAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("oidcOnboard", LocalPath.Of(call.Query("redirect_url"), "/projects"), "", body: new JsonObject { ["username"] = call.Field("username") });

    /// <summary>Ends one session.</summary>
    public static Task<UiOutcome> EndAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("endSession", "/account/sessions", new SignInWords(call.Language).Ended, [("session_id", call.Field("id"))]);

    /// <summary>Ends all sessions but this one.</summary>
    public static Task<UiOutcome> EndOthersAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("endOtherSessions", "/account/sessions", new SignInWords(call.Language).OthersEnded);

    /// <summary>Whether nobody has been here yet: nothing is pushed and nobody has signed in.</summary>
    public static Task<bool> IsFirstAsync(UiCall call) => call.Http.RequestServices.GetRequiredService<Database>().ReadAsync(0, static async (session, _, ct) =>
        await session.ScalarAsync(s_anySession, [], ct).ConfigureAwait(false) is null && await session.ScalarAsync(s_anyRepository, [], ct).ConfigureAwait(false) is null,
        call.Http.RequestAborted).AsTask();
}
