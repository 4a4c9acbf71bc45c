using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Artifacts.Pages;

/// <summary>What the forms of repositories and artifacts do.</summary>
internal static class ArtifactForms
{
    private const int MostAtOnce = 100;

    /// <summary>Shows two that are checked side by side.</summary>
    public static Task<UiOutcome> CompareAsync(UiCall call, CancellationToken ct)
    {
        var picked = call.Form!["pick"].OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        // By the tags that the table showed, where there are any: they say more in the address.
        string NameOf(string digest) => call.Form["tag-of-" + digest] is [{ Length: > 0 } tag, ..] ? tag : digest;
        return Task.FromResult(picked is [var left, var right]
            ? UiOutcome.Go(ArtifactPaths.Compare(call.Project!.Name, call.Route("repository"), NameOf(left), NameOf(right)))
            : UiOutcome.Refuse(new CompareWords(call.Language).ChooseTwo));
    }

    /// <summary>Deletes the artifacts that are checked; what cannot go is told, the rest goes.</summary>
    public static async Task<UiOutcome> DeleteManyAsync(UiCall call, CancellationToken ct)
    {
        var words = new ArtifactWords(call.Language);
        var picked = call.Form!["pick"].Where(d => !string.IsNullOrEmpty(d)).Select(d => d!).Distinct(StringComparer.Ordinal).Take(MostAtOnce).ToList();
        if (picked.Count == 0) return UiOutcome.Refuse(words.NothingSelected);
        var (done, problems) = (0, new List<string>());
        foreach (var digest in picked)
        {
            var result = await call.AskAsync("deleteArtifact", [("repository_name", call.Route("repository")), ("reference", digest)]).ConfigureAwait(false);
            // One that went along with another is gone, as was asked.
            if (result.Failure is null || result.Status == 404) done++;
            else problems.Add($"{ArtifactPaths.Short(digest)}: {result.Failure.Value.Message}");
        }
        return problems.Count > 0
            ? UiOutcome.Refuse(string.Join(" ", problems.Prepend(words.DeletedSome(done) + ".")), 409)
            : UiOutcome.Go(
                call.Http.Request.Path + call.Http.Request.QueryString, words.DeletedSome(done), await UndoOf(call).OfferAsync(call, call.Route("repository"), picked, null, ct).ConfigureAwait(false));
    }

    /// <summary>Deletes the repository; where it cannot be brought back, only when its name was typed.</summary>
    public static async Task<UiOutcome> DeleteRepositoryAsync(UiCall call, CancellationToken ct)
    {
        if (await UndoOf(call).DaysAsync(call, ct).ConfigureAwait(false) == 0 && call.Field("confirm") != call.Route("repository")) return UiOutcome.Refuse(call.Words.NameDoesNotMatch);
        return await call.ChangeAsync(
            "deleteRepository", "/projects/" + Uri.EscapeDataString(call.Project!.Name), new ArtifactWords(call.Language).RepositoryDeleted, [("repository_name", call.Route("repository"))],
            undo: () => UndoOf(call).OfferAsync(call, call.Route("repository"), null, null, ct))
            .ConfigureAwait(false);
    }

    /// <summary>Changes the description.</summary>
    public static Task<UiOutcome> DescribeAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "updateRepository", ArtifactPaths.Repository(call.Project!.Name, call.Route("repository")), call.Words.Saved, [("repository_name", call.Route("repository"))],
        new JsonObject { ["description"] = call.Field("description") });

    /// <summary>Points a tag to where it was after a change.</summary>
    public static Task<UiOutcome> RollBackAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "rollbackTag", ArtifactPaths.Repository(call.Project!.Name, call.Route("repository")) + "?view=history", new ArtifactWords(call.Language).RolledBack(call.Field("tag")),
        [("repository_name", call.Route("repository")), ("tag_name", call.Field("tag"))],
        new JsonObject { ["history_id"] = long.TryParse(call.Field("move"), CultureInfo.InvariantCulture, out var move) ? move : 0 });

    /// <summary>Gives an artifact one more tag.</summary>
    public static Task<UiOutcome> AddTagAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "createTag", Here(call), new ArtifactWords(call.Language).TagAdded, Route(call), new JsonObject { ["name"] = call.Field("tag") });

    /// <summary>Takes a tag off; the artifact stays.</summary>
    public static Task<UiOutcome> RemoveTagAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "deleteTag", call.Route("reference") == call.Field("tag") ? ArtifactPaths.Artifact(call.Project!.Name, call.Route("repository"), call.Field("digest")) : Here(call),
        new ArtifactWords(call.Language).TagRemoved(call.Field("tag")), [.. Route(call), ("tag_name", call.Field("tag"))],
        undo: () => UndoOf(call).OfferAsync(call, call.Route("repository"), [call.Field("digest")], call.Field("tag"), ct));

    /// <summary>Puts a label on the artifact.</summary>
    public static Task<UiOutcome> AddLabelAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "addLabel", Here(call), new ArtifactWords(call.Language).LabelAdded, Route(call), new JsonObject { ["id"] = long.TryParse(call.Field("label"), CultureInfo.InvariantCulture, out var label) ? label : 0 });

    /// <summary>Takes a label off the artifact.</summary>
    public static Task<UiOutcome> RemoveLabelAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("removeLabel", Here(call), new ArtifactWords(call.Language).LabelRemoved, [.. Route(call), ("label_id", call.Field("label"))]);

    /// <summary>Deletes the artifact.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "deleteArtifact", ArtifactPaths.Repository(call.Project!.Name, call.Route("repository")), new ArtifactWords(call.Language).ArtifactDeleted,
        // What was shown, wherever the tag has moved since.
        [("repository_name", call.Route("repository")), ("reference", call.Field("digest") is { Length: > 0 } shown ? shown : call.Route("reference"))],
        undo: () => UndoOf(call).OfferAsync(call, call.Route("repository"), [call.Field("digest")], null, ct));

    /// <summary>How deletions are taken back.</summary>
    public static IDeletionUndo UndoOf(UiCall call) => call.Http.RequestServices.GetRequiredService<IDeletionUndo>();

    private static (string, string)[] Route(UiCall call) => [("repository_name", call.Route("repository")), ("reference", call.Route("reference"))];

    private static string Here(UiCall call) => ArtifactPaths.Artifact(call.Project!.Name, call.Route("repository"), call.Route("reference"));
}
