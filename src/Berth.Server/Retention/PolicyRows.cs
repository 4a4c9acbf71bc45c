using System.Data.Common;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;
using Berth.Server.Retention.Dialects;

namespace Berth.Server.Retention;

/// <summary>The rows of <c>retention_policies</c>, with the schedule of each.</summary>
internal static class PolicyRows
{
    /// <summary>Key of a policy's schedule and jobs.</summary>
    public static string VendorKey(long id) => $"retention:{id}";

    /// <summary>A policy by its number.</summary>
    public static ValueTask<RetentionPolicy?> FindAsync(DbSession session, long id, CancellationToken ct) => ReadOneAsync(session.Command(SelectById, id), ct);

    /// <summary>The policy of exactly a level: null project for the registry, empty repository for the project.</summary>
    public static ValueTask<RetentionPolicy?> FindAsync(DbSession session, long? projectId, string repository, CancellationToken ct) =>
        ReadOneAsync(projectId is null ? session.Command(SelectOfRegistry) : session.Command(SelectOfLevel, projectId, repository), ct);

    /// <summary>The policy that decides about a repository; null for none.</summary>
    /// <param name="session">A session.</param>
    /// <param name="projectId">Its project.</param>
    /// <param name="repository">Its name without the project.</param>
    /// <param name="ct">Cancels.</param>
    public static ValueTask<RetentionPolicy?> NearestAsync(DbSession session, long projectId, string repository, CancellationToken ct) =>
        ReadOneAsync(session.Command(SelectNearest, projectId, repository), ct);

    /// <summary>Writes a policy, new or changed, with its schedule; its id. The level's uniqueness is the database's.</summary>
    public static async ValueTask<long> SaveAsync(DbSession session, JobSchedules schedules, RetentionPolicy policy, long now, CancellationToken ct)
    {
        object?[] values = [policy.Rules, policy.Dialect, policy.Cron, policy.RunsOnPush, policy.IsDisabled, now];
        if (policy.Id == 0)
        {
            policy.Id = await session.ScalarAsync(Insert, [.. values, policy.ProjectId, policy.Repository], ct).ConfigureAwait(false) ?? throw new InvalidOperationException("the database returned no id");
            // Harbor's clients find the policy by this setting of the project.
            if (policy is { ProjectId: { } project, Repository: "" }) await session.ExecuteAsync(SetRetentionId, [project, policy.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)], ct).ConfigureAwait(false);
        }
        else
        {
            await session.ExecuteAsync(Update, [.. values, policy.Id], ct).ConfigureAwait(false);
        }
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        if (policy.Cron.Length == 0 || policy.IsDisabled)
        {
            await JobSchedules.DeleteAsync(session, RetentionJob.JobKind, VendorKey(policy.Id), ct).ConfigureAwait(false);
            return policy.Id;
        }
        if (!CronExpression.TryParse(policy.Cron, out var cron, out var problem)) throw new ArgumentException($"the schedule of policy {policy.Id} was not checked: {problem}");
        await schedules.PutAsync(session, new NewSchedule
        {
            Kind = RetentionJob.JobKind,
            VendorKey = VendorKey(policy.Id),
            Cron = cron,
            Payload = RetentionJob.PayloadOf(new RetentionWork { PolicyId = policy.Id }),
            ProjectId = policy.ProjectId,
        }, ct).ConfigureAwait(false);
        return policy.Id;
    }

    /// <summary>Removes a policy with its schedule, runs and jobs.</summary>
    public static async ValueTask DeleteAsync(DbSession session, RetentionPolicy policy, CancellationToken ct)
    {
        await JobSchedules.DeleteAsync(session, RetentionJob.JobKind, VendorKey(policy.Id), ct).ConfigureAwait(false);
        await JobQueue.DeleteAsync(session, VendorKey(policy.Id), ct).ConfigureAwait(false);
        await session.ExecuteAsync(Delete, [policy.Id], ct).ConfigureAwait(false);
        if (policy is { ProjectId: { } project, Repository: "" }) await session.ExecuteAsync(DeleteRetentionId, [project], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
    }

    /// <summary>The rules of a policy. They were checked when they were saved.</summary>
    public static CompiledRuleSet Compile(RetentionPolicy policy) => Compile(RulesOf(policy));

    /// <summary>The rules of a policy as they are stored.</summary>
    public static RetentionRuleSet RulesOf(RetentionPolicy policy) =>
        RetentionDialects.Read(RetentionDialects.Own, policy.Rules)?.Rules ?? throw new InvalidOperationException($"the rules of policy {policy.Id} cannot be read");

    /// <summary>Rules that were checked.</summary>
    public static CompiledRuleSet Compile(RetentionRuleSet rules) =>
        CompiledRuleSet.TryCreate(rules, out var compiled, out var problems) ? compiled : throw new InvalidOperationException(string.Join("; ", problems));

    private static async ValueTask<RetentionPolicy?> ReadOneAsync(DbCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return !await row.ReadAsync(ct).ConfigureAwait(false) ? null : new RetentionPolicy
        {
            Id = row.GetInt64(0),
            ProjectId = row.IsDBNull(1) ? null : row.GetInt64(1),
            Repository = row.GetString(2),
            Rules = row.GetString(3),
            Dialect = row.GetString(4),
            Cron = row.GetString(5),
            RunsOnPush = row.GetBoolean(6),
            IsDisabled = row.GetBoolean(7),
            CreatedAt = row.GetInt64(8),
            UpdatedAt = row.GetInt64(9),
        };
    }

    private const string Select = "SELECT id, project_id, repository, rules, dialect, cron, runs_on_push, is_disabled, created_at, updated_at FROM retention_policies ";

    private static readonly Statement SelectById = new(Select + "WHERE id = @0");
    private static readonly Statement SelectOfRegistry = new(Select + "WHERE project_id IS NULL");
    private static readonly Statement SelectOfLevel = new(Select + "WHERE project_id = @0 AND repository = @1");

    private static readonly Statement SelectNearest = new(Select + """
        WHERE NOT is_disabled AND (project_id IS NULL OR project_id = @0 AND repository IN ('', @1))
        ORDER BY CASE WHEN project_id IS NULL THEN 2 WHEN repository = '' THEN 1 ELSE 0 END LIMIT 1
        """);

    private static readonly Statement Insert = new("""
        INSERT INTO retention_policies (rules, dialect, cron, runs_on_push, is_disabled, created_at, updated_at, project_id, repository) VALUES (@0, @1, @2, @3, @4, @5, @5, @6, @7)
        RETURNING id
        """);

    private static readonly Statement Update = new("""
        UPDATE retention_policies SET rules = @0, dialect = @1, cron = @2, runs_on_push = @3, is_disabled = @4, updated_at = @5 WHERE id = @6
        """);

    private static readonly Statement Delete = new("DELETE FROM retention_policies WHERE id = @0");

    private static readonly Statement SetRetentionId = new($"""
        INSERT INTO project_metadata (project_id, name, value) VALUES (@0, '{ProjectSettings.RetentionId}', @1) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value
        """);

    private static readonly Statement DeleteRetentionId = new($"DELETE FROM project_metadata WHERE project_id = @0 AND name = '{ProjectSettings.RetentionId}'");
}
