using Berth.Scanner.Exceptions;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Exceptions;
using Berth.Server.Scanning.Findings;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Scanning;

/// <summary>What was found in images, from the reports of their last good scans: what several have stands once.</summary>
internal static class ImageFindings
{
    /// <summary>The findings of images whose reader was found to be allowed, each with what exceptions say of it now.</summary>
    public static async Task<IReadOnlyList<FindingLine>> ReadAsync(IServiceProvider services, IReadOnlyList<(long Id, string Digest)> images, CancellationToken ct)
    {
        var (reports, rows) = await services.GetRequiredService<Database>().ReadAsync(images, static async (session, all, token) =>
        {
            var found = new List<(long Id, string Digest, byte[] Report)>();
            foreach (var (id, digest) in all)
                if (await ScanRow.ReadReportAsync(session, id, token).ConfigureAwait(false) is { } report) found.Add((id, digest, report));
            var filter = new FindingFilter { Manifests = [.. all.Select(static image => image.Id)] };
            return (found, await FindingsQuery.ReadAsync(session, filter, FindingsQuery.MaxLimit, 0, token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        // Rows know since when, and whether it came with the base image; the report has texts and links.
        var known = rows.GroupBy(static row => (row.ManifestId, row.Vulnerability, row.Package, row.Version)).ToDictionary(static same => same.Key, static same => same.First());
        var union = new Dictionary<(string, string, string), (FindingLine Line, List<string> Images)>();
        foreach (var (id, digest, report) in reports)
        {
            foreach (var one in await OfAsync(services, id, StoredReport.Unpack(report), ct).ConfigureAwait(false))
            {
                var line = known.TryGetValue((id, one.Id, one.Package, one.Version), out var row) ? one with { FirstSeen = row.FirstSeen, IsFromBase = row.FromBase, Path = row.Path ?? one.Path } : one;
                var key = (line.Id, line.Package, line.Version);
                if (!union.TryGetValue(key, out var other))
                {
                    union.Add(key, (line, [digest]));
                    continue;
                }
                if (other.Images[^1] != digest) other.Images.Add(digest);
                // It counts when it does in one of the images.
                if (other.Line.Suppression is not null && line.Suppression is null) union[key] = (line, other.Images);
            }
        }
        return [.. union.Values.Select(static one => one.Line with { Images = one.Images })];
    }

    private static async ValueTask<IEnumerable<FindingLine>> OfAsync(IServiceProvider services, long image, string report, CancellationToken ct)
    {
        var lines = FindingLine.Read(report);
        if (await services.GetRequiredService<ScanExceptions>().OfManifestAsync(image, withUntrusted: false, ct).ConfigureAwait(false) is { IsEmpty: false } held)
        {
            var findings = ReportedFindings.Read(report);
            held = held.For(findings);
            for (var i = 0; i < lines.Count; i++)
            {
                var suppression = held.Find(findings[i].Finding);
                lines[i] = lines[i] with { Suppression = JsonOf(suppression), Expired = suppression is null ? JsonOf(held.FindExpired(findings[i].Finding)) : null };
            }
        }
        return lines.Where(static line => line.Id.Length > 0);
    }

    private static SuppressionJson? JsonOf(Suppression? found) => found is null ? null : new SuppressionJson
    {
        Source = found.Source,
        Status = found.Status.Word(),
        Reason = found.Reason,
        ExpiresAt = ApiTime.Text(found.ExpiresAt?.ToUnixTimeMilliseconds()),
    };
}
