using System.Text.Json.Serialization;
using Berth.Scanner.Advisories;
using Berth.Scanner.Scan;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Contents;

/// <summary>Ours beyond Harbor: secrets and problems of the configuration, and whole reports to download in the forms that other tools read.</summary>
internal sealed class ContentsApi(Database database, ReadableArtifacts artifacts, ImageReports reports)
{
    private const string Tag = "scan";

    public static IEnumerable<ApiOperation> Operations(ContentsApi api) =>
    [
        new(HttpMethods.Get, ReadableArtifacts.Path + "/problems", "getProblems", Tag, ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.ProblemsAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Shows the secrets, masked, and the problems of the configuration that the last scan found.", Answer = typeof(ProblemsJson),
        },
        new(HttpMethods.Get, ReadableArtifacts.Path + "/report", "downloadReport", Tag, ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.ReportAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Writes the report of an image, or of an index the union of its images: format json (Trivy's), sarif, table, cyclonedx or spdx-json.",
            Query = ["format", "platform", "list_all_pkgs"],
        },
    ];

    private async Task<ApiResult> ProblemsAsync(ApiCall call, CancellationToken ct)
    {
        var (artifact, refusal) = await artifacts.FindAsync(call, ct).ConfigureAwait(false);
        if (artifact is null) return refusal!;
        var images = await database.ReadAsync(artifact.Id, static async ValueTask<List<ImageProblemsJson>> (session, id, token) =>
        {
            var ids = (await ScanRequests.ImagesOfAsync(session, id, token).ConfigureAwait(false)).ConvertAll(static image => image.Id);
            var rows = await ContentRow.ReadAsync(session, ids, token).ConfigureAwait(false);
            var found = new List<ImageProblemsJson>();
            foreach (var image in await ArtifactRows.ReadAsync(session, ids, token).ConfigureAwait(false))
            {
                if (rows.TryGetValue(image.Id, out var row)) found.Add(Of(image.Digest, row, await ContentRow.ReadProblemsAsync(session, image.Id, token).ConfigureAwait(false)));
            }
            return found;
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok(
            new ProblemsJson { Secrets = images.Sum(static one => one.Secrets.Count), Misconfigurations = images.Sum(static one => one.Misconfigurations.Count), Images = images },
            ContentsApiJson.Default.ProblemsJson);
    }

    private async Task<ApiResult> ReportAsync(ApiCall call, CancellationToken ct)
    {
        var word = call.Query("format") is { Length: > 0 } given ? given : "json";
        if (!ScanOutput.Words.TryGetValue(word, out var format) || TypeOf(format) is not { } type) return ApiResult.BadRequest($"format {word} is not known: json, sarif, table, cyclonedx, spdx-json");
        var (artifact, refusal) = await artifacts.FindAsync(call, ct).ConfigureAwait(false);
        if (artifact is null) return refusal!;
        var (report, missing) = await reports.JudgeAsync(artifact.Id, ReportName.Of(artifact), call.Query("platform"), ct).ConfigureAwait(false);
        if (report is null) return ApiResult.NotFound(missing!);
        using var buffer = new MemoryStream();
        ScanOutput.Write(buffer, report, format, call.Flag("list_all_pkgs"), showSuppressed: true);
        var body = buffer.ToArray();
        return ApiResult.Stream(type, async (context, token) => await context.Response.Body.WriteAsync(body, token).ConfigureAwait(false));
    }

    private static string? TypeOf(ScanFormat format) => format switch
    {
        ScanFormat.Json => "application/json; charset=utf-8",
        ScanFormat.Sarif => "application/sarif+json",
        ScanFormat.Table => "text/plain; charset=utf-8",
        ScanFormat.CycloneDx => "application/vnd.cyclonedx+json",
        ScanFormat.SpdxJson => "application/spdx+json",
        _ => null,
    };

    private static ImageProblemsJson Of(string digest, ContentRow row, StoredProblems problems) => new()
    {
        Digest = digest,
        Platform = row.Platform,
        ScannedAt = UtcText.Of(row.ScannedAt),
        SecretsLookedFor = row.Secrets is not null,
        ConfigurationChecked = row.Misconfigurations is not null,
        PackageSource = row.SourceDocument ?? "layers",
        Secrets =
        [
            .. problems.Secrets.Select(static one => new SecretJson
            {
                RuleId = one.RuleId, Category = one.Category, Title = one.Title, Severity = one.Severity.Word(), Path = one.Path, StartLine = one.StartLine, EndLine = one.EndLine, Match = one.Match,
                Layer = one.Layer.Length > 0 ? one.Layer : null,
            }),
        ],
        Misconfigurations =
        [
            .. problems.Problems.Select(static one => new MisconfigurationJson { Id = one.Id, Title = one.Title, Severity = one.Severity.Word(), Message = one.Message, Resolution = one.Resolution }),
        ],
    };
}

/// <summary>Secrets and problems of the configuration of an artifact.</summary>
public sealed record ProblemsJson
{
    /// <summary>Secrets of all images.</summary>
    public int Secrets { get; init; }

    /// <summary>Problems of the configuration of all images.</summary>
    public int Misconfigurations { get; init; }

    /// <summary>Images that were scanned: the artifact itself, or those of an index.</summary>
    public required IReadOnlyList<ImageProblemsJson> Images { get; init; }
}

/// <summary>Those of one image.</summary>
public sealed record ImageProblemsJson
{
    public required string Digest { get; init; }

    /// <summary><c>os/architecture[/variant]</c>.</summary>
    public string? Platform { get; init; }

    /// <summary>RFC 3339.</summary>
    public required string ScannedAt { get; init; }

    /// <summary>Whether the scan looked for secrets.</summary>
    public bool SecretsLookedFor { get; init; }

    /// <summary>Whether the scan checked the configuration.</summary>
    public bool ConfigurationChecked { get; init; }

    /// <summary>Where the packages that were judged are from: <c>layers</c>, or the blob of the attached bill of materials.</summary>
    public required string PackageSource { get; init; }

    public required IReadOnlyList<SecretJson> Secrets { get; init; }

    public required IReadOnlyList<MisconfigurationJson> Misconfigurations { get; init; }
}

/// <summary>A secret; it is itself nowhere in it.</summary>
public sealed record SecretJson
{
    public required string RuleId { get; init; }

    public required string Category { get; init; }

    public required string Title { get; init; }

    public required string Severity { get; init; }

    /// <summary>File in the layer; <c>config.json</c> for the configuration.</summary>
    public required string Path { get; init; }

    public int StartLine { get; init; }

    public int EndLine { get; init; }

    /// <summary>The line with the secret as stars.</summary>
    public required string Match { get; init; }

    /// <summary>Diff id of the layer; left out for the configuration.</summary>
    public string? Layer { get; init; }
}

/// <summary>A problem of the configuration.</summary>
public sealed record MisconfigurationJson
{
    public required string Id { get; init; }

    public required string Title { get; init; }

    public required string Severity { get; init; }

    public required string Message { get; init; }

    public required string Resolution { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProblemsJson))]
internal sealed partial class ContentsApiJson : JsonSerializerContext;
