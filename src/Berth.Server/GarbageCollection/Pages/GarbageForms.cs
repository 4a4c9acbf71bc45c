using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.GarbageCollection.Pages;

/// <summary>What the forms of garbage collection do.</summary>
internal static class GarbageForms
{
    /// <summary>Starts a run.</summary>
    public static Task<UiOutcome> RunAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("createGCSchedule", "/administration/garbage", new GarbageWords(call.Language).Started, body: new JsonObject
    {
        ["schedule"] = new JsonObject { ["type"] = "Manual" },
        ["parameters"] = new JsonObject { ["delete_untagged"] = call.IsChecked("untagged"), ["dry_run"] = call.IsChecked("dry") },
    });

    /// <summary>Stops a run.</summary>
    public static Task<UiOutcome> StopAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("stopGC", "/administration/garbage", new GarbageWords(call.Language).Stopped, [("gc_id", call.Field("id"))]);
}
