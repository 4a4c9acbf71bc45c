using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Projects.Naming;

/// <summary>Reads and sets the naming policy of a project.</summary>
internal sealed class NamingApi(Database database, DomainEvents events, TimeProvider time)
{
    private const string Path = "/projects/{project_name_or_id}/naming";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(NamingApi api) =>
    [
        new(HttpMethods.Get, Path, "getNamingPolicy", "naming", ApiNeed.Project(ProjectPermissions.MetadataRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Which names repositories and tags of a project may have.", Answer = typeof(NamingPolicy),
        },
        new(HttpMethods.Put, Path, "setNamingPolicy", "naming", ApiNeed.Project(ProjectPermissions.MetadataUpdate), api.SetAsync)
        {
            Surface = ApiSurface.Berth, Body = typeof(NamingPolicy), Answer = typeof(NamingPolicy),
            Summary = "Sets which names repositories and tags of a project may have, and whether a push that breaks it is warned (mode warn) or refused (enforce).",
        },
    ];

    private Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct) =>
        Task.FromResult(ApiResult.Ok(NamingRules.PolicyOf(call.Project!.Metadata.GetValueOrDefault(NamingRules.Setting)), NamingJson.Default.NamingPolicy));

    private async Task<ApiResult> SetAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, policy, refusal) = await call.ReadAsync(NamingJson.Default.NamingPolicy, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!NamingRules.TryCreate(policy, out _, out var problems)) return ApiResult.BadRequest(string.Join("; ", problems));
        var (project, text) = (call.Project!, JsonSerializer.Serialize(policy, NamingJson.Default.NamingPolicy));
        var isSet = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var setting = new Dictionary<string, string> { [NamingRules.Setting] = text };
            if (!await ProjectMetadataRows.SetAsync(session, project.Id, setting, time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false)) return false;
            await events.RaiseAsync(
                session, ProjectEvents.Of(ProjectEvents.Update, project.Id, project.Name, call.Actor, $"set the naming policy of project {project.Name}: {text}"), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return isSet ? ApiResult.Ok(policy, NamingJson.Default.NamingPolicy) : ApiResult.NotFound($"project {project.Name} not found");
    }
}
