using Berth.Scanner.Exceptions;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>The findings of an artifact, each with what exceptions say of it: nothing is left out, and every exception shows its reason. Of an index those of all its images.</summary>
internal sealed class MarkedFindingsApi(Database database, ScanExceptions exceptions, ArtifactTargets targets)
{
    private const string Path = "/projects/{project_name_or_id}/repositories/{repository_name}/artifacts/{reference}/findings";

    public static IEnumerable<ApiOperation> Operations(MarkedFindingsApi api) =>
    [
        new(HttpMethods.Get, Path, "listFindingsOfArtifact", "exceptions", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(MarkedFindingJson), IsList = true, Query = ["suppressed"],
            Summary = "What the last good scans of an artifact found, the worst first, with what keeps a finding from counting, did so until it ran out, or would if it were trusted. suppressed=true or false shows only those.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var wrong)) return wrong!;
        if (call.Query("suppressed") is { Length: > 0 } text && text is not ("true" or "false")) return ApiResult.BadRequest("suppressed must be true or false");
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        if (!await targets.MayReadAsync(call, call.Project!, name, ct).ConfigureAwait(false)) return call.Refuse();
        var (repository, row, images) = await database.ReadAsync((name, reference), static async (session, q, token) =>
        {
            var (path, found) = await ArtifactRows.FindAsync(session, q.name, q.reference, token).ConfigureAwait(false);
            return (path, found, found is null ? [] : await ScanRequests.ImagesOfAsync(session, found.Id, token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        if (row is null) return ArtifactApi.NotFound(repository, name, reference);
        var all = new List<(MarkedFindingJson Marked, int Rank)>();
        foreach (var (image, _) in images) all.AddRange(await MarkAsync(image, ct).ConfigureAwait(false));
        bool? suppressed = call.Query("suppressed").Length > 0 ? call.Flag("suppressed") : null;
        var wanted = all.Where(one => suppressed is null || one.Marked.Suppression is not null == suppressed)
            .OrderByDescending(static one => one.Rank).ThenBy(static one => one.Marked.Id, StringComparer.Ordinal).ThenBy(static one => one.Marked.Package, StringComparer.Ordinal).ToList();
        return ApiResult.List([.. wanted.Skip((int)Math.Min(int.MaxValue, page.Offset)).Take(page.Size).Select(static one => one.Marked)], wanted.Count, ExceptionJson.Default.ListMarkedFindingJson);
    }

    private async ValueTask<List<(MarkedFindingJson, int)>> MarkAsync(long image, CancellationToken ct)
    {
        var (digest, packed) = await database.ReadAsync(image, static async (session, id, token) =>
        {
            await using var row = await session.Command(Select, id).ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? (row.GetString(0), row.GetFieldValue<byte[]>(1)) : ("", null);
        }, ct).ConfigureAwait(false);
        if (packed is null || await exceptions.OfManifestAsync(image, withUntrusted: true, ct).ConfigureAwait(false) is not { } held) return [];
        var findings = ReportedFindings.Read(StoredReport.Unpack(packed));
        held = held.For(findings);
        return [.. findings.Select(one => (MarkedOf(one, digest, held), one.Rank))];
    }

    private static MarkedFindingJson MarkedOf(ReportedFinding one, string digest, ManifestExceptions held)
    {
        var suppression = held.Find(one.Finding);
        return new MarkedFindingJson
        {
            Id = one.Finding.Id,
            Package = one.PackageName,
            Version = one.Finding.InstalledVersion,
            FixVersion = one.FixedVersion,
            Severity = one.Severity,
            Digest = digest,
            Path = one.Finding.Package.Path is { Length: > 0 } path ? path : null,
            Suppression = JsonOf(suppression),
            Expired = suppression is null ? JsonOf(held.FindExpired(one.Finding)) : null,
            Attached = suppression is null ? JsonOf(held.FindAttached(one.Finding)) : null,
        };
    }

    private static SuppressionJson? JsonOf(Suppression? found) => found is null ? null : new SuppressionJson
    {
        Source = found.Source,
        Status = found.Status.Word(),
        Reason = found.Reason,
        ExpiresAt = ApiTime.Text(found.ExpiresAt?.ToUnixTimeMilliseconds()),
    };

    private static readonly Statement Select = new("SELECT m.digest, s.report FROM artifact_scans s JOIN manifests m ON m.id = s.manifest_id WHERE s.manifest_id = @0 AND s.report IS NOT NULL");
}
