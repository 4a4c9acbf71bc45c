using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Projects;

/// <summary>The settings of a project one by one, as Harbor's older clients ask for them.</summary>
internal sealed class ProjectMetadataApi(Database database, DomainEvents events, TimeProvider time)
{
    private const string One = "/projects/{project_name_or_id}/metadatas/{meta_name}";
    private const string All = "/projects/{project_name_or_id}/metadatas";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ProjectMetadataApi api) =>
    [
        new(HttpMethods.Get, All, "listProjectMetadatas", "projectMetadata", ApiNeed.Project(ProjectPermissions.MetadataList), api.ListAsync)
        {
            Summary = "All settings of a project.", Answer = typeof(Dictionary<string, string>),
        },
        new(HttpMethods.Post, All, "addProjectMetadatas", "projectMetadata", ApiNeed.Project(ProjectPermissions.MetadataCreate), api.AddAsync)
        {
            Summary = "Adds one setting.", Body = typeof(Dictionary<string, string>),
        },
        new(HttpMethods.Get, One, "getProjectMetadata", "projectMetadata", ApiNeed.Project(ProjectPermissions.MetadataRead), api.GetAsync)
        {
            Summary = "One setting; an empty object when it is not set.", Answer = typeof(Dictionary<string, string>),
        },
        new(HttpMethods.Put, One, "updateProjectMetadata", "projectMetadata", ApiNeed.Project(ProjectPermissions.MetadataUpdate), api.UpdateAsync)
        {
            Summary = "Changes one setting.", Body = typeof(Dictionary<string, string>),
        },
        new(HttpMethods.Delete, One, "deleteProjectMetadata", "projectMetadata", ApiNeed.Project(ProjectPermissions.MetadataDelete), api.DeleteAsync)
        {
            Summary = "Takes one setting away.",
        },
    ];

    private Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct) => Task.FromResult(ApiResult.Ok(ShownOf(call.Project!), ProjectJsonContext.Default.DictionaryStringString));

    private Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        if (ShownOf(call.Project!).TryGetValue(call.Route("meta_name"), out var value)) found[call.Route("meta_name")] = value;
        return Task.FromResult(ApiResult.Ok(found, ProjectJsonContext.Default.DictionaryStringString));
    }

    private async Task<ApiResult> AddAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, given, refusal) = await call.ReadAsync(ProjectJsonContext.Default.DictionaryStringString, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (given.Count != 1) return ApiResult.BadRequest("only allow one key/value pair");
        var (key, value) = given.First();
        return await SetAsync(call, key, value, mustBeNew: true, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, given, refusal) = await call.ReadAsync(ProjectJsonContext.Default.DictionaryStringString, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var key = call.Route("meta_name");
        return await SetAsync(call, key, given.GetValueOrDefault(key) ?? "", mustBeNew: false, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (project, key) = (call.Project!, call.Route("meta_name"));
        // What other features keep here under names of their own is theirs to delete.
        if (!ProjectSettings.IsKnown(key)) return ApiResult.BadRequest($"invalid key: {key}");
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await ProjectMetadataRows.DeleteAsync(session, project.Id, key, Now, token).ConfigureAwait(false);
            await RaiseAsync(session, call, $"delete setting {key} of project {project.Name}", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private async Task<ApiResult> SetAsync(ApiCall call, string key, string value, bool mustBeNew, CancellationToken ct)
    {
        var project = call.Project!;
        if (!ProjectSettings.TryNormalize(key, value, out var stored, out var problem)) return ApiResult.BadRequest(problem);
        if (key is "proxy_cache_filter_pattern" or "proxy_cache_filter_kind") return ApiResult.BadRequest("can not update the normal project with proxy cache filter metadata");
        var outcome = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (mustBeNew && (key == ProjectSettings.Public || await session.ScalarAsync(SelectExists, [project.Id, key], token).ConfigureAwait(false) is not null))
                return ApiResult.Conflict($"metadata {key} already exists for project {project.Id}");
            if (!await ProjectMetadataRows.SetAsync(session, project.Id, new Dictionary<string, string> { [key] = stored }, Now, token).ConfigureAwait(false))
                return ApiResult.NotFound($"project {project.Name} not found");
            await RaiseAsync(session, call, $"set {key} of project {project.Name} to {stored}", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
        return outcome;
    }

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string description, CancellationToken ct) =>
        events.RaiseAsync(session, ProjectEvents.Of(ProjectEvents.Update, call.Project!.Id, call.Project.Name, call.Actor, description), ct);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static Dictionary<string, string> ShownOf(ProjectFacts project)
    {
        var shown = project.Metadata.Where(m => ProjectSettings.IsShown(m.Key)).ToDictionary(StringComparer.Ordinal);
        shown[ProjectSettings.Public] = project.IsPublic ? "true" : "false";
        return shown;
    }

    private static readonly Statement SelectExists = new("SELECT 1 FROM project_metadata WHERE project_id = @0 AND name = @1");
}
