using Berth.Server.Platform.Data;

namespace Berth.Server.Projects;

/// <summary>Writes settings of projects; <c>public</c> is a column, the others are rows.</summary>
internal static class ProjectMetadataRows
{
    /// <summary>Sets settings in their stored form; those that are not named stay. False when the project is gone.</summary>
    public static async ValueTask<bool> SetAsync(DbSession session, long projectId, IReadOnlyDictionary<string, string> settings, long now, CancellationToken ct)
    {
        if (await session.ExecuteAsync(Touch, [projectId, now], ct).ConfigureAwait(false) == 0) return false;
        foreach (var (key, value) in settings)
        {
            if (key == ProjectSettings.Public) await session.ExecuteAsync(SetPublic, [projectId, value == "true"], ct).ConfigureAwait(false);
            else await session.ExecuteAsync(Upsert, [projectId, key, value], ct).ConfigureAwait(false);
        }
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        return true;
    }

    /// <summary>Takes a setting away; one that is not there does no harm.</summary>
    public static async ValueTask DeleteAsync(DbSession session, long projectId, string key, long now, CancellationToken ct)
    {
        await session.ExecuteAsync(Touch, [projectId, now], ct).ConfigureAwait(false);
        if (key == ProjectSettings.Public) await session.ExecuteAsync(SetPublic, [projectId, false], ct).ConfigureAwait(false);
        else await session.ExecuteAsync(Delete, [projectId, key], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
    }

    private static readonly Statement Touch = new("UPDATE projects SET updated_at = @1 WHERE id = @0");
    private static readonly Statement SetPublic = new("UPDATE projects SET is_public = @1 WHERE id = @0");
    private static readonly Statement Delete = new("DELETE FROM project_metadata WHERE project_id = @0 AND name = @1");

    private static readonly Statement Upsert = new("""
        INSERT INTO project_metadata (project_id, name, value) VALUES (@0, @1, @2) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value
        """);
}
