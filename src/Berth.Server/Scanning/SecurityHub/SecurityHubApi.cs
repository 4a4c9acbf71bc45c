using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Scanner.Advisories;
using Berth.Scanner.Matching;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Findings;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.SecurityHub;

/// <summary>Harbor's operations on the security of the installation: its summary, and the search for vulnerabilities. Needs <c>security-hub:…</c> of the system.</summary>
internal sealed class SecurityHubApi(Database database, AdvisoryStore advisories)
{
    private const string Tag = "securityhub";
    private const int Dangerous = 5;

    /// <summary>With <c>tune_count</c> nobody counts further: the total is -1 then.</summary>
    private const int MaxCounted = 1000;

    private const int MaxLinks = 10;

    public static IEnumerable<ApiOperation> Operations(SecurityHubApi api) =>
    [
        new(HttpMethods.Get, "/security/summary", "getSecuritySummary", Tag, ApiNeed.System(SystemPermissions.SecurityHubRead), api.SummaryAsync)
        {
            Summary = "Counts of all images' findings.", Answer = typeof(SecuritySummaryJson), Query = ["with_dangerous_cve", "with_dangerous_artifact"],
        },
        new(HttpMethods.Get, "/security/vul", "ListVulnerabilities", Tag, ApiNeed.System(SystemPermissions.SecurityHubList), api.ListAsync)
        {
            Summary = "Findings of all images, the worst first: q knows cve_id, cvss_score_v3 (a range), severity, status, repository_name, project_id, package, tag, digest.",
            Answer = typeof(VulnerabilityItemJson), IsList = true, Query = ["tune_count", "with_tag"],
        },
    ];

    private async Task<ApiResult> SummaryAsync(ApiCall call, CancellationToken ct)
    {
        var asked = (Flaws: call.Flag("with_dangerous_cve"), Images: call.Flag("with_dangerous_artifact"));
        var (counts, flaws, images) = await database.ReadAsync(asked, static async (session, q, token) => (
            await ScanStatistics.CountAsync(session, null, null, token).ConfigureAwait(false),
            q.Flaws ? await ScanStatistics.WorstFlawsAsync(session, Dangerous, token).ConfigureAwait(false) : null,
            q.Images ? await ScanStatistics.WorstAsync(session, null, Dangerous, token).ConfigureAwait(false) : null), ct).ConfigureAwait(false);
        using var loan = advisories.Borrow();
        return ApiResult.Ok(new SecuritySummaryJson
        {
            CriticalCnt = counts.Critical,
            HighCnt = counts.High,
            MediumCnt = counts.Medium,
            LowCnt = counts.Low,
            UnknownCnt = counts.Unknown,
            TotalVuls = counts.Total,
            ScannedCnt = counts.Scanned,
            TotalArtifact = counts.Images,
            FixableCnt = counts.Fixable,
            DangerousCves = flaws?.Select(flaw => new DangerousCveJson
            {
                CveId = flaw.Vulnerability,
                Severity = SecurityWords.SeverityOf(flaw.Severity),
                CvssScoreV3 = flaw.Score,
                Desc = TextOf(loan?.Database.Detail(flaw.Vulnerability)) ?? "",
                Package = flaw.Package,
                Version = flaw.Version,
            }).ToList(),
            DangerousArtifacts = images?.Select(static image => new DangerousArtifactJson
            {
                ProjectId = image.ProjectId,
                RepositoryName = image.Repository,
                Digest = image.Digest,
                CriticalCnt = image.Critical,
                HighCnt = image.High,
                MediumCnt = image.Medium,
            }).ToList(),
        }, SecurityHubJson.Default.SecuritySummaryJson);
    }

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        if (!TryReadFilter(list.Filters, out var filter, out var problem)) return ApiResult.BadRequest(problem);
        var asked = (filter, list.Page, Tune: call.Flag("tune_count"), Tags: call.Flag("with_tag"));
        var (total, found, tags) = await database.ReadAsync(asked, static async (session, q, token) =>
        {
            var count = await FindingsQuery.CountAsync(session, q.filter, q.Tune ? MaxCounted + 1 : null, token).ConfigureAwait(false);
            var rows = await FindingsQuery.ReadAsync(session, q.filter, q.Page.Size, q.Page.Offset, token).ConfigureAwait(false);
            var names = q.Tags ? await TagsAsync(session, rows, token).ConfigureAwait(false) : null;
            return (q.Tune && count > MaxCounted ? -1 : count, rows, names);
        }, ct).ConfigureAwait(false);
        var texts = await TextsAsync(found, ct).ConfigureAwait(false);
        return ApiResult.List([.. found.Select((one, at) => new VulnerabilityItemJson
        {
            ProjectId = one.ProjectId,
            RepositoryName = one.Repository,
            Digest = one.Digest,
            Tags = tags?.GetValueOrDefault(one.ManifestId) ?? (tags is null ? null : []),
            CveId = one.Vulnerability,
            Severity = SecurityWords.SeverityOf(one.Severity),
            Status = one.Status.Word(),
            CvssV3Score = one.Score ?? 0,
            Package = one.Package,
            Version = one.Version,
            FixedVersion = one.FixedVersion ?? "",
            Desc = texts[at].Desc,
            Links = texts[at].Links,
        })], total, SecurityHubJson.Default.ListVulnerabilityItemJson);
    }

    private static bool TryReadFilter(IReadOnlyList<ApiFilter> filters, out FindingFilter filter, out string problem)
    {
        (filter, problem) = (new FindingFilter(), "");
        foreach (var one in filters)
        {
            var next = one.Kind switch
            {
                FilterKind.Exact => WithValue(filter, one.Key, one.Value),
                FilterKind.Range when one.Key == "cvss_score_v3" => WithScores(filter, one.Values[0], one.Values[1]),
                _ => null,
            };
            if (next is null)
            {
                problem = $"invalid query condition: {one.Key}: known are cve_id, severity, status, repository_name, project_id, package, tag and digest with a value, and cvss_score_v3 with a range";
                return false;
            }
            filter = next;
        }
        return true;
    }

    private static FindingFilter? WithValue(FindingFilter filter, string key, string value) => key switch
    {
        "cve_id" => filter with { Vulnerability = value },
        "severity" => StoredReport.Rank(CultureInfo.InvariantCulture.TextInfo.ToTitleCase(value.ToLowerInvariant())) is var rank and > 0 ? filter with { Severities = [rank] }
            // Harbor's word for what has no severity: we have none of that.
            : value.Equals("none", StringComparison.OrdinalIgnoreCase) ? filter with { Severities = [] } : null,
        "status" => filter with { Status = FixStatuses.Parse(value.Replace(' ', '_')) },
        "repository_name" => filter with { Repository = value },
        "project_id" => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? filter with { Projects = [id] } : null,
        "package" => filter with { Package = value },
        "tag" => filter with { Tag = value },
        "digest" => filter with { Digest = value },
        "cvss_score_v3" => WithScores(filter, value, value),
        _ => null,
    };

    private static FindingFilter? WithScores(FindingFilter filter, string from, string to)
    {
        static bool TryRead(string text, out double? score)
        {
            score = null;
            if (text.Length == 0) return true;
            if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
            score = number;
            return true;
        }
        return TryRead(from, out var min) && TryRead(to, out var max) ? filter with { MinScore = min, MaxScore = max } : null;
    }

    private static async ValueTask<Dictionary<long, List<string>>> TagsAsync(DbSession session, List<StoredFinding> findings, CancellationToken ct)
    {
        var found = new Dictionary<long, List<string>>();
        var ids = JsonSerializer.Serialize([.. findings.Select(static one => one.ManifestId).Distinct()], FindingRowJson.Default.ListInt64);
        await using var rows = await session.Command(SelectTags, ids).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!found.TryGetValue(rows.GetInt64(0), out var names)) found.Add(rows.GetInt64(0), names = []);
            names.Add(rows.GetString(1));
        }
        return found;
    }

    // What the advisories say; what they do not know, the image's report may.
    private async Task<List<(string Desc, IReadOnlyList<string> Links)>> TextsAsync(List<StoredFinding> findings, CancellationToken ct)
    {
        using var loan = advisories.Borrow();
        var (known, reports) = (new Dictionary<string, (string, IReadOnlyList<string>)>(StringComparer.Ordinal), new Dictionary<long, JsonArray>());
        var texts = new List<(string, IReadOnlyList<string>)>(findings.Count);
        foreach (var finding in findings)
        {
            if (!known.TryGetValue(finding.Vulnerability, out var text))
            {
                var detail = loan?.Database.Detail(finding.Vulnerability);
                known[finding.Vulnerability] = text = TextOf(detail) is { } desc
                    ? (desc, LinksOf(finding.Vulnerability, detail!)) : await OfReportAsync(finding, reports, ct).ConfigureAwait(false);
            }
            texts.Add(text);
        }
        return texts;
    }

    private async Task<(string Desc, IReadOnlyList<string> Links)> OfReportAsync(StoredFinding finding, Dictionary<long, JsonArray> reports, CancellationToken ct)
    {
        if (!reports.TryGetValue(finding.ManifestId, out var all))
        {
            var packed = await database.ReadAsync(finding.ManifestId, static (session, id, token) => ScanRow.ReadReportAsync(session, id, token), ct).ConfigureAwait(false);
            reports[finding.ManifestId] = all = (packed is null ? null : JsonNode.Parse(StoredReport.Unpack(packed))?["vulnerabilities"] as JsonArray) ?? [];
        }
        var one = all.OfType<JsonObject>().FirstOrDefault(found => found["id"] is JsonValue id && id.TryGetValue(out string? text) && text == finding.Vulnerability);
        return (one?["description"] is JsonValue desc && desc.TryGetValue(out string? words) ? words : "",
            [.. (one?["links"] as JsonArray ?? []).OfType<JsonValue>().Select(static link => link.TryGetValue(out string? text) ? text : "").Where(static link => link.Length > 0).Take(MaxLinks)]);
    }

    private static List<string> LinksOf(string id, VulnerabilityDetail detail) =>
        [.. new[] { PrimaryLinks.Of(id, detail.References, "") }.Concat(detail.References).Where(static link => link.Length > 0).Distinct(StringComparer.Ordinal).Take(MaxLinks)];

    private static string? TextOf(VulnerabilityDetail? detail) => detail is null ? null : detail.Description.Length > 0 ? detail.Description : detail.Title;

    private static readonly Statement SelectTags = new(
        "SELECT manifest_id, name FROM tags WHERE manifest_id IN (SELECT value FROM json_each(@0)) ORDER BY name",
        "SELECT manifest_id, name FROM tags WHERE manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint)) ORDER BY name");
}
