using System.Globalization;
using System.Net.Mime;
using System.Text;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Scan;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>
/// What is known of a scanned image in the form that somebody wants: Trivy's JSON, SARIF, the bills of materials, a table for spreadsheets. It is made from the inventories of the layers and the
/// advisories that are in use now; no layer is read.
/// </summary>
internal sealed class ReportExport(Database database, ArtifactTargets targets, StoredInventories inventories, AdvisoryStore advisories, TimeProvider time) : IDisposable
{
    private const string Path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/report";
    private const int MaxAtOnce = 2;

    private static readonly Dictionary<string, (ScanFormat Format, string Type, string Suffix)> s_forms = new(StringComparer.Ordinal)
    {
        ["trivy"] = (ScanFormat.Json, "application/json; charset=utf-8", ".trivy.json"),
        ["sarif"] = (ScanFormat.Sarif, "application/sarif+json; charset=utf-8", ".sarif"),
        ["cyclonedx"] = (ScanFormat.CycloneDx, "application/vnd.cyclonedx+json; charset=utf-8", ".cdx.json"),
        ["spdx"] = (ScanFormat.SpdxJson, "application/spdx+json; charset=utf-8", ".spdx.json"),
        ["harbor"] = (ScanFormat.Harbor, "application/json; charset=utf-8", ".harbor.json"),
        ["table"] = (ScanFormat.Table, "text/plain; charset=utf-8", ".txt"),
        ["csv"] = (ScanFormat.Table, "text/csv; charset=utf-8", ".csv"),
    };

    // A report is made in memory: a few at once, the others wait.
    private readonly SemaphoreSlim _room = new(MaxAtOnce);

    public static IEnumerable<ApiOperation> Operations(ReportExport api) =>
    [
        new(HttpMethods.Get, Path, "exportReport", "scan", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth,
            Query = ["format"],
            Summary = "What is known of a scanned image as a file: trivy, sarif, cyclonedx, spdx, harbor, table or csv; of an index one of its images by digest.",
        },
    ];

    public void Dispose() => _room.Dispose();

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference, word) = (RepositoryPath.NameOf(call), call.Route("reference"), call.Query("format") is { Length: > 0 } asked ? asked : "trivy");
        if (!s_forms.TryGetValue(word, out var form)) return ApiResult.BadRequest($"format {word} is none of {string.Join(", ", s_forms.Keys)}");
        if (!await targets.MayReadAsync(call, call.Project!, name, ct).ConfigureAwait(false)) return call.Refuse();
        var (repository, row) = await database.ReadAsync((name, reference), static (session, q, token) => ArtifactRows.FindAsync(session, q.name, q.reference, token), ct).ConfigureAwait(false);
        if (row is null) return ArtifactApi.NotFound(repository, name, reference);
        if (word == "csv") return FileOf(Encoding.UTF8.GetBytes(FindingsTable.Write(FindingsTable.Head, (await LinesAsync(row.Id, ct).ConfigureAwait(false)).Select(static line => FindingsTable.Of(line)))), form.Type, FileName(row) + form.Suffix);
        if (row.IsIndex) return ApiResult.BadRequest("this is an index of several images: ask for one of them by its digest");
        await _room.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (await ReportAsync(row, word is "cyclonedx" or "spdx", ct).ConfigureAwait(false) is not { } report) return ApiResult.Conflict("it has not been scanned yet: scan it first");
            using var buffer = new MemoryStream();
            ScanOutput.Write(buffer, report, form.Format, listPackages: word == "trivy", showSuppressed: word == "trivy", withFindings: false);
            return FileOf(buffer.ToArray(), form.Type, FileName(row) + form.Suffix);
        }
        finally
        {
            _room.Release();
        }
    }

    // As the pages show it: of the last good scan, of an index the union.
    private async Task<List<FindingLine>> LinesAsync(long manifestId, CancellationToken ct)
    {
        var packed = await database.ReadAsync(manifestId, static async (session, id, token) =>
        {
            var reports = new List<byte[]>();
            foreach (var (image, _) in await ScanRequests.ImagesOfAsync(session, id, token).ConfigureAwait(false))
                if (await ScanRow.ReadReportAsync(session, image, token).ConfigureAwait(false) is { } report) reports.Add(report);
            return reports;
        }, ct).ConfigureAwait(false);
        return packed.Count == 0 ? [] : FindingLine.Read(StoredReport.Join([.. packed.Select(StoredReport.Unpack)]));
    }

    private async Task<ScanReport?> ReportAsync(ArtifactRow row, bool isInventory, CancellationToken ct)
    {
        if (await inventories.FindAsync(row.Id, ct).ConfigureAwait(false) is not { } known) return null;
        using var loan = isInventory ? null : advisories.Borrow();
        return ScanAssembly.Of(known.Image, known.Inventory, loan is null ? null : new Matcher(loan.Database), new ScanSettings(), time.GetUtcNow()) with { ToolVersion = BuiltInScanner.Version };
    }

    private static string FileName(ArtifactRow row)
    {
        var name = row.Repository.Replace('/', '-');
        return string.Create(CultureInfo.InvariantCulture, $"{name}-{row.Digest[(row.Digest.IndexOf(':', StringComparison.Ordinal) + 1)..][..12]}");
    }

    /// <summary>A file that a browser saves.</summary>
    public static ApiResult FileOf(byte[] content, string type, string name) => ApiResult.Stream(type, async (context, ct) =>
    {
        context.Response.Headers.ContentDisposition = new ContentDisposition { DispositionType = DispositionTypeNames.Attachment, FileName = name }.ToString();
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content, ct).ConfigureAwait(false);
    });
}
