using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>What the forms of scanning all images do.</summary>
internal static class ScanAllForms
{
    /// <summary>Schedules that have a word, with their times (six fields, seconds first).</summary>
    public static readonly IReadOnlyDictionary<string, string> Crons = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Hourly"] = "0 0 * * * *",
        ["Daily"] = "0 0 0 * * *",
        ["Weekly"] = "0 0 0 * * 0",
    };

    /// <summary>Begins.</summary>
    public static Task<UiOutcome> StartAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("createScanAllSchedule", SecurityPaths.Overview, new OverviewWords(call.Language).Started, body: Body("Manual", ""));

    /// <summary>Stops the run and the scans that it asked for.</summary>
    public static Task<UiOutcome> StopAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("stopScanAll", SecurityPaths.Overview, new OverviewWords(call.Language).Stopped);

    /// <summary>Sets when it begins by itself.</summary>
    public static Task<UiOutcome> ScheduleAsync(UiCall call, CancellationToken ct)
    {
        var type = call.Field("type");
        return call.ChangeAsync("updateScanAllSchedule", SecurityPaths.Overview, call.Words.Saved, body: Body(type, Crons.GetValueOrDefault(type) ?? call.Field("cron")));
    }

    private static JsonObject Body(string type, string cron) => new() { ["schedule"] = new JsonObject { ["type"] = type, ["cron"] = cron } };
}
