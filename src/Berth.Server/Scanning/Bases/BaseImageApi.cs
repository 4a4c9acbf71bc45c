using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Contents;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Bases;

/// <summary>Ours beyond Harbor: what an image is built on, and what is built on it.</summary>
internal sealed class BaseImageApi(Database database, ReadableArtifacts artifacts, BaseImages bases)
{
    private const int MaxShown = 20;

    public static IEnumerable<ApiOperation> Operations(BaseImageApi api) =>
    [
        new(HttpMethods.Get, ReadableArtifacts.Path + "/base-image", "getBaseImage", "scan", ApiNeed.Project(ProjectPermissions.ArtifactRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Shows which stored images an image is built on, what it says of its base itself, and which images are built on it.", Answer = typeof(ArtifactBasesJson),
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (artifact, refusal) = await artifacts.FindAsync(call, ct).ConfigureAwait(false);
        if (artifact is null) return refusal!;
        var ids = await database.ReadAsync(artifact.Id, static (session, id, token) => ScanRequests.ImagesOfAsync(session, id, token), ct).ConfigureAwait(false);
        var readable = new Dictionary<string, bool>(StringComparer.Ordinal);
        var images = new List<BaseOfImageJson>(ids.Count);
        foreach (var (id, _) in ids)
        {
            await bases.CatchUpAsync(id, ct).ConfigureAwait(false);
            var (row, digest, below, above) = await database.ReadAsync(id, static async (session, image, token) => (
                (await ContentRow.ReadAsync(session, [image], token).ConfigureAwait(false)).GetValueOrDefault(image),
                (await Artifacts.ArtifactRows.ReadAsync(session, [image], token).ConfigureAwait(false)).Find(_ => true)?.Digest,
                await BaseImages.FindAsync(session, image, token).ConfigureAwait(false),
                await BaseImages.FindDerivedAsync(session, image, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
            if (digest is null) continue;
            images.Add(new BaseOfImageJson
            {
                Digest = digest,
                Platform = row?.Platform,
                StatedName = row?.BaseName,
                StatedDigest = row?.BaseDigest,
                Bases = await ShownAsync(call, below, readable, ct).ConfigureAwait(false),
                Derived = await ShownAsync(call, above, readable, ct).ConfigureAwait(false),
            });
        }
        return ApiResult.Ok(new ArtifactBasesJson { Images = images }, BaseImageApiJson.Default.ArtifactBasesJson);
    }

    private async Task<IReadOnlyList<BaseImageJson>> ShownAsync(ApiCall call, List<BaseCandidate> candidates, Dictionary<string, bool> readable, CancellationToken ct)
    {
        var shown = new List<BaseImageJson>();
        foreach (var one in candidates)
        {
            if (!readable.TryGetValue(one.Repository, out var may)) readable[one.Repository] = may = await artifacts.MayReadAsync(call, one.Repository, ct).ConfigureAwait(false);
            if (may) shown.Add(new BaseImageJson { Repository = one.Repository, Digest = one.Digest, Layers = one.Layers, Tags = one.Tags });
            if (shown.Count == MaxShown) break;
        }
        return shown;
    }
}

/// <summary>Base images of an artifact's images.</summary>
public sealed record ArtifactBasesJson
{
    /// <summary>The image itself, or those of an index.</summary>
    public required IReadOnlyList<BaseOfImageJson> Images { get; init; }
}

/// <summary>What one image is built on.</summary>
public sealed record BaseOfImageJson
{
    public required string Digest { get; init; }

    /// <summary><c>os/architecture[/variant]</c>; left out before the first scan.</summary>
    public string? Platform { get; init; }

    /// <summary><c>org.opencontainers.image.base.name</c>, as of the last scan.</summary>
    public string? StatedName { get; init; }

    /// <summary><c>org.opencontainers.image.base.digest</c>, as of the last scan.</summary>
    public string? StatedDigest { get; init; }

    /// <summary>Stored images whose layers are its lowest ones, those with the most layers first.</summary>
    public required IReadOnlyList<BaseImageJson> Bases { get; init; }

    /// <summary>Stored images that are built on it, the newest first.</summary>
    public required IReadOnlyList<BaseImageJson> Derived { get; init; }
}

/// <summary>A stored image that the caller may read.</summary>
public sealed record BaseImageJson
{
    public required string Repository { get; init; }

    public required string Digest { get; init; }

    /// <summary>How many layers it has.</summary>
    public int Layers { get; init; }

    /// <summary>Tags of it and of indexes that list it.</summary>
    public required IReadOnlyList<string> Tags { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ArtifactBasesJson))]
internal sealed partial class BaseImageApiJson : JsonSerializerContext;
