using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>What the forms of an artifact's life do; the operations are the lifecycle's.</summary>
internal static class LifecycleForms
{
    private const string StagePrefix = "stage:";

    /// <summary>The stage that an artifact's labels say; null for none.</summary>
    public static string? StageOf(ArtifactJson artifact) =>
        artifact.Labels?.FirstOrDefault(l => l is { Scope: "g", Name: { } name } && name.StartsWith(StagePrefix, StringComparison.Ordinal))?.Name?[StagePrefix.Length..];

    /// <summary>Sets or clears the end of a tag.</summary>
    public static Task<UiOutcome> ExpireAsync(UiCall call, CancellationToken ct)
    {
        var (words, tag, after) = (new LifecycleWords(call.Language), call.Field("tag"), call.Field("after"));
        (string, string)[] route = [("repository_name", call.Route("repository")), ("tag_name", tag)];
        return after.Length == 0
            ? call.ChangeAsync("clearTagExpiry", Here(call), words.ExpiryCleared(tag), route)
            : call.ChangeAsync("setTagExpiry", Here(call), words.ExpirySaved(tag), route, new JsonObject { ["expires_after"] = after });
    }

    /// <summary>Puts the artifact into the archive, withholds or reactivates it.</summary>
    public static Task<UiOutcome> ArchiveAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "archiveArtifact", Here(call), new LifecycleWords(call.Language).ArchiveSaved, Route(call), new JsonObject { ["withheld"] = call.Field("withheld") == "true" });

    /// <summary>Takes it out.</summary>
    public static Task<UiOutcome> UnarchiveAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("unarchiveArtifact", Here(call), new LifecycleWords(call.Language).ArchiveSaved, Route(call));

    /// <summary>Sets the stage.</summary>
    public static Task<UiOutcome> StageAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "setStage", Here(call), new LifecycleWords(call.Language).StageSaved, Route(call), new JsonObject { ["stage"] = call.Field("stage") is { Length: > 0 } stage ? stage : null });

    private static (string, string)[] Route(UiCall call) => [("repository_name", call.Route("repository")), ("reference", call.Route("reference"))];

    private static string Here(UiCall call) => ArtifactPaths.Artifact(call.Project!.Name, call.Route("repository"), call.Route("reference"));
}
