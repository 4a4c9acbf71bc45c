using System.Globalization;
using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning;

namespace Berth.Server.Webhooks;

/// <summary>What is told of scans: that one was completed, failed or was stopped, in Harbor's form, and that an image has new findings, in ours.</summary>
/// <param name="publisher">Where events go.</param>
/// <param name="publicUrl">Address of this server for its clients; null when it is not known.</param>
internal sealed class WebhookScans(WebhookPublisher publisher, string? publicUrl)
{
    // Harbor's name for what nobody in particular asked for.
    private const string Operator = "auto";

    /// <summary>Publishes the events of a scan that has ended.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="scan">The scan.</param>
    /// <param name="repositoryOf">Reads a repository as payloads show it.</param>
    /// <param name="newEvent">Makes an event: type, actor, request, project, repository, tag, data.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask WriteAsync(
        DbSession session, ScanDetail scan, Func<DbSession, string, CancellationToken, ValueTask<(long ProjectId, WebhookRepository Repository)?>> repositoryOf,
        Func<string, string, string, long, string?, string?, WebhookData, WebhookEvent> newEvent, CancellationToken ct)
    {
        var ended = await WantsAsync(session, TypeOf(scan.End), ct).ConfigureAwait(false);
        var found = scan.NewCount > 0 && await WantsAsync(session, WebhookEventTypes.NewFindings, ct).ConfigureAwait(false);
        if (!ended && !found) return;
        if (await repositoryOf(session, scan.Repository, ct).ConfigureAwait(false) is not var (projectId, repository)) return;
        var tag = await TagAsync(session, scan.ManifestId, ct).ConfigureAwait(false);
        var data = new WebhookData
        {
            Resources = [new WebhookResource { Digest = scan.Digest, Tag = tag, ResourceUrl = UrlOf(scan, tag), ScanOverview = await OverviewAsync(session, scan.ManifestId, ct).ConfigureAwait(false) }],
            Repository = repository,
        };
        if (ended)
        {
            var told = scan.Problem is null ? data : data with { CustomAttributes = new Dictionary<string, string> { ["problem"] = scan.Problem } };
            await publisher.PublishAsync(session, newEvent(TypeOf(scan.End), Operator, "", projectId, scan.Repository, tag, told), ct).ConfigureAwait(false);
        }
        if (found)
        {
            await publisher.PublishAsync(
                session, newEvent(WebhookEventTypes.NewFindings, Operator, "", projectId, scan.Repository, tag, data with { CustomAttributes = AttributesOf(scan) }), ct).ConfigureAwait(false);
        }
    }

    private static Dictionary<string, string> AttributesOf(ScanDetail scan)
    {
        var words = new Dictionary<string, string>
        {
            ["new_findings"] = scan.NewCount.ToString(CultureInfo.InvariantCulture),
            // The worst come first: those that are not named are not worse.
            ["vulnerabilities"] = string.Join(", ", scan.New.Select(static one => one.Vulnerability).Distinct(StringComparer.Ordinal)),
            ["packages"] = string.Join(", ", scan.New.Select(static one => $"{one.Package} {one.Version}").Distinct(StringComparer.Ordinal)),
            ["cause"] = scan.IsRejudged ? "advisories" : "scan",
        };
        foreach (var severity in scan.New.GroupBy(static one => one.Severity, StringComparer.Ordinal))
            words[$"new_{severity.Key.ToLowerInvariant()}"] = severity.Count().ToString(CultureInfo.InvariantCulture);
        return words;
    }

    private static string TypeOf(ScanEnd end) => end switch
    {
        ScanEnd.Failed => WebhookEventTypes.ScanningFailed,
        ScanEnd.Stopped => WebhookEventTypes.ScanningStopped,
        _ => WebhookEventTypes.ScanningCompleted,
    };

    private async ValueTask<bool> WantsAsync(DbSession session, string type, CancellationToken ct) =>
        publisher.MayWant(type) && await publisher.WantsAsync(session, type, ct).ConfigureAwait(false);

    private string UrlOf(ScanDetail scan, string? tag)
    {
        var name = tag is null ? $"{scan.Repository}@{scan.Digest}" : $"{scan.Repository}:{tag}";
        return Uri.TryCreate(publicUrl, UriKind.Absolute, out var url) ? $"{url.Authority}/{name}" : name;
    }

    private static async ValueTask<string?> TagAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        await using var row = await session.Command(SelectTag, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? row.GetString(0) : null;
    }

    private static async ValueTask<JsonElement?> OverviewAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        if (await ScanOverviews.ReadOneAsync(session, manifestId, ct).ConfigureAwait(false) is not { } overview) return null;
        using var document = JsonDocument.Parse(overview);
        return document.RootElement.Clone();
    }

    private static readonly Statement SelectTag = new("SELECT name FROM tags WHERE manifest_id = @0 ORDER BY name LIMIT 1");
}
