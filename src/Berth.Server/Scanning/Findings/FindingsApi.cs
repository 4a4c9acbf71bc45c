using System.Globalization;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Findings;

/// <summary>Findings, packages and counts over many images, for those who may read them. What is shown is what reports have: exceptions are not applied.</summary>
internal sealed class FindingsApi(Database database, ScanVisibility visibility, TimeProvider time)
{
    private const string Tag = "security";
    private const int DefaultLimit = 50;
    private const int MaxLimit = 1000;
    private const int MaxDays = 730;

    public static IEnumerable<ApiOperation> Operations(FindingsApi api) =>
    [
        new(HttpMethods.Get, "/security/findings", "listFindings", Tag, ApiNeed.Anybody, api.FindingsAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(FindingsJson), Query = ["project", "repository", "digest", "tag", "vulnerability", "package", "severity", "fixable", "after", "limit"],
            Summary = "Findings of images that the caller may read, the worst first; behind \"after\", which is \"next\" of the page before.",
        },
        new(HttpMethods.Get, "/security/packages", "searchPackages", Tag, ApiNeed.Anybody, api.PackagesAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(PackagesJson), Query = ["name", "version", "scope", "project", "after", "limit"],
            Summary = "Images that have a package, among those that the caller may read; * at the beginning or end of the name stands for anything.",
        },
        new(HttpMethods.Get, "/security/statistics", "getSecurityStatistics", Tag, ApiNeed.Anybody, api.StatisticsAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(StatisticsJson), Query = ["project", "days", "worst"], Summary = "Counts, the worst images and the days before, of projects that the caller may read.",
        },
    ];

    private async Task<ApiResult> FindingsAsync(ApiCall call, CancellationToken ct)
    {
        if (ReadLimit(call) is not { } limit) return Wrong("limit", $"a number from 1 to {MaxLimit}");
        if (!TryReadAfter(call.Query("after"), out var after)) return Wrong("after", "what \"next\" said");
        if (!TryReadSeverities(call.Query("severity"), out var severities)) return Wrong("severity", "Critical, High, Medium, Low or Unknown, several with commas between");
        var fixable = call.Query("fixable");
        if (fixable is not ("" or "true" or "false")) return Wrong("fixable", "true or false");
        var (isFound, projects, refusal) = await visibility.ScopeAsync(call, ct).ConfigureAwait(false);
        if (!isFound) return refusal!;
        if (projects is { Count: 0 }) return ApiResult.Ok(new FindingsJson { Items = [] }, SecurityJson.Default.FindingsJson);
        var filter = new FindingFilter
        {
            Projects = projects,
            Repository = TextOf(call, "repository"),
            Tag = TextOf(call, "tag"),
            Vulnerability = TextOf(call, "vulnerability"),
            Package = TextOf(call, "package"),
            Severities = severities,
            Fixable = fixable.Length == 0 ? null : fixable == "true",
            After = after,
        };
        var found = await database.ReadAsync((filter, limit, Digest: TextOf(call, "digest")), static async (session, q, token) =>
        {
            var with = q.Digest is null ? q.filter : q.filter with { Manifests = await ImagesAsync(session, q.Digest, token).ConfigureAwait(false) };
            return await FindingsQuery.ReadAsync(session, with, q.limit, 0, token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        var readable = await visibility.ReadableAsync(call, found, static one => (one.ProjectId, one.Repository), ct).ConfigureAwait(false);
        return ApiResult.Ok(new FindingsJson
        {
            Items = [.. readable.Select(FindingJson.Of)],
            Next = found.Count < limit ? null : string.Create(CultureInfo.InvariantCulture, $"{found[^1].Severity}.{found[^1].Id}"),
        }, SecurityJson.Default.FindingsJson);
    }

    private async Task<ApiResult> PackagesAsync(ApiCall call, CancellationToken ct)
    {
        if (ReadLimit(call) is not { } limit) return Wrong("limit", $"a number from 1 to {MaxLimit}");
        var name = (TextOf(call, "name") ?? "").Trim();
        if (name.Trim('*').Length == 0) return Wrong("name", "the name of a package, or a part of it with *");
        if (!PackageSearch.TryReadKey((TextOf(call, "after") ?? ""), out var after)) return Wrong("after", "what \"next\" said");
        var (isFound, projects, refusal) = await visibility.ScopeAsync(call, ct).ConfigureAwait(false);
        if (!isFound) return refusal!;
        // Nobody looks through all names for somebody who sees nothing.
        if (projects is { Count: 0 }) return ApiResult.Ok(new PackagesJson { Items = [] }, SecurityJson.Default.PackagesJson);
        var asked = (name, Scope: TextOf(call, "scope") ?? "", Version: TextOf(call, "version") ?? "", projects, after, limit);
        var found = await database.ReadAsync(
            asked, static (session, q, token) => PackageSearch.ReadAsync(session, q.name, q.Scope, q.Version, q.projects, q.after, q.limit, token), ct).ConfigureAwait(false);
        var readable = await visibility.ReadableAsync(call, found, static one => (one.ProjectId, one.Repository), ct).ConfigureAwait(false);
        return ApiResult.Ok(new PackagesJson
        {
            Items = [.. readable.Select(static one => new FoundPackageJson
            {
                Scope = one.Scope, Name = one.Name, Version = one.Version, ProjectId = one.ProjectId, Repository = one.Repository, Digest = one.Digest,
            })],
            Next = found.Count < limit ? null : found[^1].Key,
        }, SecurityJson.Default.PackagesJson);
    }

    private async Task<ApiResult> StatisticsAsync(ApiCall call, CancellationToken ct)
    {
        if (NumberOf(call, "days", 90, MaxDays) is not { } days) return Wrong("days", $"a number from 1 to {MaxDays}");
        if (NumberOf(call, "worst", 10, 100) is not { } worst) return Wrong("worst", "a number from 1 to 100");
        var (isFound, projects, refusal) = await visibility.ScopeAsync(call, ct).ConfigureAwait(false);
        if (!isFound) return refusal!;
        var from = ScanStatistics.DayOf(time.GetUtcNow()) - days + 1;
        var (counts, images, trend) = await database.ReadAsync((projects, worst, from), static async (session, q, token) => (
            await ScanStatistics.CountAsync(session, q.projects, null, token).ConfigureAwait(false),
            await ScanStatistics.WorstAsync(session, q.projects, q.worst, token).ConfigureAwait(false),
            await ScanStatistics.TrendAsync(session, q.projects, q.from, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        var readable = await visibility.ReadableAsync(call, images, static one => (one.ProjectId, one.Repository), ct).ConfigureAwait(false);
        return ApiResult.Ok(StatisticsJson.Of(counts, readable, trend), SecurityJson.Default.StatisticsJson);
    }

    // A digest may stand in several repositories, and may be that of an index.
    private static async ValueTask<IReadOnlyList<long>> ImagesAsync(DbSession session, string digest, CancellationToken ct)
    {
        var ids = new List<long>();
        await using (var rows = await session.Command(SelectDigest, digest).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) ids.Add(rows.GetInt64(0));
        }
        var images = new HashSet<long>();
        foreach (var id in ids) images.UnionWith((await ScanRequests.ImagesOfAsync(session, id, ct).ConfigureAwait(false)).Select(static image => image.Id));
        return [.. images];
    }

    private static string? TextOf(ApiCall call, string name) => call.Query(name) is { Length: > 0 } text ? text.Replace('\0', ' ') : null;

    private static int? ReadLimit(ApiCall call) => NumberOf(call, "limit", DefaultLimit, MaxLimit);

    private static int? NumberOf(ApiCall call, string name, int whenMissing, int most) => call.Query(name) is not { Length: > 0 } text ? whenMissing
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most ? number : null;

    private static bool TryReadAfter(string text, out (int, long)? after)
    {
        after = null;
        if (text.Length == 0) return true;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || !int.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var severity)
            || !long.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return false;
        after = (severity, id);
        return true;
    }

    private static bool TryReadSeverities(string text, out IReadOnlyList<int>? severities)
    {
        severities = null;
        if (text.Length == 0) return true;
        var ranks = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(static word => StoredReport.Rank(CultureInfo.InvariantCulture.TextInfo.ToTitleCase(word.ToLowerInvariant()))).ToList();
        severities = ranks;
        return ranks.TrueForAll(static rank => rank > 0);
    }

    private static ApiResult Wrong(string parameter, string expected) => ApiResult.BadRequest($"the parameter {parameter} must be {expected}");

    private static readonly Statement SelectDigest = new("SELECT id FROM manifests WHERE digest = @0 ORDER BY id LIMIT 1000");
}
