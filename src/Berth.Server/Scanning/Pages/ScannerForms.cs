using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>What the forms of scanners outside do.</summary>
internal static class ScannerForms
{
    /// <summary>Enters a scanner. What it is signed in with is kept and never shown.</summary>
    public static Task<UiOutcome> AddAsync(UiCall call, CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["name"] = call.Field("name"),
            ["url"] = call.Field("url"),
            ["kind"] = call.Field("kind"),
            ["auth"] = call.Field("auth") is "" ? "None" : call.Field("auth"),
            ["skip_certVerify"] = call.IsChecked("skip-verify"),
        };
        if (call.Field("credential").Length > 0) body["access_credential"] = call.Field("credential");
        return call.ChangeAsync("createScanner", SecurityPaths.Overview, new OverviewWords(call.Language).ScannerAdded, body: body);
    }

    /// <summary>Makes one the scanner of projects that choose none.</summary>
    public static Task<UiOutcome> MakeDefaultAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("setScannerAsDefault", SecurityPaths.Overview, call.Words.Saved, [("registration_id", call.Field("scanner"))], new JsonObject { ["is_default"] = true });

    /// <summary>Removes one.</summary>
    public static Task<UiOutcome> RemoveAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("deleteScanner", SecurityPaths.Overview, call.Words.Deleted, [("registration_id", call.Field("scanner"))]);
}
