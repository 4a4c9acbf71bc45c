using Berth.Server.Access;
using Berth.Server.Access.Robots;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Projects;

/// <summary>
/// Gives a project another name: 1. the project is held, 2. nobody has the name, 3. project, repositories, uploads, robots and scopes of tokens get it, 4. the old name leads
/// to the project until somebody makes one of that name. All in one transaction. The names of the project's robots change along;
/// the old ones sign in until somebody makes a project of the old name.
/// </summary>
internal sealed class ProjectRename(Database database, ProjectDefaults defaults, DomainEvents events, TimeProvider time)
{
    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ProjectRename rename) =>
    [
        new(HttpMethods.Post, "/projects/{project_name_or_id}/rename", "renameProject", "project", ApiNeed.Project(ProjectPermissions.ProjectUpdate), rename.RenameAsync)
        {
            Surface = ApiSurface.Berth, Body = typeof(ProjectRenameRequest), Answer = typeof(ProjectJson),
            Summary = "Gives a project another name; the old one leads to it until it is reused. Needs the right to make projects too.",
        },
    ];

    private async Task<ApiResult> RenameAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(ProjectJsonContext.Default.ProjectRenameRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var (project, name) = (call.Project!, request.Name ?? "");
        var mayCreate = await call.MayAsync(SystemPermissions.ProjectCreate, ct).ConfigureAwait(false);
        if (ProjectRules.WhyNotCreate(call.Caller, mayCreate, await defaults.CreatorsAsync(ct).ConfigureAwait(false)) is { } reason) return call.Refuse(reason);
        if (ProjectRules.ProblemOfName(name) is { } problem) return ApiResult.BadRequest(problem);
        if (project.Name == ProjectName.Library) return ApiResult.Fail(ApiError.PreconditionFailed, "names with one segment belong to the project library: it keeps its name");
        var outcome = await database.WriteAsync(Durability.Full, (session, token) => RenameAsync(session, project.Id, name, call.Actor, token), ct).ConfigureAwait(false);
        if (outcome == RenameOutcome.NotFound) return ApiResult.NotFound($"project {project.Name} not found");
        if (outcome == RenameOutcome.Taken) return ApiResult.Conflict($"The project named {name} already exists");
        if (outcome == RenameOutcome.TooLong) return ApiResult.BadRequest($"the name of a repository would have more than {MaxRepositoryName} characters");
        var json = await database.ReadAsync((call.Caller, project.Id), static (s, q, t) => ProjectLists.ReadOneAsync(s, q.Caller, q.Id, t), ct).ConfigureAwait(false);
        return json is null ? ApiResult.NotFound($"project {name} not found") : ApiResult.Ok(json, ProjectJsonContext.Default.ProjectJson);
    }

    private async Task<RenameOutcome> RenameAsync(DbSession session, long id, string name, EventActor actor, CancellationToken ct)
    {
        // 1.
        var old = await session.Command(Lock, id).ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
        if (old is null) return RenameOutcome.NotFound;
        if (old == name) return RenameOutcome.Done;

        // 2.
        if (await ProjectRows.FindAsync(session, name, ct).ConfigureAwait(false) is not null) return RenameOutcome.Taken;
        if (await session.ScalarAsync(SelectTooLong, [id, (long)(MaxRepositoryName - name.Length + old.Length)], ct).ConfigureAwait(false) is not null) return RenameOutcome.TooLong;

        // 3. Lengths count characters: names are ASCII.
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var rest = (long)old.Length + 1;
        await session.ExecuteAsync(SetName, [id, name, now], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteRepositoryRedirects, [name + "/", name + "0"], ct).ConfigureAwait(false);
        await session.ExecuteAsync(RenameRepositories, [id, name, rest], ct).ConfigureAwait(false);
        await session.ExecuteAsync(RenameRepositoryRedirects, [old + "/", old + "0", name, rest], ct).ConfigureAwait(false);
        await session.ExecuteAsync(RenameUploads, [old + "/", old + "0", name, rest], ct).ConfigureAwait(false);
        await RenameInTokensAsync(session, old, name, ct).ConfigureAwait(false);
        await RobotRows.RenameProjectAsync(session, id, name, ct).ConfigureAwait(false);

        // 4.
        await session.ExecuteAsync(DeleteRedirect, [name], ct).ConfigureAwait(false);
        await session.ExecuteAsync(InsertRedirect, [old, id, now], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Repositories, "", ct).ConfigureAwait(false);
        await events.RaiseAsync(session, ProjectEvents.Of(ProjectEvents.Rename, id, name, actor, $"rename project: {old} to {name}", new RenameDetail(old, name)), ct).ConfigureAwait(false);
        return RenameOutcome.Done;
    }

    // A token that is limited to the project stays good for it, and must not become good for the next project of the old name.
    private static async ValueTask RenameInTokensAsync(DbSession session, string old, string name, CancellationToken ct)
    {
        var changed = new List<(long Id, long User, string Scopes)>();
        await using (var rows = await session.Command(SelectTokens, old + ":").ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                var words = rows.GetString(2).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                var renamed = words.Select(w => w.StartsWith(old + ":", StringComparison.Ordinal) ? name + w[old.Length..] : w);
                changed.Add((rows.GetInt64(0), rows.GetInt64(1), string.Join(',', renamed)));
            }
        }
        foreach (var (id, user, scopes) in changed)
        {
            await session.ExecuteAsync(SetScopes, [id, scopes], ct).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.Credentials, "user:" + user, ct).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.Credentials, "pat:" + id, ct).ConfigureAwait(false);
        }
    }

    private enum RenameOutcome
    {
        Done,
        NotFound,
        Taken,
        TooLong,
    }

    private const int MaxRepositoryName = 255;

    private static readonly Statement Lock = new("SELECT name FROM projects WHERE id = @0", "SELECT name FROM projects WHERE id = @0 FOR UPDATE");
    private static readonly Statement SelectTooLong = new("SELECT 1 FROM repositories WHERE project_id = @0 AND LENGTH(name) > @1 LIMIT 1");
    private static readonly Statement SetName = new("UPDATE projects SET name = @1, updated_at = @2 WHERE id = @0");

    private static readonly Statement RenameRepositories = new(
        "UPDATE repositories SET name = @1 || SUBSTR(name, @2) WHERE project_id = @0", "UPDATE repositories SET name = @1 || SUBSTR(name, @2::int) WHERE project_id = @0");

    // A range of names finds what begins with "old/" by the index: '0' follows '/'. PostgreSQL compares by bytes only where it is told to.
    private static readonly Statement RenameRepositoryRedirects = new(
        "UPDATE repository_redirects SET name = @2 || SUBSTR(name, @3) WHERE name >= @0 AND name < @1",
        "UPDATE repository_redirects SET name = @2 || SUBSTR(name, @3::int) WHERE name COLLATE \"C\" >= @0 AND name COLLATE \"C\" < @1");

    private static readonly Statement DeleteRepositoryRedirects = new(
        "DELETE FROM repository_redirects WHERE name >= @0 AND name < @1",
        "DELETE FROM repository_redirects WHERE name COLLATE \"C\" >= @0 AND name COLLATE \"C\" < @1");

    private static readonly Statement RenameUploads = new(
        "UPDATE uploads SET repository = @2 || SUBSTR(repository, @3) WHERE repository >= @0 AND repository < @1",
        "UPDATE uploads SET repository = @2 || SUBSTR(repository, @3::int) WHERE repository COLLATE \"C\" >= @0 AND repository COLLATE \"C\" < @1");

    private static readonly Statement SelectTokens = new(
        "SELECT id, user_id, scopes FROM personal_tokens WHERE INSTR(scopes, @0) > 0", "SELECT id, user_id, scopes FROM personal_tokens WHERE POSITION(@0 IN scopes) > 0");

    private static readonly Statement SetScopes = new("UPDATE personal_tokens SET scopes = @1 WHERE id = @0");
    private static readonly Statement DeleteRedirect = new("DELETE FROM project_redirects WHERE name = @0");

    private static readonly Statement InsertRedirect = new("""
        INSERT INTO project_redirects (name, project_id, created_at) VALUES (@0, @1, @2)
        ON CONFLICT (name) DO UPDATE SET project_id = excluded.project_id, created_at = excluded.created_at
        """);
}
