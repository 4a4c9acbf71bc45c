using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Immutability;

/// <summary>Locks of single tags: what nobody may do with a tag, whatever their rights, until the lock is lifted.</summary>
internal sealed class TagLocksApi(Database database, DomainEvents events)
{
    private const string Route = "/projects/{project_name_or_id}/repositories/{repository_name}/tags/{tag_name}/locks";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(TagLocksApi api) =>
    [
        new(HttpMethods.Get, Route, "getTagLocks", "immutable", ApiNeed.Project(ProjectPermissions.TagList), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "The locks of a tag.", Answer = typeof(TagLocksJson),
        },
        new(HttpMethods.Put, Route, "setTagLocks", "immutable", ApiNeed.Project(ProjectPermissions.ImmutableTagUpdate), api.SetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Locks a tag against reading, writing, deleting and listing, or lifts locks; what the body leaves out stays.",
            Body = typeof(TagLocksJson), Answer = typeof(TagLocksJson),
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var repository = await RepositoryAsync(call, ct).ConfigureAwait(false);
        var locks = await database.ReadAsync((call.Project!.Id, repository, tag: call.Route("tag_name")), static (s, q, t) => s.ScalarAsync(Select, [q.Id, q.repository, q.tag], t), ct).ConfigureAwait(false);
        return locks is null ? NotFound(call) : ApiResult.Ok(JsonOf((TagLocks)locks), TagLocksJsonContext.Default.TagLocksJson);
    }

    private async Task<ApiResult> SetAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(TagLocksJsonContext.Default.TagLocksJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var repository = await RepositoryAsync(call, ct).ConfigureAwait(false);
        var (project, tag) = (call.Project!, call.Route("tag_name"));
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(SelectForChange, [project.Id, repository, tag], token).ConfigureAwait(false) is not { } old) return NotFound(call);
            var locks = Change((TagLocks)old, request);
            await session.ExecuteAsync(Update, [project.Id, repository, tag, (int)locks], token).ConfigureAwait(false);
            await events.RaiseAsync(session, new DomainEvent
            {
                Operation = "lock",
                ResourceType = "tag",
                Resource = $"{repository}:{tag}",
                ProjectId = project.Id,
                ProjectName = project.Name,
                Actor = call.Actor,
                Description = $"locks of {repository}:{tag}: {locks.ToString().ToLowerInvariant()}",
            }, token).ConfigureAwait(false);
            return ApiResult.Ok(JsonOf(locks), TagLocksJsonContext.Default.TagLocksJson);
        }, ct).ConfigureAwait(false);
    }

    // A former name is good for a repository that is still in the project.
    private static ValueTask<string> RepositoryAsync(ApiCall call, CancellationToken ct) => call.CurrentNameAsync($"{call.Project!.Name}/{call.Route("repository_name")}", ct);

    private static TagLocks Change(TagLocks locks, TagLocksJson request) =>
        With(With(With(With(locks, TagLocks.Read, request.Read), TagLocks.Write, request.Write), TagLocks.Delete, request.Delete), TagLocks.List, request.List);

    private static TagLocks With(TagLocks locks, TagLocks one, bool? isSet) => isSet switch
    {
        true => locks | one,
        false => locks & ~one,
        _ => locks,
    };

    private static TagLocksJson JsonOf(TagLocks locks) => new()
    {
        Read = locks.HasFlag(TagLocks.Read),
        Write = locks.HasFlag(TagLocks.Write),
        Delete = locks.HasFlag(TagLocks.Delete),
        List = locks.HasFlag(TagLocks.List),
    };

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"tag {call.Route("tag_name")} not found in repository {call.Route("repository_name")}");

    private static readonly Statement Select = new("""
        SELECT t.locks FROM repositories r JOIN tags t ON t.repository_id = r.id AND t.name = @2 WHERE r.project_id = @0 AND r.name = @1
        """);

    // Whoever moves or deletes the tag holds the repository.
    private static readonly Statement SelectForChange = new("""
        SELECT t.locks FROM repositories r JOIN tags t ON t.repository_id = r.id AND t.name = @2 WHERE r.project_id = @0 AND r.name = @1
        """, """
        SELECT t.locks FROM repositories r JOIN tags t ON t.repository_id = r.id AND t.name = @2 WHERE r.project_id = @0 AND r.name = @1 FOR NO KEY UPDATE OF r
        """);

    private static readonly Statement Update = new("""
        UPDATE tags SET locks = @3 WHERE name = @2 AND repository_id = (SELECT id FROM repositories WHERE project_id = @0 AND name = @1)
        """);
}

/// <summary>Locks of a tag; true forbids.</summary>
public sealed record TagLocksJson
{
    /// <summary>Nobody pulls by the tag.</summary>
    public bool? Read { get; init; }

    /// <summary>Nobody moves it.</summary>
    public bool? Write { get; init; }

    /// <summary>Nobody deletes it, or what it points to.</summary>
    public bool? Delete { get; init; }

    /// <summary>Lists do not show it.</summary>
    public bool? List { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TagLocksJson))]
internal sealed partial class TagLocksJsonContext : JsonSerializerContext;
