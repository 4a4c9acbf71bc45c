using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>What the forms of exceptions and of the gate do.</summary>
internal static class ExceptionForms
{
    /// <summary>The setting that holds where the project says nothing.</summary>
    public const string OnByDefault = "scan_misconfiguration";

    private static readonly string[] s_gateChoices = ["severity", "pull_gate_mode", "pull_gate_unscanned", "pull_gate_grace_minutes"];
    private static readonly string[] s_gateBoxes = ["prevent_vul", "pull_gate_fixable_only", "trust_attached_vex"];
    private static readonly string[] s_scanBoxes = ["auto_scan", "auto_sbom_generation", OnByDefault, "scan_secrets", "prefer_attached_sbom"];

    /// <summary>The page of the exceptions that a call is about.</summary>
    public static string PathOf(UiCall call) => call.Project is { } project ? SecurityPaths.ProjectExceptions(project.Name) : SecurityPaths.Exceptions;

    /// <summary>Sets the list of accepted vulnerabilities.</summary>
    public static Task<UiOutcome> SaveListAsync(UiCall call, CancellationToken ct)
    {
        if (!TryReadDay(call.Field("until"), out var end)) return Task.FromResult(UiOutcome.Refuse(new ExceptionWords(call.Language).DayWrong));
        var items = new JsonArray();
        foreach (var id in call.Field("ids").Split(['\n', '\r', ',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.OrdinalIgnoreCase)) items.Add(new JsonObject { ["cve_id"] = id });
        var list = new JsonObject { ["items"] = items };
        // Harbor's unit is the second.
        if (end is { } at) list["expires_at"] = at.ToUnixTimeSeconds();
        return call.Project is null
            ? call.ChangeAsync("putSystemCVEAllowlist", PathOf(call), call.Words.Saved, body: list)
            : call.ChangeAsync("updateProject", PathOf(call), call.Words.Saved, body: new JsonObject
            {
                ["cve_allowlist"] = list,
                ["metadata"] = new JsonObject { ["reuse_sys_cve_allowlist"] = call.IsChecked("reuse") ? "true" : "false" },
            });
    }

    /// <summary>Brings a document.</summary>
    public static Task<UiOutcome> AddAsync(UiCall call, CancellationToken ct)
    {
        var words = new ExceptionWords(call.Language);
        if (!TryReadDay(call.Field("until"), out var end)) return Task.FromResult(UiOutcome.Refuse(words.DayWrong));
        var body = new JsonObject { ["kind"] = call.Field("kind"), ["name"] = call.Field("name"), ["note"] = call.Field("note"), ["content"] = call.Form!["content"].ToString() };
        if (end is { } at) body["expires_at"] = at.ToString("O", CultureInfo.InvariantCulture);
        if (call.Field("repository").Length > 0) body["repository"] = call.Field("repository");
        return call.ChangeAsync(call.Project is null ? "createSystemException" : "createProjectException", PathOf(call), words.Added, body: body);
    }

    /// <summary>Takes a document away.</summary>
    public static Task<UiOutcome> RemoveAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        call.Project is null ? "deleteSystemException" : "deleteProjectException", PathOf(call), new ExceptionWords(call.Language).Removed, [("exception_id", call.Field("exception"))]);

    /// <summary>Sets the gate for pulls.</summary>
    public static Task<UiOutcome> SaveGateAsync(UiCall call, CancellationToken ct)
    {
        var metadata = new JsonObject();
        foreach (var name in s_gateChoices.Where(name => call.Field(name).Length > 0)) metadata[name] = call.Field(name);
        foreach (var name in s_gateBoxes) metadata[name] = call.IsChecked(name) ? "true" : "false";
        return SaveAsync(call, metadata);
    }

    /// <summary>Sets what is scanned by itself.</summary>
    public static Task<UiOutcome> SaveScanningAsync(UiCall call, CancellationToken ct)
    {
        var metadata = new JsonObject();
        foreach (var name in s_scanBoxes) metadata[name] = call.IsChecked(name) ? "true" : "false";
        return SaveAsync(call, metadata);
    }

    /// <summary>Chooses the scanner of the project.</summary>
    public static Task<UiOutcome> ChooseScannerAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("setScannerOfProject", SecurityPaths.Project(call.Project!.Name), call.Words.Saved, body: new JsonObject { ["uuid"] = call.Field("scanner") });

    private static Task<UiOutcome> SaveAsync(UiCall call, JsonObject metadata) =>
        call.ChangeAsync("updateProject", SecurityPaths.Project(call.Project!.Name), call.Words.Saved, body: new JsonObject { ["metadata"] = metadata });

    // A day holds until it is over everywhere that counts in UTC.
    private static bool TryReadDay(string text, out DateTimeOffset? end)
    {
        end = null;
        if (text.Length == 0) return true;
        if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return false;
        end = new DateTimeOffset(day.ToDateTime(new TimeOnly(23, 59, 59)), TimeSpan.Zero);
        return true;
    }
}
