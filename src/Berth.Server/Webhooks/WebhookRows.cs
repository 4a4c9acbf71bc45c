using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Webhooks;

/// <summary>The rows of <c>webhook_policies</c>.</summary>
internal static class WebhookRows
{
    /// <summary>All policies that are switched on.</summary>
    public static ValueTask<List<WebhookPolicy>> EnabledAsync(DbSession session, CancellationToken ct) => ReadAsync(session.Command(SelectEnabled), ct);

    /// <summary>One policy.</summary>
    public static async ValueTask<WebhookPolicy?> FindAsync(DbSession session, long id, CancellationToken ct) =>
        (await ReadAsync(session.Command(SelectOne, id), ct).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>A page of the policies of a project, or of the installation, the newest first; and how many there are.</summary>
    public static async ValueTask<(List<WebhookPolicy> Page, long Total)> ListAsync(DbSession session, long? projectId, string? name, long offset, int limit, CancellationToken ct)
    {
        // 0 stands for the installation: no project has that id.
        var of = projectId ?? 0;
        var page = await ReadAsync(session.Command(SelectPage, of, name ?? "", (long)limit, offset), ct).ConfigureAwait(false);
        var total = await session.ScalarAsync(Count, [of, name ?? ""], ct).ConfigureAwait(false) ?? 0;
        return (page, total);
    }

    /// <summary>Whether another policy of the project, or of the installation, has a name.</summary>
    public static async ValueTask<bool> IsTakenAsync(DbSession session, long? projectId, string name, long except, CancellationToken ct) =>
        await session.ScalarAsync(SelectOther, [projectId ?? 0, name, except], ct).ConfigureAwait(false) is not null;

    /// <summary>Adds a policy; its id.</summary>
    public static async ValueTask<long> AddAsync(DbSession session, WebhookPolicy policy, CancellationToken ct)
    {
        var id = await session.ScalarAsync(Insert,
        [
            policy.ProjectId, policy.Name, policy.Description, policy.Enabled, policy.EventTypes, policy.Repositories, policy.Tags, policy.Targets,
            policy.Creator, policy.CreatedAt, policy.UpdatedAt,
        ], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Webhooks, "", ct).ConfigureAwait(false);
        return id ?? throw new InvalidOperationException("the database returned no id");
    }

    /// <summary>Changes a policy.</summary>
    public static async ValueTask UpdateAsync(DbSession session, WebhookPolicy policy, CancellationToken ct)
    {
        await session.ExecuteAsync(Update,
        [
            policy.Id, policy.Name, policy.Description, policy.Enabled, policy.EventTypes, policy.Repositories, policy.Tags, policy.Targets, policy.UpdatedAt,
        ], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Webhooks, "", ct).ConfigureAwait(false);
    }

    /// <summary>Removes a policy.</summary>
    public static async ValueTask DeleteAsync(DbSession session, long id, CancellationToken ct)
    {
        await session.ExecuteAsync(Delete, [id], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Webhooks, "", ct).ConfigureAwait(false);
    }

    private static async ValueTask<List<WebhookPolicy>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var found = new List<WebhookPolicy>();
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new WebhookPolicy
            {
                Id = reader.GetInt64(0),
                ProjectId = reader.IsDBNull(1) ? null : reader.GetInt64(1),
                Name = reader.GetString(2),
                Description = reader.GetString(3),
                Enabled = reader.GetBoolean(4),
                EventTypes = reader.GetString(5),
                Repositories = reader.IsDBNull(6) ? null : reader.GetString(6),
                Tags = reader.IsDBNull(7) ? null : reader.GetString(7),
                Targets = reader.GetString(8),
                Creator = reader.GetString(9),
                CreatedAt = reader.GetInt64(10),
                UpdatedAt = reader.GetInt64(11),
            });
        }
        return found;
    }

    private const string Select = """
        SELECT id, project_id, name, description, enabled, event_types, repositories, tags, targets, creator, created_at, updated_at FROM webhook_policies
        """;

    private static readonly Statement SelectEnabled = new(Select + " WHERE enabled ORDER BY id");

    private static readonly Statement SelectOne = new(Select + " WHERE id = @0");

    private static readonly Statement SelectPage = new(Select + " WHERE COALESCE(project_id, 0) = @0 AND (@1 = '' OR name = @1) ORDER BY created_at DESC, id DESC LIMIT @2 OFFSET @3");

    private static readonly Statement Count = new("SELECT count(*) FROM webhook_policies WHERE COALESCE(project_id, 0) = @0 AND (@1 = '' OR name = @1)");

    private static readonly Statement SelectOther = new("SELECT id FROM webhook_policies WHERE COALESCE(project_id, 0) = @0 AND name = @1 AND id <> @2");

    private static readonly Statement Insert = new("""
        INSERT INTO webhook_policies (project_id, name, description, enabled, event_types, repositories, tags, targets, creator, created_at, updated_at)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, @10) RETURNING id
        """);

    private static readonly Statement Update = new("""
        UPDATE webhook_policies SET name = @1, description = @2, enabled = @3, event_types = @4, repositories = @5, tags = @6, targets = @7, updated_at = @8
        WHERE id = @0
        """);

    private static readonly Statement Delete = new("DELETE FROM webhook_policies WHERE id = @0");
}
