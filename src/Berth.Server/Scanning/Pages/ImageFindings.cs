using Berth.Server.Platform.Data;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Scanning.Pages;

/// <summary>What was found in images, from the reports of their last good scans: what several have stands once.</summary>
internal static class ImageFindings
{
    /// <summary>The findings of images whose reader was found to be allowed.</summary>
    public static async Task<IReadOnlyList<FindingLine>> ReadAsync(UiCall call, IReadOnlyList<ScannedImage> images)
    {
        var packed = await call.Http.RequestServices.GetRequiredService<Database>().ReadAsync(images, static async (session, all, token) =>
        {
            var reports = new List<(string Digest, byte[] Report)>();
            foreach (var image in all.Where(static one => one.Scan?.ReportedAt is not null))
                if (await ScanRow.ReadReportAsync(session, image.Id, token).ConfigureAwait(false) is { } report) reports.Add((image.Digest, report));
            return reports;
        }, call.Http.RequestAborted).ConfigureAwait(true);
        var found = new Dictionary<(string, string, string), (FindingLine Line, List<string> Images)>();
        foreach (var (digest, report) in packed)
        {
            foreach (var line in FindingLine.Read(StoredReport.Unpack(report)))
            {
                if (found.TryGetValue((line.Id, line.Package, line.Version), out var known))
                {
                    if (known.Images[^1] != digest) known.Images.Add(digest);
                }
                else
                {
                    found.Add((line.Id, line.Package, line.Version), (line, [digest]));
                }
            }
        }
        return [.. found.Values.Select(static one => one.Line with { Images = one.Images })];
    }
}
