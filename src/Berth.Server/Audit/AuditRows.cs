using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Audit;

/// <summary>Writes and reads the rows of <c>audit_entries</c>.</summary>
internal static class AuditRows
{
    /// <summary>Columns in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns = "id, at, project_id, operation, resource_type, resource, actor, address, request_id, description, is_successful, count";

    /// <summary>Adds an entry; with <paramref name="forward"/> also a note that it has to be sent.</summary>
    public static async ValueTask AddAsync(DbSession session, AuditEntry entry, bool forward, CancellationToken ct)
    {
        var id = await session.ScalarAsync(Insert,
        [
            entry.At, entry.ProjectId, entry.Operation, entry.ResourceType, entry.Resource, entry.Actor, entry.Address, entry.RequestId, entry.Description,
            entry.IsSuccessful, entry.Count,
        ], ct).ConfigureAwait(false);
        if (forward) await session.ExecuteAsync(InsertForward, [id], ct).ConfigureAwait(false);
    }

    /// <summary>The row that a reader stands on.</summary>
    public static AuditEntry Read(DbDataReader reader) => new()
    {
        Id = reader.GetInt64(0),
        At = reader.GetInt64(1),
        ProjectId = reader.IsDBNull(2) ? null : reader.GetInt64(2),
        Operation = reader.GetString(3),
        ResourceType = reader.GetString(4),
        Resource = reader.GetString(5),
        Actor = reader.GetString(6),
        Address = reader.GetString(7),
        RequestId = reader.GetString(8),
        Description = reader.GetString(9),
        IsSuccessful = reader.GetBoolean(10),
        Count = reader.GetInt32(11),
    };

    private static readonly Statement Insert = new("""
        INSERT INTO audit_entries (at, project_id, operation, resource_type, resource, actor, address, request_id, description, is_successful, count)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, @10) RETURNING id
        """);

    private static readonly Statement InsertForward = new("INSERT INTO audit_forwards (entry_id) VALUES (@0)");
}
