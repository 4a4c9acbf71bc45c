using Berth.Server.Platform.Data;

namespace Berth.Server.Projects;

/// <summary>
/// Makes what every installation with projects has: the public project <c>library</c>. A repository whose name has one segment only, from a time or a mode
/// without projects, becomes one of <c>library</c>, unless that has one of the name already.
/// </summary>
internal static class LibraryProject
{
    /// <summary>Safe to run at every start and by several replicas at once. Costs one query when there is nothing to do.</summary>
    public static async Task EnsureAsync(Database database, TimeProvider time, CancellationToken ct)
    {
        var isDone = await database.ReadAsync(0, static async (session, _, token) =>
            await session.ScalarAsync(SelectMissing, [ProjectName.Library], token).ConfigureAwait(false) is null, ct).ConfigureAwait(false);
        if (isDone) return;
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await ProjectRows.AddAsync(session, ProjectName.Library, new ProjectSeed(true, -1, null, new Dictionary<string, string>()), time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            return await session.ExecuteAsync(PrefixNames, [], token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
    }

    private static readonly Statement SelectMissing = new("""
        SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM projects WHERE name = @0)
            OR EXISTS (SELECT 1 FROM repositories WHERE name NOT LIKE '%/%'
                AND NOT EXISTS (SELECT 1 FROM repositories o WHERE o.name = 'library/' || repositories.name))
        """);

    private static readonly Statement PrefixNames = new("""
        UPDATE repositories SET name = 'library/' || name
        WHERE name NOT LIKE '%/%' AND NOT EXISTS (SELECT 1 FROM repositories o WHERE o.name = 'library/' || repositories.name)
        """);
}
