using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>
/// What more there is to read of an artifact: the build history of an image, values, readme and dependencies of a chart, files, readme and licence of a model, an SBOM.
/// All of it comes from blobs that anybody with push rights wrote: everything is bounded, and what cannot be read is an answer, not an error of the server.
/// </summary>
internal sealed class ArtifactAdditions(Database database, BlobBytes blobs, ArtifactDetails details, ArtifactTargets targets)
{
    private const int MaxTextBytes = 4 * 1024 * 1024;
    private const long MaxChartBytes = 32L << 20;
    private const long MaxSbomBytes = 64L << 20;

    private static readonly string[] s_filePath = ["org.cncf.model.filepath", "org.cnai.model.filepath"];

    public static IEnumerable<ApiOperation> Operations(ArtifactAdditions api) =>
    [
        new("GET", "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/{addition}", "getAddition", "artifact",
            ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.GetAsync)
        {
            Summary = "Shows an addition of an artifact: build_history, values.yaml, readme.md, dependencies, files, license or sbom.",
        },
    ];

    /// <summary>Links to the additions of an artifact; null when it has none.</summary>
    public static IReadOnlyDictionary<string, AdditionLinkJson>? LinksOf(ArtifactRow row)
    {
        var names = NamesOf(row);
        if (names.Length == 0) return null;
        var slash = row.Repository.IndexOf('/', StringComparison.Ordinal);
        var repository = row.Repository[(slash + 1)..].Replace("/", "%252F", StringComparison.Ordinal);
        return names.ToDictionary(
            name => name,
            name => new AdditionLinkJson($"/api/v2.0/projects/{row.Repository[..Math.Max(slash, 0)]}/repositories/{repository}/artifacts/{row.Digest}/additions/{name}", false),
            StringComparer.Ordinal);
    }

    private static string[] NamesOf(ArtifactRow row) => row.Kind switch
    {
        ArtifactKinds.Image when !row.IsIndex => ["build_history"],
        ArtifactKinds.Wasm when !row.IsIndex => ["build_history"],
        ArtifactKinds.Chart => ["values.yaml", "readme.md", "dependencies"],
        ArtifactKinds.Model => ["readme.md", "license", "files"],
        _ => [],
    };

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var repository = RepositoryPath.NameOf(call);
        if (!await targets.MayReadAsync(call, call.Project!, repository, ct).ConfigureAwait(false)) return call.Refuse();
        var reference = call.Route("reference");
        var (_, row) = await database.ReadAsync((repository, reference), static (s, q, t) => ArtifactRows.FindAsync(s, q.repository, q.reference, t), ct).ConfigureAwait(false);
        if (row is null) return ApiResult.NotFound($"artifact {ArtifactApi.Shown(repository, reference)} not found");
        var content = await database.ReadAsync(row.Id, static (s, id, t) => ArtifactRows.ReadContentAsync(s, id, t), ct).ConfigureAwait(false);
        if (content is null || !ManifestReader.TryRead(content.Value.Content, content.Value.MediaType, out var manifest, out _))
            return ApiResult.NotFound($"artifact {ArtifactApi.Shown(repository, reference)} not found");
        var name = call.Route("addition").ToLowerInvariant();
        if (row.Kind == ArtifactKinds.Sbom) return await SbomAsync(manifest, ct).ConfigureAwait(false);
        if (!NamesOf(row).Contains(name)) return ApiResult.BadRequest($"addition {name.ToUpperInvariant()} isn't supported for {row.Kind}");
        try
        {
            return row.Kind switch
            {
                ArtifactKinds.Chart when name == "dependencies" => await PartOfConfigAsync(manifest, "dependencies", "[]", ct).ConfigureAwait(false),
                ArtifactKinds.Chart => await ChartFileAsync(manifest, name, ct).ConfigureAwait(false),
                ArtifactKinds.Model when name == "files" => Files(content.Value.Content),
                ArtifactKinds.Model => await ModelTextAsync(content.Value.Content, name, ct).ConfigureAwait(false),
                _ => await PartOfConfigAsync(manifest, "history", "null", ct).ConfigureAwait(false),
            };
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return ApiResult.Fail(ApiError.Unprocessable, $"the content of the artifact cannot be read: {e.Message}");
        }
    }

    private async Task<ApiResult> PartOfConfigAsync(ManifestDocument manifest, string name, string whenMissing, CancellationToken ct)
    {
        using var config = await details.ReadConfigAsync(manifest, ct).ConfigureAwait(false);
        var text = whenMissing;
        if (config is not null && config.RootElement.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Array) text = part.GetRawText();
        return ApiResult.Text(text, "application/json; charset=utf-8");
    }

    // A chart is one gzipped archive with one folder.
    private async Task<ApiResult> ChartFileAsync(ManifestDocument manifest, string name, CancellationToken ct)
    {
        var text = "";
        var layer = manifest.Layers.FirstOrDefault(l => l.MediaType.EndsWith("chart.content.v1.tar+gzip", StringComparison.Ordinal)) ?? (manifest.Layers.Count > 0 ? manifest.Layers[0] : null);
        if (layer is not null && await blobs.OpenAsync(layer.Digest, ct).ConfigureAwait(false) is { } blob)
        {
            await using var packed = new BlobStream(blob, MaxChartBytes);
            await using var archive = new GZipStream(packed, CompressionMode.Decompress);
            await TarEntries.ReadAsync(archive, path => IsOfChart(path, name), MaxTextBytes, (_, bytes) =>
            {
                text = Encoding.UTF8.GetString(bytes);
                return false;
            }, ct).ConfigureAwait(false);
        }
        return ApiResult.Text(text, name == "readme.md" ? "text/markdown; charset=utf-8" : "text/plain; charset=utf-8");
    }

    private static bool IsOfChart(string path, string name)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && path.AsSpan(slash + 1).Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<ApiResult> SbomAsync(ManifestDocument manifest, CancellationToken ct)
    {
        if (manifest.Layers is not [var layer] || layer.Size > MaxSbomBytes) return ApiResult.NotFound("The sbom is not found");
        if (await blobs.OpenAsync(layer.Digest, ct).ConfigureAwait(false) is not { } blob) return ApiResult.NotFound("The sbom is not found");
        return ApiResult.Stream("application/vnd.goharbor.harbor.sbom.v1", async (context, token) =>
        {
            await using var stream = new BlobStream(blob, MaxSbomBytes);
            await stream.CopyToAsync(context.Response.Body, token).ConfigureAwait(false);
        });
    }

    // The model specification's layers of documents: plain, or in an archive.
    private async Task<ApiResult> ModelTextAsync(byte[] manifest, string name, CancellationToken ct)
    {
        string[] wanted = name == "license" ? ["LICENSE", "LICENSE.txt"] : ["README", "README.md"];
        using var document = JsonDocument.Parse(manifest);
        foreach (var layer in LayersOf(document.RootElement))
        {
            var type = layer.TryGetProperty("mediaType", out var mediaType) ? mediaType.GetString() ?? "" : "";
            if (!type.Contains(".model.doc.v1.", StringComparison.Ordinal) || !wanted.Contains(PathOf(layer))) continue;
            if (layer.GetProperty("size").GetInt64() > MaxTextBytes) return ApiResult.Fail(ApiError.TooLarge, $"the file has more than {MaxTextBytes} bytes");
            var text = await ReadTextAsync(Digest.Parse(layer.GetProperty("digest").GetString()!), type.EndsWith(".tar", StringComparison.Ordinal), ct).ConfigureAwait(false);
            return ApiResult.Text(text, name == "license" ? "text/plain; charset=utf-8" : "text/markdown; charset=utf-8");
        }
        return ApiResult.NotFound($"{name} layer not found");
    }

    private async Task<string> ReadTextAsync(Digest digest, bool isArchive, CancellationToken ct)
    {
        if (await blobs.OpenAsync(digest, ct).ConfigureAwait(false) is not { } blob) throw new InvalidDataException("its bytes are missing");
        await using var stream = new BlobStream(blob, MaxTextBytes + 1024 * 1024);
        if (!isArchive)
        {
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return await reader.ReadToEndAsync(ct).ConfigureAwait(false);
        }
        var text = new StringBuilder();
        await TarEntries.ReadAsync(stream, _ => true, MaxTextBytes, (_, bytes) =>
        {
            text.Append(Encoding.UTF8.GetString(bytes));
            return text.Length <= MaxTextBytes;
        }, ct).ConfigureAwait(false);
        return text.ToString();
    }

    private static ApiResult Files(byte[] manifest)
    {
        var files = new List<(string Path, long Size)>();
        using var document = JsonDocument.Parse(manifest);
        foreach (var layer in LayersOf(document.RootElement))
        {
            if (PathOf(layer) is { Length: > 0 } path) files.Add((path, layer.GetProperty("size").GetInt64()));
        }
        return ApiResult.Ok(ModelFiles.Tree(files), ArtifactsJsonContext.Default.IReadOnlyListModelFileJson);
    }

    private static IEnumerable<JsonElement> LayersOf(JsonElement manifest) =>
        manifest.TryGetProperty("layers", out var layers) && layers.ValueKind == JsonValueKind.Array ? layers.EnumerateArray() : [];

    private static string PathOf(JsonElement layer)
    {
        if (!layer.TryGetProperty("annotations", out var annotations) || annotations.ValueKind != JsonValueKind.Object) return "";
        foreach (var key in s_filePath)
        {
            if (annotations.TryGetProperty(key, out var path) && path.ValueKind == JsonValueKind.String) return path.GetString()!;
        }
        return "";
    }
}
