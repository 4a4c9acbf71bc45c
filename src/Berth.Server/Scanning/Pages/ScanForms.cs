using Berth.Server.Artifacts.Pages;
using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>What the forms of one artifact's scan do.</summary>
internal static class ScanForms
{
    /// <summary>Asks for a scan.</summary>
    public static Task<UiOutcome> ScanAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("scanArtifact", Here(call), new SecurityWords(call.Language).ScanAsked, Route(call));

    /// <summary>Stops it.</summary>
    public static Task<UiOutcome> StopAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("stopScanArtifact", Here(call), new SecurityWords(call.Language).StopAsked, Route(call));

    private static (string, string)[] Route(UiCall call) => [("repository_name", call.Route("repository")), ("reference", call.Route("reference"))];

    private static string Here(UiCall call) => ArtifactPaths.Findings(call.Project!.Name, call.Route("repository"), call.Route("reference"));
}
