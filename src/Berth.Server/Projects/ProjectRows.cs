using Berth.Server.Platform.Data;

namespace Berth.Server.Projects;

/// <summary>Rows of projects that several features read and write in the same way.</summary>
internal static class ProjectRows
{
    /// <summary>Id of a project, or null.</summary>
    public static ValueTask<long?> FindAsync(DbSession session, string name, CancellationToken ct) => session.ScalarAsync(SelectId, [name], ct);

    /// <summary>Adds a project, of which its owner becomes an administrator; null when the name is taken. A redirect of that name ends.</summary>
    public static async ValueTask<long?> AddAsync(DbSession session, string name, ProjectSeed seed, long now, CancellationToken ct)
    {
        if (await session.ScalarAsync(Insert, [name, seed.IsPublic, seed.OwnerId, seed.QuotaBytes, now], ct).ConfigureAwait(false) is not { } id) return null;
        await session.ExecuteAsync(DeleteRedirect, [name], ct).ConfigureAwait(false);
        foreach (var (key, value) in seed.Metadata) await session.ExecuteAsync(InsertMetadata, [id, key, value], ct).ConfigureAwait(false);
        // 1 and 1: a user is a project administrator, by Access's numbers.
        if (seed.OwnerId is { } owner) await session.ExecuteAsync(InsertOwner, [id, owner, now], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        if (seed.Created is { } created) await created(session, id, ct).ConfigureAwait(false);
        return id;
    }

    /// <summary>The project that a name means now, by itself or as a former name; null when there is none.</summary>
    public static async ValueTask<ProjectFacts?> ReadAsync(DbSession session, string name, CancellationToken ct)
    {
        var id = await FindAsync(session, name, ct).ConfigureAwait(false)
            ?? await session.ScalarAsync(SelectRedirect, [name], ct).ConfigureAwait(false);
        return id is null ? null : await ReadAsync(session, id.Value, ct).ConfigureAwait(false);
    }

    /// <summary>The project of an id; null when there is none.</summary>
    public static async ValueTask<ProjectFacts?> ReadAsync(DbSession session, long id, CancellationToken ct)
    {
        string name;
        bool isPublic;
        long quota;
        await using (var row = await session.Command(SelectOne, id).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
            (name, isPublic, quota) = (row.GetString(0), row.GetBoolean(1), row.GetInt64(2));
        }
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var rows = await session.Command(SelectMetadata, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) metadata[rows.GetString(0)] = rows.GetString(1);
        return new ProjectFacts(id, name, isPublic, metadata) { QuotaBytes = quota };
    }

    private static readonly Statement SelectId = new("SELECT id FROM projects WHERE name = @0");
    private static readonly Statement SelectRedirect = new("SELECT project_id FROM project_redirects WHERE name = @0");
    private static readonly Statement SelectOne = new("SELECT name, is_public, quota_bytes FROM projects WHERE id = @0");
    private static readonly Statement SelectMetadata = new("SELECT name, value FROM project_metadata WHERE project_id = @0");
    private static readonly Statement DeleteRedirect = new("DELETE FROM project_redirects WHERE name = @0");
    private static readonly Statement InsertMetadata = new("INSERT INTO project_metadata (project_id, name, value) VALUES (@0, @1, @2)");
    private static readonly Statement InsertOwner = new(
        "INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) VALUES (@0, 1, @1, 1, @2) ON CONFLICT DO NOTHING");

    private static readonly Statement Insert = new("""
        INSERT INTO projects (name, is_public, owner_id, repository_count, quota_bytes, used_bytes, created_at, updated_at)
        VALUES (@0, @1, @2, 0, @3, 0, @4, @4) ON CONFLICT (name) DO NOTHING RETURNING id
        """);
}
