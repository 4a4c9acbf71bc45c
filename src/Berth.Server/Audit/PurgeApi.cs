using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Audit;

/// <summary>Harbor's operations on the purge of the audit log.</summary>
internal sealed class PurgeApi(Database database, JobQueue queue, JobSchedules schedules, DomainEvents events, TimeProvider time)
    : RunsApi<PurgePolicy>(s_kind, PurgeJson.Default.PurgePolicy, database, queue, schedules, events, time)
{
    private static readonly RunsKind s_kind = new(
        PurgeJob.JobKind, "purge", "/system/purgeaudit", "purge_id", "purge", "purge of the audit log", "purge_audit", "audit log");

    internal static IEnumerable<ApiOperation> Operations(PurgeApi api) => api.OperationsBelow("/system/purgeaudit", "Purge", "PurgeJob", new RunsRights(
        SystemPermissions.PurgeAuditList, SystemPermissions.PurgeAuditRead, SystemPermissions.PurgeAuditCreate, SystemPermissions.PurgeAuditUpdate, SystemPermissions.PurgeAuditStop));

    protected override string? TryRead(IReadOnlyDictionary<string, JsonElement>? parameters, out PurgePolicy policy) => PurgePolicy.TryRead(parameters, out policy);

    protected override string ParametersOf(PurgePolicy policy, string? result) => JsonSerializer.Serialize(policy with { ScheduleType = null }, PurgeJson.Default.PurgePolicy);
}
