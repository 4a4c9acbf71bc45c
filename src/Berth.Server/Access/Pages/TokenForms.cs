using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Access.PersonalTokens;
using Berth.Server.Ui;

namespace Berth.Server.Access.Pages;

/// <summary>What the forms of personal access tokens do.</summary>
internal static class TokenForms
{
    /// <summary>A token that is shown once.</summary>
    internal sealed record NewToken(string Name, string Token);

    /// <summary>Makes a token.</summary>
    public static async Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct)
    {
        var scopes = call.Field("scopes").Split([',', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var result = await call.AskAsync("createOwnToken", body: new JsonObject
        {
            ["name"] = call.Field("name"),
            ["scopes"] = new JsonArray([.. scopes.Select(s => JsonValue.Create(s))]),
            ["duration_days"] = int.TryParse(call.Field("days"), CultureInfo.InvariantCulture, out var days) ? days : -1,
        }).ConfigureAwait(false);
        return result switch
        {
            { Failure: { } failure } => UiOutcome.Refuse(failure.Message, result.Status),
            { Value: TokenAnswer { Token: { } text } made } => UiOutcome.Show(new NewToken(made.Name, text)),
            _ => UiOutcome.Go("/account/tokens"),
        };
    }

    /// <summary>Revokes a token.</summary>
    public static Task<UiOutcome> RevokeAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("revokeOwnToken", "/account/tokens", new AccessWords(call.Language).TokenRevoked, [("token_id", call.Field("id"))]);
}
