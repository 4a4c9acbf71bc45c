using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Projects.Pages;

/// <summary>What the forms of projects do.</summary>
internal static class ProjectForms
{
    /// <summary>The project's setting that the operation <c>setProjectExpiry</c> keeps.</summary>
    public const string ExpirySetting = "expires_from_labels";

    /// <summary>Path of a project's first page.</summary>
    public static string PathOf(string project) => "/projects/" + Uri.EscapeDataString(project);

    /// <summary>Makes a project.</summary>
    public static Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct)
    {
        var words = new ProjectWords(call.Language);
        var name = call.Field("name");
        var body = new JsonObject { ["project_name"] = name, ["metadata"] = new JsonObject { ["public"] = call.IsChecked("public") ? "true" : "false" } };
        if (call.Field("quota") is { Length: > 0 } text)
        {
            if (Sizes.Parse(text) is not { } bytes) return Task.FromResult(UiOutcome.Refuse(words.QuotaWrong));
            body["storage_limit"] = bytes;
        }
        return call.ChangeAsync("createProject", PathOf(name), words.Created, body: body);
    }

    /// <summary>Public or private.</summary>
    public static Task<UiOutcome> SaveAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "updateProject", PathOf(call.Project!.Name) + "/settings", call.Words.Saved,
        body: new JsonObject { ["metadata"] = new JsonObject { ["public"] = call.IsChecked("public") ? "true" : "false" } });

    /// <summary>Whether labels of images say when tags expire.</summary>
    public static Task<UiOutcome> SetExpiryAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "setProjectExpiry", PathOf(call.Project!.Name) + "/settings", call.Words.Saved, body: new JsonObject { ["from_labels"] = call.IsChecked("from-labels") });

    /// <summary>Sets the quota; administrators only.</summary>
    public static async Task<UiOutcome> SetQuotaAsync(UiCall call, CancellationToken ct)
    {
        var words = new ProjectWords(call.Language);
        if (Sizes.Parse(call.Field("quota")) is not { } bytes) return UiOutcome.Refuse(words.QuotaWrong);
        return await call.ChangeAsync(
            "updateQuota", PathOf(call.Project!.Name) + "/settings", call.Words.Saved, [("id", call.Project.Id.ToString(System.Globalization.CultureInfo.InvariantCulture))],
            new JsonObject { ["hard"] = new JsonObject { ["storage"] = bytes } }).ConfigureAwait(false);
    }

    /// <summary>Gives the project another name.</summary>
    public static Task<UiOutcome> RenameAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("renameProject", PathOf(call.Field("name")) + "/settings", new ProjectWords(call.Language).Renamed, body: new JsonObject { ["name"] = call.Field("name") });

    /// <summary>Deletes the project, when its name was typed.</summary>
    public static async Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct)
    {
        var name = call.Project!.Name;
        if (call.Field("confirm") != name) return UiOutcome.Refuse(call.Words.NameDoesNotMatch);
        return await call.ChangeAsync("deleteProject", "/projects", new ProjectWords(call.Language).Deleted(name)).ConfigureAwait(false);
    }
}
