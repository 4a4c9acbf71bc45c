using System.Net.Mime;
using System.Text;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Contents;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>The findings of an artifact as a table for spreadsheets, as its page lists them: of the last good scan, of an index the union of its images.</summary>
internal sealed class FindingsExport(IServiceProvider services, Database database, ReadableArtifacts artifacts)
{
    public static IEnumerable<ApiOperation> Operations(FindingsExport api) =>
    [
        new(HttpMethods.Get, ReadableArtifacts.Path + "/findings.csv", "exportArtifactFindings", "scan", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "The findings of an artifact as comma-separated values; of an index the union of its images.",
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (row, refusal) = await artifacts.FindAsync(call, ct).ConfigureAwait(false);
        if (row is null) return refusal!;
        var images = await database.ReadAsync(row.Id, static async (session, id, token) =>
        {
            var ids = (await ScanRequests.ImagesOfAsync(session, id, token).ConfigureAwait(false)).ConvertAll(static image => image.Id);
            var scans = await ScanRow.ReadAsync(session, ids, token).ConfigureAwait(false);
            return (await ArtifactRows.ReadAsync(session, [.. ids.Where(scans.ContainsKey)], token).ConfigureAwait(false)).ConvertAll(static image => (image.Id, image.Digest));
        }, ct).ConfigureAwait(false);
        if (images.Count == 0) return ApiResult.Conflict("it has not been scanned yet: scan it first");
        var lines = (await ImageFindings.ReadAsync(services, images, ct).ConfigureAwait(false)).OrderByDescending(static line => line.Suppression is null).ThenByDescending(static line => line.Rank).ThenBy(static line => line.Id, StringComparer.Ordinal);
        return FileOf(FindingsTable.Write(FindingsTable.Head, lines.Select(FindingsTable.Of)), $"{row.Repository.Replace('/', '-')}-{row.Digest[(row.Digest.IndexOf(':', StringComparison.Ordinal) + 1)..][..12]}.csv");
    }

    /// <summary>A table that a browser saves as a file.</summary>
    public static ApiResult FileOf(string table, string name) => ApiResult.Stream("text/csv; charset=utf-8", async (context, ct) =>
    {
        context.Response.Headers.ContentDisposition = new ContentDisposition { DispositionType = DispositionTypeNames.Attachment, FileName = name }.ToString();
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(table), ct).ConfigureAwait(false);
    });
}
