using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Immutability.Pages;

/// <summary>What the forms of immutability rules do.</summary>
internal static class ImmutabilityForms
{
    /// <summary>Makes a rule.</summary>
    public static Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("CreateImmuRule", PathOf(call), new ImmutabilityWords(call.Language).Made, body: BodyOf(
            call.Field("repositories-how") == "except", Or(call.Field("repositories"), "**"), call.Field("tags-how") == "except", Or(call.Field("tags"), "**"), isDisabled: false));

    /// <summary>Switches a rule on or off.</summary>
    public static Task<UiOutcome> TurnAsync(UiCall call, CancellationToken ct)
    {
        var body = BodyOf(call.IsChecked("repositories-except"), call.Field("repositories"), call.IsChecked("tags-except"), call.Field("tags"), isDisabled: !call.IsChecked("off"));
        return call.ChangeAsync("UpdateImmuRule", PathOf(call), call.Words.Saved, [("immutable_rule_id", call.Field("id"))], body);
    }

    /// <summary>Deletes a rule.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("DeleteImmuRule", PathOf(call), new ImmutabilityWords(call.Language).Gone, [("immutable_rule_id", call.Field("id"))]);

    private static JsonObject BodyOf(bool isRepositoriesExcept, string repositories, bool isTagsExcept, string tags, bool isDisabled) => new()
    {
        ["disabled"] = isDisabled,
        ["action"] = "immutable",
        ["template"] = "immutable_template",
        ["scope_selectors"] = new JsonObject
        {
            ["repository"] = new JsonArray(new JsonObject { ["kind"] = "doublestar", ["decoration"] = isRepositoriesExcept ? "repoExcludes" : "repoMatches", ["pattern"] = repositories }),
        },
        ["tag_selectors"] = new JsonArray(new JsonObject { ["kind"] = "doublestar", ["decoration"] = isTagsExcept ? "excludes" : "matches", ["pattern"] = tags }),
    };

    private static string Or(string text, string otherwise) => text.Length > 0 ? text : otherwise;

    private static string PathOf(UiCall call) => $"/projects/{Uri.EscapeDataString(call.Project!.Name)}/immutability";
}
