using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Labels.Pages;

/// <summary>What the forms of labels do.</summary>
internal static class LabelForms
{
    /// <summary>Makes a label of the project.</summary>
    public static Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("CreateLabel", PathOf(call), new LabelWords(call.Language).Made, body: new JsonObject
    {
        ["name"] = call.Field("name"),
        ["description"] = call.Field("description"),
        ["color"] = call.Field("color"),
        ["scope"] = "p",
        ["project_id"] = call.Project!.Id,
    });

    /// <summary>Deletes a label.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("DeleteLabel", PathOf(call), new LabelWords(call.Language).Gone, [("label_id", call.Field("id"))]);

    private static string PathOf(UiCall call) => $"/projects/{Uri.EscapeDataString(call.Project!.Name)}/labels";
}
