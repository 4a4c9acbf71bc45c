using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Trash.Pages;

/// <summary>What the forms of the trash do.</summary>
internal static class TrashForms
{
    /// <summary>Most entries that one form restores or purges.</summary>
    public const int MostAtOnce = 200;

    /// <summary>The page.</summary>
    public static string PathOf(UiCall call) => $"/projects/{Uri.EscapeDataString(call.Project!.Name)}/trash";

    /// <summary>Brings back what is checked.</summary>
    public static Task<UiOutcome> RestoreAsync(UiCall call, CancellationToken ct) =>
        RestoreAsync(call, [.. call.Form!["pick"].OfType<string>()], call.IsChecked("overwrite"), call.Http.Request.Path + call.Http.Request.QueryString);

    /// <summary>Takes a deletion back, from the message that told of it.</summary>
    public static Task<UiOutcome> UndoAsync(UiCall call, CancellationToken ct) =>
        RestoreAsync(call, call.Field("undo").Split('.', StringSplitOptions.RemoveEmptyEntries), overwrites: false, LocalPath.Of(call.Field("to"), PathOf(call)));

    /// <summary>Lets what is checked go for good, when the project's name was typed.</summary>
    public static async Task<UiOutcome> PurgeAsync(UiCall call, CancellationToken ct)
    {
        var words = new TrashWords(call.Language);
        var picked = call.Form!["pick"].OfType<string>().Take(MostAtOnce).ToList();
        if (picked.Count == 0) return UiOutcome.Refuse(words.NothingSelected);
        if (call.Field("confirm") != call.Project!.Name) return UiOutcome.Refuse(call.Words.NameDoesNotMatch);
        var done = 0;
        foreach (var id in picked)
        {
            var result = await call.AskAsync("purgeTrashEntry", [("entry_id", id)]).ConfigureAwait(false);
            if (result.Failure is { } failure && result.Status != 404) return UiOutcome.Refuse($"{words.Purged(done)} {failure.Message}", result.Status);
            done++;
        }
        return UiOutcome.Go(call.Http.Request.Path + call.Http.Request.QueryString, words.Purged(done));
    }

    /// <summary>Lets everything go for good, when the project's name was typed.</summary>
    public static async Task<UiOutcome> EmptyAsync(UiCall call, CancellationToken ct) => call.Field("confirm") != call.Project!.Name
        ? UiOutcome.Refuse(call.Words.NameDoesNotMatch)
        : await call.ChangeAsync("emptyTrash", PathOf(call), new TrashWords(call.Language).Emptied).ConfigureAwait(false);

    /// <summary>Sets for how long things are kept.</summary>
    public static Task<UiOutcome> SetWindowAsync(UiCall call, CancellationToken ct)
    {
        var text = call.Field("days");
        if (text.Length > 0 && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _)) return Task.FromResult(UiOutcome.Refuse(new TrashWords(call.Language).DaysWrong));
        return call.ChangeAsync(
            "setTrashWindow", PathOf(call), call.Words.Saved, body: new JsonObject { ["days"] = text.Length == 0 ? null : int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) });
    }

    private static async Task<UiOutcome> RestoreAsync(UiCall call, IReadOnlyList<string> ids, bool overwrites, string goTo)
    {
        var words = new TrashWords(call.Language);
        if (ids.Count == 0) return UiOutcome.Refuse(words.NothingSelected);
        var (done, problems) = (0, new List<string>());
        foreach (var id in ids.Take(MostAtOnce))
        {
            var result = await call.AskAsync("restoreTrash", [("entry_id", id)], overwrites ? [("overwrite", "true")] : null).ConfigureAwait(false);
            // One that came back along with another is back, as was asked.
            if (result.Failure is null || (result.Status == 404 && done > 0)) done++;
            else problems.Add(result.Failure.Value.Message + ".");
        }
        return problems.Count > 0 ? UiOutcome.Refuse(string.Join(' ', problems.Distinct().Prepend(words.Restored(done))), 409) : UiOutcome.Go(goTo, words.Restored(done));
    }
}
