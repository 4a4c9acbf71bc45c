using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Projects;

/// <summary>Outcome of removing a project.</summary>
internal enum RemovalOutcome
{
    Done,
    NotFound,

    /// <summary>It holds repositories, and nobody asked to remove them too.</summary>
    HoldsRepositories,

    /// <summary>It holds tags that are locked or immutable, or artifacts that are archived.</summary>
    HoldsKeptTags,
}

/// <summary>Removes a project with everything that belongs to it. Bytes are freed by garbage collection.</summary>
internal static class ProjectRemoval
{
    /// <summary>
    /// Within a transaction: 1. the project is held, so that no repository appears meanwhile, 2. what keeps it, 3. repositories, if asked for, 4. the project; members,
    /// robots, rules, labels and settings go with it. After an outcome other than done the transaction must be rolled back.
    /// </summary>
    public static async ValueTask<RemovalOutcome> RemoveAsync(DbSession session, ProjectFacts project, bool withRepositories, long now, CancellationToken ct)
    {
        // 1.
        if (await session.ScalarAsync(Lock, [project.Id], ct).ConfigureAwait(false) is null) return RemovalOutcome.NotFound;

        // 2.
        var hasRepositories = await session.ScalarAsync(SelectRepository, [project.Id], ct).ConfigureAwait(false) is not null;
        if (hasRepositories && !withRepositories) return RemovalOutcome.HoldsRepositories;
        if (hasRepositories && await session.ScalarAsync(SelectKeptTag, [project.Id], ct).ConfigureAwait(false) is not null) return RemovalOutcome.HoldsKeptTags;

        // 3.
        if (hasRepositories)
        {
            await Reviews.AddBlobsOfProjectAsync(session, project.Id, now, ct).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteTags, [project.Id], ct).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteManifests, [project.Id], ct).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteRepositories, [project.Id], ct).ConfigureAwait(false);
        }

        // 4.
        foreach (var robot in await ReadRobotsAsync(session, project.Id, ct).ConfigureAwait(false))
            await session.AnnounceAsync(Topics.Credentials, "robot:" + robot, ct).ConfigureAwait(false);
        await session.ExecuteAsync(Delete, [project.Id], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Repositories, "", ct).ConfigureAwait(false);
        return RemovalOutcome.Done;
    }

    private static async ValueTask<List<long>> ReadRobotsAsync(DbSession session, long projectId, CancellationToken ct)
    {
        var ids = new List<long>();
        await using var rows = await session.Command(SelectRobots, projectId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) ids.Add(rows.GetInt64(0));
        return ids;
    }

    private static readonly Statement Lock = new("SELECT id FROM projects WHERE id = @0", "SELECT id FROM projects WHERE id = @0 FOR UPDATE");
    private static readonly Statement SelectRepository = new("SELECT 1 FROM repositories WHERE project_id = @0 LIMIT 1");

    // Whoever wants to delete a project with immutable tags lifts the rule first: which tags it concerns is not asked. 4 is the lock against deleting.
    private static readonly Statement SelectKeptTag = new("""
        SELECT 1 FROM repositories r JOIN tags t ON t.repository_id = r.id
        WHERE r.project_id = @0 AND ((t.locks & 4) <> 0 OR EXISTS (SELECT 1 FROM immutable_rules i WHERE i.project_id = @0 AND NOT i.is_disabled))
        UNION ALL SELECT 1 FROM repositories r JOIN manifests m ON m.repository_id = r.id AND m.archive <> 0 WHERE r.project_id = @0 LIMIT 1
        """);

    private static readonly Statement DeleteTags = new("DELETE FROM tags WHERE repository_id IN (SELECT id FROM repositories WHERE project_id = @0)");
    private static readonly Statement DeleteManifests = new("DELETE FROM manifests WHERE repository_id IN (SELECT id FROM repositories WHERE project_id = @0)");
    private static readonly Statement DeleteRepositories = new("DELETE FROM repositories WHERE project_id = @0");
    private static readonly Statement SelectRobots = new("SELECT id FROM robots WHERE project_id = @0");
    private static readonly Statement Delete = new("DELETE FROM projects WHERE id = @0");
}
