using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>What the forms of a promotion do: on the page of an artifact its tags, on that of a repository the tags of those that are selected. The operation is the lifecycle's.</summary>
internal static class PromotionForms
{
    /// <summary>Most tags of one promotion, as the operation takes them.</summary>
    public const int MostTags = 100;

    /// <summary>Promotes the tags that are chosen, all or none.</summary>
    public static async Task<UiOutcome> PromoteAsync(UiCall call, CancellationToken ct)
    {
        var words = new LifecycleWords(call.Language);
        var tags = call.Form!["tag"].Concat(call.Form["pick"].SelectMany(digest => call.Form["tag-of-" + digest])).OfType<string>().Where(t => t.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        if (tags.Count == 0) return UiOutcome.Refuse(words.NothingToPromote);
        var (project, repository, name) = (call.Field("to-project"), call.Field("to-repository"), call.Field("as"));
        if (project.Length == 0 || repository.Length == 0) return UiOutcome.Refuse(words.PromoteWhere);
        if (name.Length > 0 && tags.Count > 1) return UiOutcome.Refuse(words.PromoteAsHint);
        var body = new JsonObject
        {
            ["from"] = $"{call.Project!.Name}/{call.Route("repository")}",
            ["tags"] = new JsonArray([.. tags.Select(t => new JsonObject { ["from"] = t, ["to"] = name.Length > 0 ? name : t })]),
            ["overwrite"] = call.IsChecked("overwrite"),
        };
        if (call.Field("to-stage") is { Length: > 0 } stage) body["stage"] = stage;
        return await call.ChangeAsync(
            "promote", ArtifactPaths.Artifact(project, repository, name.Length > 0 ? name : tags[0]), words.Promoted(tags.Count, $"{project}/{repository}"),
            [("project_name_or_id", project), ("repository_name", repository)], body).ConfigureAwait(false);
    }
}
