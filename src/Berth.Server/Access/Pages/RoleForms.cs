using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Access.Pages;

/// <summary>What the forms of roles do.</summary>
internal static class RoleForms
{
    /// <summary>Path of the page.</summary>
    public const string Page = "/administration/roles";

    /// <summary>Makes a role, or changes the one that the form names.</summary>
    public static Task<UiOutcome> SaveAsync(UiCall call, CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["name"] = call.Field("name"),
            ["description"] = call.Field("description"),
            ["permissions"] = new JsonArray([.. call.Form!["permission"].Select(p => JsonValue.Create(p))]),
        };
        return call.Field("id") is { Length: > 0 } id
            ? call.ChangeAsync("updateRole", Page, call.Words.Saved, [("id", id)], body)
            : call.ChangeAsync("createRole", Page, new AccessWords(call.Language).RoleMade, body: body);
    }

    /// <summary>Deletes a role that nobody has.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("deleteRole", Page, call.Words.Deleted, [("id", call.Field("id"))]);
}
