using Berth.Server.Access;
using Berth.Server.Api;

namespace Berth.Server.Administration;

/// <summary>
/// Harbor's operations that Berth does not have yet. They answer 501 with the envelope to those who could call them, so that a client can tell "not there" from
/// "not allowed" and from a wrong path. A test holds this table and the operations of the features together against the list of all of Harbor's.
/// </summary>
internal static class LaterOperations
{
    /// <summary>All of them, by tag as Harbor has them.</summary>
    public static IReadOnlyList<ApiOperation> All { get; } =
    [
        Of("GET", "/p2p/preheat/instances", "ListInstances", "preheat", ApiNeed.System(SystemPermissions.PreheatInstanceList)),
        Of("POST", "/p2p/preheat/instances", "CreateInstance", "preheat", ApiNeed.System(SystemPermissions.PreheatInstanceCreate)),
        Of("POST", "/p2p/preheat/instances/ping", "PingInstances", "preheat", ApiNeed.System(SystemPermissions.PreheatInstanceRead)),
        Of("DELETE", "/p2p/preheat/instances/{preheat_instance_name}", "DeleteInstance", "preheat", ApiNeed.System(SystemPermissions.PreheatInstanceDelete)),
        Of("GET", "/p2p/preheat/instances/{preheat_instance_name}", "GetInstance", "preheat", ApiNeed.System(SystemPermissions.PreheatInstanceRead)),
        Of("PUT", "/p2p/preheat/instances/{preheat_instance_name}", "UpdateInstance", "preheat", ApiNeed.System(SystemPermissions.PreheatInstanceUpdate)),
        Of("GET", "/p2p/preheat/providers", "ListProviders", "preheat", ApiNeed.System(SystemPermissions.PreheatInstanceList)),
        Of("GET", "/projects/{project_name}/preheat/policies", "ListPolicies", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyList)),
        Of("POST", "/projects/{project_name}/preheat/policies", "CreatePolicy", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyCreate)),
        Of("DELETE", "/projects/{project_name}/preheat/policies/{preheat_policy_name}", "DeletePolicy", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyDelete)),
        Of("GET", "/projects/{project_name}/preheat/policies/{preheat_policy_name}", "GetPolicy", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyRead)),
        Of("POST", "/projects/{project_name}/preheat/policies/{preheat_policy_name}", "ManualPreheat", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyUpdate)),
        Of("PUT", "/projects/{project_name}/preheat/policies/{preheat_policy_name}", "UpdatePolicy", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyUpdate)),
        Of("GET", "/projects/{project_name}/preheat/policies/{preheat_policy_name}/executions", "ListExecutions", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyList)),
        Of("GET", "/projects/{project_name}/preheat/policies/{preheat_policy_name}/executions/{execution_id}", "GetExecution", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyRead)),
        Of("PATCH", "/projects/{project_name}/preheat/policies/{preheat_policy_name}/executions/{execution_id}", "StopExecution", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyUpdate)),
        Of("GET", "/projects/{project_name}/preheat/policies/{preheat_policy_name}/executions/{execution_id}/tasks", "ListTasks", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyList)),
        Of("GET", "/projects/{project_name}/preheat/policies/{preheat_policy_name}/executions/{execution_id}/tasks/{task_id}/logs", "GetPreheatLog", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyRead)),
        Of("GET", "/projects/{project_name}/preheat/providers", "ListProvidersUnderProject", "preheat", ApiNeed.Project(ProjectPermissions.PreheatPolicyRead)),
        Of("GET", "/registries", "listRegistries", "registry", ApiNeed.System(SystemPermissions.RegistryList)),
        Of("POST", "/registries", "createRegistry", "registry", ApiNeed.System(SystemPermissions.RegistryCreate)),
        Of("POST", "/registries/ping", "pingRegistry", "registry", ApiNeed.System(SystemPermissions.RegistryRead)),
        Of("DELETE", "/registries/{id}", "deleteRegistry", "registry", ApiNeed.System(SystemPermissions.RegistryDelete)),
        Of("GET", "/registries/{id}", "getRegistry", "registry", ApiNeed.System(SystemPermissions.RegistryRead)),
        Of("PUT", "/registries/{id}", "updateRegistry", "registry", ApiNeed.System(SystemPermissions.RegistryUpdate)),
        Of("GET", "/registries/{id}/info", "getRegistryInfo", "registry", ApiNeed.System(SystemPermissions.RegistryRead)),
        Of("GET", "/replication/adapterinfos", "listRegistryProviderInfos", "registry", ApiNeed.System(SystemPermissions.ReplicationAdapterList)),
        Of("GET", "/replication/adapters", "listRegistryProviderTypes", "registry", ApiNeed.System(SystemPermissions.ReplicationAdapterList)),
        Of("GET", "/replication/executions", "listReplicationExecutions", "replication", ApiNeed.System(SystemPermissions.ReplicationList)),
        Of("POST", "/replication/executions", "startReplication", "replication", ApiNeed.System(SystemPermissions.ReplicationCreate)),
        Of("GET", "/replication/executions/{id}", "getReplicationExecution", "replication", ApiNeed.System(SystemPermissions.ReplicationRead)),
        Of("PUT", "/replication/executions/{id}", "stopReplication", "replication", ApiNeed.System(SystemPermissions.ReplicationCreate)),
        Of("GET", "/replication/executions/{id}/tasks", "listReplicationTasks", "replication", ApiNeed.System(SystemPermissions.ReplicationList)),
        Of("GET", "/replication/executions/{id}/tasks/{task_id}/log", "getReplicationLog", "replication", ApiNeed.System(SystemPermissions.ReplicationRead)),
        Of("GET", "/replication/policies", "listReplicationPolicies", "replication", ApiNeed.System(SystemPermissions.ReplicationPolicyList)),
        Of("POST", "/replication/policies", "createReplicationPolicy", "replication", ApiNeed.System(SystemPermissions.ReplicationPolicyCreate)),
        Of("DELETE", "/replication/policies/{id}", "deleteReplicationPolicy", "replication", ApiNeed.System(SystemPermissions.ReplicationPolicyDelete)),
        Of("GET", "/replication/policies/{id}", "getReplicationPolicy", "replication", ApiNeed.System(SystemPermissions.ReplicationPolicyRead)),
        Of("PUT", "/replication/policies/{id}", "updateReplicationPolicy", "replication", ApiNeed.System(SystemPermissions.ReplicationPolicyUpdate)),
    ];

    private static ApiOperation Of(string method, string path, string id, string tag, ApiNeed need) =>
        new(method, path, id, tag, need, NotYetAsync) { Summary = "Not there yet: answers 501" };

    private static Task<ApiResult> NotYetAsync(ApiCall call, CancellationToken ct) =>
        Task.FromResult(ApiResult.Fail(ApiError.NotImplemented, $"{call.Operation.Id} is not implemented yet"));
}
