using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;
using Berth.Server.Scanning.Contents;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Sboms;

/// <summary>Ours beyond Harbor: the bill of materials of an artifact in either format, and those that others attached.</summary>
internal sealed class SbomApi(Database database, ReadableArtifacts artifacts, ImageReports reports, AttachedSboms attached)
{
    private const string Tag = "sbom";

    public static IEnumerable<ApiOperation> Operations(SbomApi api) =>
    [
        new(HttpMethods.Get, ReadableArtifacts.Path + "/sbom", "downloadSbom", Tag, ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.DownloadAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Writes the bill of materials of an image, or of an index the union of its images: format spdx (SPDX 2.3) or cyclonedx (CycloneDX 1.6).",
            Query = ["format", "platform"],
        },
        new(HttpMethods.Get, ReadableArtifacts.Path + "/sboms", "listSboms", Tag, ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Lists the bills of materials of an artifact: the one that was made here, and those that are attached to it.", Answer = typeof(SbomJson), IsList = true,
        },
        new(HttpMethods.Get, ReadableArtifacts.Path + "/sboms/{digest}", "downloadAttachedSbom", Tag, ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.DownloadAttachedAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Writes an attached bill of materials, taken out of its attestation.",
        },
    ];

    private async Task<ApiResult> DownloadAsync(ApiCall call, CancellationToken ct)
    {
        if (SbomDocuments.FormatOf(call.Query("format")) is not { } format) return ApiResult.BadRequest($"format {call.Query("format")} is not known: spdx, cyclonedx");
        var (row, refusal) = await artifacts.FindAsync(call, ct).ConfigureAwait(false);
        if (row is null) return refusal!;
        var (report, missing) = await reports.ListAsync(row.Id, ReportName.Of(row), call.Query("platform"), ct).ConfigureAwait(false);
        return report is null ? ApiResult.NotFound(missing!) : Document(SbomDocuments.Write(report, format), format);
    }

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        var (artifact, refusal) = await artifacts.FindAsync(call, ct).ConfigureAwait(false);
        if (artifact is null) return refusal!;
        var (images, own, used) = await database.ReadAsync(artifact.Id, static (session, id, token) => ReadAsync(session, id, token), ct).ConfigureAwait(false);
        var found = new List<SbomJson>();
        foreach (var (id, digest) in images)
        {
            if (own.Find(one => one.ManifestId == id) is { SbomDigest: { } made } row) found.Add(Generated(digest, made, row));
            var judged = used.GetValueOrDefault(id)?.SourceDocument;
            found.AddRange((await attached.FindAsync(id, digest, ct).ConfigureAwait(false)).Select(one => Attached(digest, one, judged)));
        }
        return ApiResult.List<IReadOnlyList<SbomJson>>(found, found.Count, SbomApiJson.Default.IReadOnlyListSbomJson);
    }

    private static SbomJson Generated(string image, string manifest, SbomRow row) => new()
    {
        ImageDigest = image,
        ManifestDigest = manifest,
        Way = "generated",
        Format = Word(SbomFormat.Spdx),
        Version = "SPDX-2.3",
        Tools = [$"{BuiltInScanner.Name} {BuiltInScanner.Version}"],
        PushedAt = UtcText.Of(row.FinishedAt ?? row.RequestedAt),
        IsAboutImage = true,
    };

    private static SbomJson Attached(string image, AttachedSbom one, string? judged) => new()
    {
        ImageDigest = image,
        ManifestDigest = one.Manifest,
        Digest = one.Blob.Digest.Value,
        SizeBytes = one.Blob.Size,
        Way = one.Way,
        Wrapping = one.Envelope.Wrapping,
        Format = Word(one.Envelope.Format),
        Version = one.Envelope.Version,
        Tools = one.Envelope.Tools,
        CreatedAt = one.Envelope.CreatedAt.Length > 0 ? one.Envelope.CreatedAt : null,
        PushedAt = UtcText.Of(one.PushedAt),
        IsAboutImage = one.IsAboutImage,
        IsJudged = judged == one.Blob.Digest.Value,
    };

    private async Task<ApiResult> DownloadAttachedAsync(ApiCall call, CancellationToken ct)
    {
        var (row, refusal) = await artifacts.FindAsync(call, ct).ConfigureAwait(false);
        if (row is null) return refusal!;
        var (images, _, _) = await database.ReadAsync(row.Id, static (session, id, token) => ReadAsync(session, id, token), ct).ConfigureAwait(false);
        foreach (var (id, digest) in images)
        {
            if (await attached.FindAsync(id, digest, call.Route("digest"), ct).ConfigureAwait(false) is { } one) return Document(one.Envelope.Document, one.Envelope.Format);
        }
        return ApiResult.NotFound($"no bill of materials {call.Route("digest")} is attached to {row.Repository}@{row.Digest}");
    }

    private static ApiResult Document(byte[] document, SbomFormat format) => ApiResult.Stream(SbomDocuments.MediaTypeOf(format), async (context, token) =>
    {
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{SbomDocuments.FileNameOf(format)}\"";
        await context.Response.Body.WriteAsync(document, token).ConfigureAwait(false);
    });

    private static async ValueTask<(List<(long Id, string Digest)> Images, List<SbomRow> Own, Dictionary<long, ContentRow> Used)> ReadAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var ids = (await ScanRequests.ImagesOfAsync(session, manifestId, ct).ConfigureAwait(false)).ConvertAll(static image => image.Id);
        var rows = await ArtifactRows.ReadAsync(session, ids, ct).ConfigureAwait(false);
        return (
            rows.ConvertAll(static image => (image.Id, image.Digest)),
            await SbomOverviews.ReadRowsAsync(session, ids, ct).ConfigureAwait(false),
            await ContentRow.ReadAsync(session, ids, ct).ConfigureAwait(false));
    }

    private static string Word(SbomFormat format) => format == SbomFormat.Spdx ? "spdx" : "cyclonedx";
}

/// <summary>A bill of materials of an image.</summary>
public sealed record SbomJson
{
    /// <summary>The image.</summary>
    public required string ImageDigest { get; init; }

    /// <summary>The manifest that brings it.</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>The blob with the document, by which it can be downloaded; left out for the one that was made here.</summary>
    public string? Digest { get; init; }

    /// <summary>Size of that blob.</summary>
    public long? SizeBytes { get; init; }

    /// <summary><c>generated</c> here, or attached as <c>referrer</c>, <c>cosign-tag</c> or <c>buildkit</c>.</summary>
    public required string Way { get; init; }

    /// <summary><c>document</c>, or the attestation that it is in: <c>in-toto</c>, <c>dsse</c>, <c>sigstore-bundle</c>.</summary>
    public string? Wrapping { get; init; }

    /// <summary><c>spdx</c> or <c>cyclonedx</c>.</summary>
    public required string Format { get; init; }

    /// <summary>Version of the format.</summary>
    public required string Version { get; init; }

    /// <summary>What made it, in its own words.</summary>
    public required IReadOnlyList<string> Tools { get; init; }

    /// <summary>When it was made, in its own words.</summary>
    public string? CreatedAt { get; init; }

    /// <summary>When it came here (RFC 3339).</summary>
    public required string PushedAt { get; init; }

    /// <summary>False for an attestation that names other images only.</summary>
    public bool IsAboutImage { get; init; }

    /// <summary>Whether the last scan judged its packages.</summary>
    public bool IsJudged { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<SbomJson>))]
internal sealed partial class SbomApiJson : JsonSerializerContext;
