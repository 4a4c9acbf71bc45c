using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>Harbor's operations on artifacts as a whole: lists, details, deletion, what belongs to them.</summary>
internal sealed class ArtifactApi(
    Database database, ArtifactList lists, ArtifactAssembly assembly, ArtifactRemoval removal, ArtifactTargets targets)
{
    private const string Artifacts = "/projects/{project_name}/repositories/{repository_name}/artifacts";

    private static readonly string[] s_parts = ["with_tag", "with_label", "with_accessory", "with_immutable_status", "with_signature", "with_scan_overview", "with_sbom_overview"];

    public static IEnumerable<ApiOperation> Operations(ArtifactApi api) =>
    [
        new("GET", Artifacts, "listArtifacts", "artifact", ApiNeed.Project(ProjectPermissions.ArtifactList), api.ListAsync)
        {
            Summary = "Lists the artifacts of a repository.", Answer = typeof(ArtifactJson), IsList = true, Query = s_parts,
        },
        new("GET", "/projects/{project_name_or_id}/artifacts", "listArtifactsOfProject", "project", ApiNeed.Project(ProjectPermissions.ArtifactList), api.ListOfProjectAsync)
        {
            Summary = "Lists the artifacts of a project, or the latest of each of its repositories.", Answer = typeof(ArtifactJson), IsList = true,
            Query = [.. s_parts, "latest_in_repository"],
        },
        new("GET", Artifacts + "/{reference}", "getArtifact", "artifact", ApiNeed.Project(ProjectPermissions.ArtifactRead), api.GetAsync)
        {
            Summary = "Shows an artifact.", Answer = typeof(ArtifactJson), Query = s_parts,
        },
        new("DELETE", Artifacts + "/{reference}", "deleteArtifact", "artifact", ApiNeed.Project(ProjectPermissions.ArtifactDelete), api.DeleteAsync)
        {
            Summary = "Deletes an artifact with its tags, its untagged children and what belongs to it.",
        },
        new("GET", Artifacts + "/{reference}/accessories", "listAccessories", "artifact", ApiNeed.Project(ProjectPermissions.AccessoryList), api.ListAccessoriesAsync)
        {
            Summary = "Lists what belongs to an artifact: signatures, SBOMs.", Answer = typeof(AccessoryJson), IsList = true,
        },
    ];

    /// <summary>Repository and reference as people write them.</summary>
    public static string Shown(string repository, string reference) => repository + (Digest.TryParse(reference, out _) ? "@" : ":") + reference;

    /// <summary>The answer when a repository or a reference is not there.</summary>
    public static ApiResult NotFound(RepositoryPath? found, string repository, string reference) =>
        ApiResult.NotFound(found is null ? $"repository {repository} not found" : $"artifact {Shown(repository, reference)} not found");

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var name = RepositoryPath.NameOf(call);
        var repository = await database.ReadAsync(name, static (s, n, t) => RepositoryPath.FindAsync(s, n, t), ct).ConfigureAwait(false);
        if (repository is null) return ApiResult.NotFound($"repository {name} not found");
        return await AnswerAsync(call, await lists.ReadAsync(repository, list, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> ListOfProjectAsync(ApiCall call, CancellationToken ct)
    {
        // As Harbor: also in a public project only for those who are signed in.
        if (call.Caller.IsAnonymous) return call.Refuse();
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var page = call.Flag("latest_in_repository")
            ? await lists.ReadLatestAsync(call.Project!.Id, list, ct).ConfigureAwait(false)
            : await lists.ReadAsync(call.Project!.Id, list, ct).ConfigureAwait(false);
        return await AnswerAsync(call, page, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> AnswerAsync(ApiCall call, ArtifactPage page, CancellationToken ct)
    {
        if (page.Problem is { } problem) return ApiResult.BadRequest(problem);
        var artifacts = await assembly.ReadAsync(page.Ids, PartsOf(call), ct).ConfigureAwait(false);
        return ApiResult.List(artifacts, page.Total, ArtifactsJsonContext.Default.IReadOnlyListArtifactJson);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (repository, row) = await database.ReadAsync((name, reference), static (s, q, t) => ArtifactRows.FindAsync(s, q.name, q.reference, t), ct).ConfigureAwait(false);
        if (row is null) return NotFound(repository, name, reference);
        var artifacts = await assembly.ReadAsync([row.Id], PartsOf(call), ct).ConfigureAwait(false);
        return artifacts.Count == 0 ? NotFound(repository, name, reference) : ApiResult.Ok(artifacts[0], ArtifactsJsonContext.Default.ArtifactJson);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var request = await targets.RequestAsync(call, call.Project!, name, ProjectPermissions.RepositoryDelete, ct).ConfigureAwait(false);
        return await removal.RunAsync(request, reference, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> ListAccessoriesAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        var (repository, row, all) = await database.ReadAsync((name, reference), static async (s, q, t) =>
        {
            var (path, found) = await ArtifactRows.FindAsync(s, q.name, q.reference, t).ConfigureAwait(false);
            if (found is null) return (path, (ArtifactRow?)null, new List<AccessoryJson>());
            var accessories = await Accessories.ReadAsync(s, [found], t).ConfigureAwait(false);
            return (path, found, accessories.GetValueOrDefault(found.Id) ?? []);
        }, ct).ConfigureAwait(false);
        if (row is null) return NotFound(repository, name, reference);
        var wanted = all.Where(a => list.Filters.All(f => Matches(a, f)));
        var newestFirst = list.Sort.Any(s => s.IsDescending && ListQuery.SnakeCase(s.Key) is "id" or "creation_time");
        var sorted = newestFirst ? wanted.OrderByDescending(a => a.CreationTime, StringComparer.Ordinal).ThenByDescending(a => a.Id).ToList() : wanted.ToList();
        IReadOnlyList<AccessoryJson> page = [.. sorted.Skip((int)Math.Min(list.Page.Offset, int.MaxValue)).Take(list.Page.Size)];
        return ApiResult.List(page, sorted.Count, ArtifactsJsonContext.Default.IReadOnlyListAccessoryJson);
    }

    private static bool Matches(AccessoryJson accessory, ApiFilter filter)
    {
        var value = ListQuery.SnakeCase(filter.Key) switch
        {
            "type" => accessory.Type,
            "digest" => accessory.Digest,
            "artifact_id" => accessory.ArtifactId.ToString(),
            "id" => accessory.Id.ToString(),
            _ => null,
        };
        return value is null || filter.Kind switch
        {
            FilterKind.Exact => value == filter.Value,
            FilterKind.Fuzzy => value.Contains(filter.Value, StringComparison.OrdinalIgnoreCase),
            FilterKind.AnyOf => filter.Values.Contains(value),
            _ => true,
        };
    }

    private static ArtifactParts PartsOf(ApiCall call) =>
        new(call.Flag("with_tag", true), call.Flag("with_label"), call.Flag("with_accessory", true), call.Flag("with_immutable_status"), call.Flag("with_scan_overview"), call.Flag("with_sbom_overview"));
}
