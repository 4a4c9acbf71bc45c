using Berth.Scanner.Advisories;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Findings;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>Which images have a flaw, or a package, as a table for spreadsheets: those that the caller may read.</summary>
internal sealed class AffectedExport(Database database, ScanVisibility visibility)
{
    private const int MaxRows = 10_000;
    private const int MaxLength = 512;

    private static readonly string[] s_head = ["Repository", "Digest", "Package", "Version", "Vulnerability", "Severity", "Fixed in", "Status", "First seen"];

    public static IEnumerable<ApiOperation> Operations(AffectedExport api) =>
    [
        new(HttpMethods.Get, "/security/affected.csv", "exportAffectedImages", "security", ApiNeed.Anybody, api.GetAsync)
        {
            Surface = ApiSurface.Berth, Query = ["vulnerability", "package", "version"],
            Summary = $"Images with a flaw (vulnerability) or with a package (package, version) as comma-separated values, of projects that the caller may read; {MaxRows} rows at most.",
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (flaw, package, version) = (call.Query("vulnerability").Trim(), call.Query("package").Trim(), call.Query("version").Trim());
        if (flaw.Length + package.Length == 0 || (flaw + package + version).Contains('\0', StringComparison.Ordinal) || Math.Max(flaw.Length, Math.Max(package.Length, version.Length)) > MaxLength)
            return ApiResult.BadRequest($"give vulnerability or package, with up to {MaxLength} characters");
        var projects = await visibility.ProjectsAsync(call, ct).ConfigureAwait(false);
        var rows = flaw.Length > 0 ? await FlawsAsync(call, flaw, projects, ct).ConfigureAwait(false) : await PackagesAsync(call, package, version, projects, ct).ConfigureAwait(false);
        return FindingsExport.FileOf(FindingsTable.Write(s_head, rows), "affected-images.csv");
    }

    private async Task<IEnumerable<IReadOnlyList<string>>> FlawsAsync(ApiCall call, string flaw, IReadOnlyList<long>? projects, CancellationToken ct)
    {
        var found = await database.ReadAsync(
            new FindingFilter { Vulnerability = flaw, Projects = projects }, static (session, filter, token) => FindingsQuery.ReadAsync(session, filter, MaxRows, 0, token), ct).ConfigureAwait(false);
        return (await visibility.ReadableAsync(call, found, static one => (one.ProjectId, one.Repository), ct).ConfigureAwait(false)).Select(static one => (IReadOnlyList<string>)
            [one.Repository, one.Digest, one.Package, one.Version, one.Vulnerability, Findings.SecurityWords.SeverityOf(one.Severity), one.FixedVersion ?? "", one.Status.Word(), ApiTime.Text(one.FirstSeen)]);
    }

    private async Task<IEnumerable<IReadOnlyList<string>>> PackagesAsync(ApiCall call, string package, string version, IReadOnlyList<long>? projects, CancellationToken ct)
    {
        var found = await database.ReadAsync(
            (package, version, projects), static (session, q, token) => PackageSearch.ReadAsync(session, q.package, "", q.version, q.projects, (0, 0, ""), MaxRows, token), ct).ConfigureAwait(false);
        // A package stands in the index under each name that advisories have for it.
        return (await visibility.ReadableAsync(call, found, static one => (one.ProjectId, one.Repository), ct).ConfigureAwait(false)).DistinctBy(static one => (one.ManifestId, one.Name, one.Version))
            .Select(static one => (IReadOnlyList<string>)[one.Repository, one.Digest, one.Name, one.Version, "", "", "", "", ""]);
    }
}
