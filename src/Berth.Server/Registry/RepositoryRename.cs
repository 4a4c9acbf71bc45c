using System.Text.Json.Serialization;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;
using Berth.Server.Quotas;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// Gives a repository another name, in the same project or in another: 1. both ends are held, 2. the new name is free, 3. nothing in it is locked or immutable,
/// 4. repository, uploads and, in another project, what it uses and its labels, 5. the old name leads to it until it is reused. All in one transaction.
/// </summary>
internal sealed class RepositoryRename(Database database, ICallerSource access, DomainEvents events, RuntimeSettings settings, TimeProvider time)
{
    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(RepositoryRename rename) =>
    [
        new(HttpMethods.Post, "/repositories/rename", "renameRepository", "repository", ApiNeed.Inside, rename.RenameAsync)
        {
            Surface = ApiSurface.Berth, Body = typeof(RepositoryRenameRequest),
            Summary = "Gives a repository another name, in the same project or in another; the old one leads to it until it is reused. Needs to pull and delete there, to push here.",
        },
        new(HttpMethods.Delete, "/repositories/redirect", "deleteRepositoryRedirect", "repository", ApiNeed.Inside, rename.DeleteRedirectAsync)
        {
            Surface = ApiSurface.Berth, Query = ["name"],
            Summary = "Ends the redirect of a former name, so that it can be used again. Needs to push under that name.",
        },
    ];

    private async Task<ApiResult> RenameAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(RepositoryRenameJson.Default.RepositoryRenameRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!RepositoryName.IsValid(request.From) || !RepositoryName.IsValid(request.To) || !request.To!.Contains('/', StringComparison.Ordinal))
            return ApiResult.BadRequest("from and to must be names of repositories, with their projects");
        var from = await access.RightsAsync(call.Caller, request.From!, ct).ConfigureAwait(false);
        if (from.Project is null || !from.May(RepositoryAction.Pull) || !from.May(RepositoryAction.Delete)) return call.Refuse();
        // Not by the rights of the name: as a former one of something else it would lead there.
        if (await call.FindProjectAsync(ProjectName.Of(request.To), ct).ConfigureAwait(false) is not { } project) return call.Refuse();
        var to = $"{project.Name}/{ProjectName.WithoutProject(request.To)}";
        if (!await MayPushAsync(call, project, to, ct).ConfigureAwait(false)) return call.Refuse();
        var outcome = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var done = await RenameAsync(session, from.Repository, to, project, call.Actor, token).ConfigureAwait(false);
            if (done is not null) session.Rollback();
            return done;
        }, ct).ConfigureAwait(false);
        return outcome ?? ApiResult.Done;
    }

    private async Task<ApiResult> DeleteRedirectAsync(ApiCall call, CancellationToken ct)
    {
        var name = call.Query("name");
        if (!RepositoryName.IsValid(name)) return ApiResult.BadRequest("name must be the former name of a repository, with its project");
        if (await call.FindProjectAsync(ProjectName.Of(name), ct).ConfigureAwait(false) is not { } project) return call.Refuse();
        name = $"{project.Name}/{ProjectName.WithoutProject(name)}";
        if (!await MayPushAsync(call, project, name, ct).ConfigureAwait(false)) return call.Refuse();
        var isDone = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ExecuteAsync(DeleteRedirect, [name], token).ConfigureAwait(false) == 0) return false;
            await session.AnnounceAsync(Topics.Access, "", token).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.Repositories, "", token).ConfigureAwait(false);
            await events.RaiseAsync(session, EventOf("delete", project, name, call.Actor, $"end redirect of repository: {name}", null), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return isDone ? ApiResult.NoContent : ApiResult.NotFound($"{name} is no former name of a repository");
    }

    private static async ValueTask<bool> MayPushAsync(ApiCall call, ProjectFacts project, string name, CancellationToken ct) =>
        (AccessRules.AllWithoutTag(await call.RightsInAsync(project, ct).ConfigureAwait(false), ProjectName.WithoutProject(name)) & RuleActions.Push) != 0;

    // Null when it is done.
    private async Task<ApiResult?> RenameAsync(DbSession session, string from, string to, ProjectFacts project, EventActor actor, CancellationToken ct)
    {
        // 1.
        if (await FindAsync(session, from, ct).ConfigureAwait(false) is not var (id, oldProject)) return ApiResult.NotFound($"repository {from} not found");
        if (from == to) return null;
        await UsageMove.LockRepositoriesAsync(session, oldProject, project.Id, ct).ConfigureAwait(false);
        if (await session.ScalarAsync(LockProject, [project.Id, project.Name], ct).ConfigureAwait(false) is null) return ApiResult.NotFound($"project {project.Name} not found");
        if (await FindAsync(session, from, ct).ConfigureAwait(false) != (id, oldProject)) return ApiResult.Conflict($"repository {from} was changed meanwhile: try again");

        // 2.
        if (await Rows.FindRepositoryAsync(session, to, ct).ConfigureAwait(false) is not null) return ApiResult.Conflict($"The repository named {to} already exists");

        // 3.
        if (await FindKeptTagAsync(session, oldProject, id, ProjectName.WithoutProject(from), ct).ConfigureAwait(false) is { } tag)
            return ApiResult.Fail(ApiError.PreconditionFailed, $"the tag {tag} is locked or immutable, the repository can not be renamed");

        // 4.
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await session.ExecuteAsync(SetName, [id, to, project.Id, now], ct).ConfigureAwait(false);
        await session.ExecuteAsync(RenameUploads, [from, to], ct).ConfigureAwait(false);
        if (oldProject != project.Id)
        {
            await session.ExecuteAsync(CountRepository, [oldProject, -1L], ct).ConfigureAwait(false);
            await session.ExecuteAsync(CountRepository, [project.Id, 1L], ct).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteLabels, [id, oldProject], ct).ConfigureAwait(false);
            var usage = await UsageMove.MoveAsync(session, id, oldProject, project.Id, await settings.ReadAsync(RuntimeSettingTable.QuotaPerProjectEnable, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
            await Reviews.AddBlobsOfRepositoryAsync(session, id, time.GetUtcNow().ToUnixTimeMilliseconds(), ct).ConfigureAwait(false);
            if (!usage.IsDone) return ApiResult.Fail(ApiError.PreconditionFailed, QuotaEvents.Exceeded(project.Id, project.Name, to, usage, actor).Description);
        }

        // 5.
        await session.ExecuteAsync(DeleteRedirect, [to], ct).ConfigureAwait(false);
        await session.ExecuteAsync(InsertRedirect, [from, id, now], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Repositories, "", ct).ConfigureAwait(false);
        await events.RaiseAsync(session, EventOf("rename", project, to, actor, $"rename repository: {from} to {to}", new RenameDetail(from, to)), ct).ConfigureAwait(false);
        return null;
    }

    private static DomainEvent EventOf(string operation, ProjectFacts project, string name, EventActor actor, string description, object? detail) => new()
    {
        Operation = operation,
        ResourceType = "repository",
        Resource = name,
        ProjectId = project.Id,
        ProjectName = project.Name,
        Actor = actor,
        Description = description,
        Detail = detail,
    };

    private static async ValueTask<(long Id, long Project)?> FindAsync(DbSession session, string name, CancellationToken ct)
    {
        await using var row = await session.Command(LockRepository, name).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.GetInt64(1)) : null;
    }

    // A rule that goes by repository or project would no longer hold under another name.
    private static async ValueTask<string?> FindKeptTagAsync(DbSession session, long projectId, long repositoryId, string repository, CancellationToken ct)
    {
        var names = new List<string>();
        await using (var tags = await session.Command(SelectTags, repositoryId).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await tags.ReadAsync(ct).ConfigureAwait(false))
            {
                if (ArtifactKinds.IsHelperTag(tags.GetString(0))) continue;
                if (((TagLocks)tags.GetInt32(1) & (TagLocks.Write | TagLocks.Delete)) != 0) return tags.GetString(0);
                names.Add(tags.GetString(0));
            }
        }
        var rules = await ImmutableTags.ReadAsync(session, projectId, ct).ConfigureAwait(false);
        return rules.Count == 0 ? null : names.Find(tag => ImmutableTags.IsImmutable(rules, repository, tag));
    }

    private static readonly Statement LockRepository = new(
        "SELECT id, project_id FROM repositories WHERE name = @0", "SELECT id, project_id FROM repositories WHERE name = @0 FOR UPDATE");

    private static readonly Statement LockProject = new(
        "SELECT id FROM projects WHERE id = @0 AND name = @1", "SELECT id FROM projects WHERE id = @0 AND name = @1 FOR SHARE");

    private static readonly Statement SelectTags = new("SELECT name, locks FROM tags WHERE repository_id = @0 ORDER BY name");
    private static readonly Statement SetName = new("UPDATE repositories SET name = @1, project_id = @2, updated_at = @3 WHERE id = @0");
    private static readonly Statement RenameUploads = new("UPDATE uploads SET repository = @1 WHERE repository = @0");
    private static readonly Statement CountRepository = new("UPDATE projects SET repository_count = repository_count + @1 WHERE id = @0");
    private static readonly Statement DeleteRedirect = new("DELETE FROM repository_redirects WHERE name = @0");

    // Labels of the old project mean nothing in the new one.
    private static readonly Statement DeleteLabels = new("""
        DELETE FROM manifest_labels WHERE manifest_id IN (SELECT id FROM manifests WHERE repository_id = @0)
            AND label_id IN (SELECT id FROM labels WHERE project_id = @1)
        """);

    private static readonly Statement InsertRedirect = new("""
        INSERT INTO repository_redirects (name, repository_id, created_at) VALUES (@0, @1, @2)
        ON CONFLICT (name) DO UPDATE SET repository_id = excluded.repository_id, created_at = excluded.created_at
        """);
}

/// <summary>A repository's present and future full name.</summary>
public sealed record RepositoryRenameRequest(string? From, string? To);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RepositoryRenameRequest))]
internal sealed partial class RepositoryRenameJson : JsonSerializerContext;
