using System.Text.Json.Serialization;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Berth.Server.Scanning.Exceptions;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.PullGate;

/// <summary>Tells which artifacts of a project could not be pulled, by its settings or by others: nothing is changed, and nobody is kept from anything.</summary>
internal sealed class PreviewApi(Database database, GateJudge judge, ArtifactTargets targets)
{
    private const string Path = "/projects/{project_name_or_id}/pull-gate/preview";

    /// <summary>Artifacts that are looked at for one answer.</summary>
    private const int MaxLooked = 500;

    private const int Batch = 50;

    public static IEnumerable<ApiOperation> Operations(PreviewApi api) =>
    [
        new(HttpMethods.Get, Path, "previewPullGate", "pull-gate", ApiNeed.Project(ProjectPermissions.ConfigurationRead), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(PreviewJson), Query = ["severity", "unscanned", "fixable_only", "after", "limit"],
            Summary = "The artifacts that the gate for pulls is closed for, or would be with another severity (none, low, medium, high, critical), unscanned (refuse, allow) or fixable_only. "
                + "At most 500 artifacts are looked at for an answer: ask again with after while next is there.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!TryReadPolicy(call, out var policy, out var problem)) return ApiResult.BadRequest(problem);
        if (!TryReadNumber(call.Query("after"), 0, long.MaxValue, 0, out var after)) return ApiResult.BadRequest("after must be the next of the answer before");
        if (!TryReadNumber(call.Query("limit"), 1, 100, 50, out var limit)) return ApiResult.BadRequest("limit must be between 1 and 100");
        var found = new List<PreviewItemJson>();
        var looked = 0;
        long? next = after;
        while (found.Count < limit && looked < MaxLooked && next is { } from)
        {
            var batch = await database.ReadAsync((call.Project!.Id, from), static (session, q, token) => ReadBatchAsync(session, q.Id, q.from, token), ct).ConfigureAwait(false);
            next = batch.Count < Batch ? null : batch[^1].Id;
            foreach (var candidate in batch)
            {
                looked++;
                if (await JudgeAsync(call, policy, candidate, ct).ConfigureAwait(false) is not { } item) continue;
                found.Add(item);
                if (found.Count < limit) continue;
                next = candidate.Id == batch[^1].Id ? next : candidate.Id;
                break;
            }
        }
        var settings = GatePolicy.Of(call.Project!);
        return ApiResult.Ok(new PreviewJson
        {
            Mode = settings is null ? "off" : settings.Mode == GateMode.Warn ? "warn" : "enforce",
            Severity = policy.Severity,
            Unscanned = policy.RefusesUnscanned ? "refuse" : "allow",
            FixableOnly = policy.FixableOnly,
            Looked = looked,
            Next = next,
            Items = found,
        }, PreviewContext.Default.PreviewJson);
    }

    private async ValueTask<PreviewItemJson?> JudgeAsync(ApiCall call, GatePolicy policy, Candidate candidate, CancellationToken ct)
    {
        if (!ManifestReader.TryRead(candidate.Content, candidate.MediaType, out var document, out _) || !document.IsIndex && !GateImages.IsRunnable(document)) return null;
        if (!await targets.MayReadAsync(call, call.Project!, candidate.Repository, ct).ConfigureAwait(false)) return null;
        var (images, tags) = await database.ReadAsync((candidate, GateImages.LeftOut(document)), static async (session, q, token) =>
            (await GateImages.OfAsync(session, q.candidate.Repository, q.candidate.Digest, q.Item2, token).ConfigureAwait(false), await ReadTagsAsync(session, q.candidate.Id, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        var verdict = await judge.JudgeAsync(policy, images, ct).ConfigureAwait(false);
        if (verdict.IsOpen) return null;
        return new PreviewItemJson
        {
            Repository = ProjectName.WithoutProject(candidate.Repository),
            Digest = candidate.Digest,
            Tags = tags,
            Message = verdict.Sentence(tags.Count > 0 ? $"{candidate.Repository}:{tags[0]}" : $"{candidate.Repository}@{candidate.Digest}"),
            Images = [.. verdict.Refused.Take(20).Select(JsonOf)],
        };
    }

    private static RefusedImageJson JsonOf(RefusedImage image) => new()
    {
        Digest = image.Image.Digest,
        Reason = image.Reason switch { GateReason.Findings => "findings", GateReason.BeingScanned => "being_scanned", GateReason.ScanFailed => "scan_failed", _ => "not_scanned" },
        Counts = GateRules.ByWord(image.Counts),
        Worst = [.. image.Worst.Select(static one => WorstOf(one))],
    };

    private static GateFindingJson WorstOf(ReportedFinding one) => new()
    {
        Id = one.Finding.Id,
        Package = one.PackageName,
        Version = one.Finding.InstalledVersion,
        FixVersion = one.FixedVersion,
        Severity = one.Severity,
    };

    // The project's own settings, whether its gate is up or not, with what the call says instead.
    private static bool TryReadPolicy(ApiCall call, out GatePolicy policy, out string problem)
    {
        var settings = call.Project!.Metadata.Where(static one => one.Key != ProjectSettings.GateMode).ToDictionary(StringComparer.Ordinal);
        policy = GatePolicy.Read(settings)!;
        problem = "";
        if (call.Query("severity") is { Length: > 0 } severity)
        {
            if (!GatePolicy.TryRankOf(severity, out var threshold)) problem = "severity must be none, low, medium, high or critical";
            policy = policy with { Severity = severity, Threshold = threshold };
        }
        if (call.Query("unscanned") is { Length: > 0 } unscanned)
        {
            if (unscanned is not ("refuse" or "allow")) problem = "unscanned must be refuse or allow";
            policy = policy with { RefusesUnscanned = unscanned != "allow" };
        }
        if (call.Query("fixable_only").Length > 0) policy = policy with { FixableOnly = call.Flag("fixable_only") };
        return problem.Length == 0;
    }

    private static bool TryReadNumber(string text, long least, long most, long whenMissing, out long number)
    {
        number = whenMissing;
        return text.Length == 0 || long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out number) && number >= least && number <= most;
    }

    private static async ValueTask<List<Candidate>> ReadBatchAsync(DbSession session, long project, long after, CancellationToken ct)
    {
        var found = new List<Candidate>();
        await using var rows = await session.Command(SelectBatch, project, after, Batch).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(new Candidate(rows.GetInt64(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<byte[]>(4)));
        return found;
    }

    private static async ValueTask<List<string>> ReadTagsAsync(DbSession session, long manifest, CancellationToken ct)
    {
        var found = new List<string>();
        await using var rows = await session.Command(SelectTags, manifest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetString(0));
        return found;
    }

    private sealed record Candidate(long Id, string Repository, string Digest, string MediaType, byte[] Content);

    private static readonly Statement SelectBatch = new("""
        SELECT m.id, r.name, m.digest, m.media_type, m.content FROM repositories r JOIN manifests m ON m.repository_id = r.id AND m.is_listed WHERE r.project_id = @0 AND m.id > @1 ORDER BY m.id LIMIT @2
        """);

    private static readonly Statement SelectTags = new("SELECT name FROM tags WHERE manifest_id = @0 ORDER BY name LIMIT 20");
}

/// <summary>Which artifacts could not be pulled.</summary>
public sealed record PreviewJson
{
    /// <summary>What the gate of the project does now: <c>off</c>, <c>warn</c> or <c>enforce</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>Severity that was judged by.</summary>
    public required string Severity { get; init; }

    /// <summary><c>refuse</c> or <c>allow</c>.</summary>
    public required string Unscanned { get; init; }

    public required bool FixableOnly { get; init; }

    /// <summary>Artifacts that were looked at.</summary>
    public required int Looked { get; init; }

    /// <summary>Where to go on (<c>after</c>); null when all were looked at.</summary>
    public long? Next { get; init; }

    public required IReadOnlyList<PreviewItemJson> Items { get; init; }
}

/// <summary>An artifact that could not be pulled.</summary>
public sealed record PreviewItemJson
{
    /// <summary>Without the project.</summary>
    public required string Repository { get; init; }

    public required string Digest { get; init; }

    /// <summary>At most 20.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>What a client would be told.</summary>
    public required string Message { get; init; }

    /// <summary>The images that close the gate, of an index at most 20.</summary>
    public required IReadOnlyList<RefusedImageJson> Images { get; init; }
}

/// <summary>An image that closes the gate.</summary>
public sealed record RefusedImageJson
{
    public required string Digest { get; init; }

    /// <summary><c>findings</c>, <c>not_scanned</c>, <c>being_scanned</c> or <c>scan_failed</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>Findings that count, by severity.</summary>
    public required IReadOnlyDictionary<string, int> Counts { get; init; }

    /// <summary>At most 5.</summary>
    public required IReadOnlyList<GateFindingJson> Worst { get; init; }
}

/// <summary>A finding that closes the gate.</summary>
public sealed record GateFindingJson
{
    public required string Id { get; init; }

    public required string Package { get; init; }

    public required string Version { get; init; }

    public required string FixVersion { get; init; }

    public required string Severity { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PreviewJson))]
internal sealed partial class PreviewContext : JsonSerializerContext;
