using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Text;
using Berth.Server.Projects;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Lifecycle;

/// <summary>When a tag ends by itself, and whether a project asks the labels of images for it.</summary>
internal sealed class ExpiryApi(Database database, ArtifactTargets targets, DomainEvents events, TimeProvider time)
{
    /// <summary>Name of the project's setting.</summary>
    public const string LabelSetting = "expires_from_labels";

    private const string OfTag = "/projects/{project_name_or_id}/repositories/{repository_name}/tags/{tag_name}/expiry";
    private const string OfProject = "/projects/{project_name_or_id}/expiry";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ExpiryApi api) =>
    [
        new(HttpMethods.Get, OfTag, "getTagExpiry", "lifecycle", ApiNeed.Project(ProjectPermissions.TagList), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "When a tag expires.", Answer = typeof(TagExpiryJson),
        },
        new(HttpMethods.Put, OfTag, "setTagExpiry", "lifecycle", ApiNeed.Project(ProjectPermissions.TagDelete), api.SetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Sets when a tag expires: expires_at, a time (RFC 3339), or expires_after, a duration from now such as 12h, 2d or 3w.",
            Body = typeof(TagExpiryJson), Answer = typeof(TagExpiryJson),
        },
        new(HttpMethods.Delete, OfTag, "clearTagExpiry", "lifecycle", ApiNeed.Project(ProjectPermissions.TagDelete), api.ClearAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Lets a tag stay.",
        },
        new(HttpMethods.Get, OfProject, "getProjectExpiry", "lifecycle", ApiNeed.Project(ProjectPermissions.MetadataRead), api.GetProjectAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Whether the label quay.expires-after of images is looked at after a push.", Answer = typeof(ProjectExpiryJson),
        },
        new(HttpMethods.Put, OfProject, "setProjectExpiry", "lifecycle", ApiNeed.Project(ProjectPermissions.MetadataUpdate), api.SetProjectAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Sets whether the label quay.expires-after of images is looked at after a push.", Body = typeof(ProjectExpiryJson), Answer = typeof(ProjectExpiryJson),
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var tag = await database.ReadAsync((RepositoryPath.NameOf(call), call.Route("tag_name")), static (session, q, token) => FindAsync(session, q.Item1, q.Item2, token), ct).ConfigureAwait(false);
        return tag is null ? NotFound(call) : ApiResult.Ok(JsonOf(tag.ExpiresAt), LifecycleJson.Default.TagExpiryJson);
    }

    private async Task<ApiResult> SetAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(LifecycleJson.Default.TagExpiryJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if ((body.ExpiresAt is null) == (body.ExpiresAfter is null)) return ApiResult.BadRequest("name either expires_at or expires_after");
        if (TagExpiry.EndOf(body.ExpiresAt ?? body.ExpiresAfter, time.GetUtcNow()) is not { } end)
            return ApiResult.BadRequest(body.ExpiresAt is null ? "expires_after is a duration such as 30m, 12h, 2d or 3w" : "expires_at is a time to come, such as 2027-01-31T12:00:00Z");
        return await ChangeAsync(call, end, ct).ConfigureAwait(false);
    }

    private Task<ApiResult> ClearAsync(ApiCall call, CancellationToken ct) => ChangeAsync(call, null, ct);

    private async Task<ApiResult> ChangeAsync(ApiCall call, long? end, CancellationToken ct)
    {
        var (name, tag) = (RepositoryPath.NameOf(call), call.Route("tag_name"));
        // A tag that is to end is one that is to be deleted: what keeps the caller from that keeps them from this.
        var request = await targets.RequestAsync(call, call.Project!, name, ProjectPermissions.RepositoryDelete, ct).ConfigureAwait(false);
        if (!request.Rights.MayDelete(tag)) return ApiResult.Forbidden($"a rule of the project keeps {call.Caller.Name} from deleting the tag {tag}");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await FindAsync(session, name, tag, token).ConfigureAwait(false) is not { } found) return NotFound(call);
            await Rows.LockRepositoryAsync(session, found.RepositoryId, token).ConfigureAwait(false);
            if (await FindAsync(session, name, tag, token).ConfigureAwait(false) is not { } current) return NotFound(call);
            if (end is not null)
            {
                if (ArtifactKinds.IsHelperTag(tag)) return ApiResult.BadRequest($"the tag {tag} helps to find what belongs to an image: it goes with the image");
                if (await TagExpiry.KeptByAsync(session, call.Project!.Id, current.Repository, current.ManifestId, tag, current.Locks, token).ConfigureAwait(false) is { } kept)
                    return ApiResult.Fail(ApiError.PreconditionFailed, $"{kept}: it cannot expire");
            }
            await session.ExecuteAsync(Update, [current.RepositoryId, tag, end], token).ConfigureAwait(false);
            var resource = $"{current.Repository}:{tag}";
            await events.ByAsync(session, call, "update", "tag", resource, end is { } at ? $"{resource} expires at {UtcText.Of(at)}" : $"{resource} does not expire", token).ConfigureAwait(false);
            return end is null ? ApiResult.NoContent : ApiResult.Ok(JsonOf(end), LifecycleJson.Default.TagExpiryJson);
        }, ct).ConfigureAwait(false);
    }

    private Task<ApiResult> GetProjectAsync(ApiCall call, CancellationToken ct) =>
        Task.FromResult(ApiResult.Ok(new ProjectExpiryJson { FromLabels = call.Project!.Metadata.GetValueOrDefault(LabelSetting) == "true" }, LifecycleJson.Default.ProjectExpiryJson));

    private async Task<ApiResult> SetProjectAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(LifecycleJson.Default.ProjectExpiryJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var project = call.Project!;
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var setting = new Dictionary<string, string> { [LabelSetting] = body.FromLabels ? "true" : "false" };
            await ProjectMetadataRows.SetAsync(session, project.Id, setting, time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            await events.ByAsync(session, call, "update", "project", project.Name, $"labels of images {(body.FromLabels ? "say" : "do not say")} when tags of project {project.Name} expire", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok(body, LifecycleJson.Default.ProjectExpiryJson);
    }

    internal static async ValueTask<FoundTag?> FindAsync(DbSession session, string repository, string tag, CancellationToken ct)
    {
        if (await RepositoryPath.FindAsync(session, repository, ct).ConfigureAwait(false) is not { } path) return null;
        await using var row = await session.Command(SelectTag, path.Id, tag).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false)
            ? new FoundTag(path.Id, path.Name, row.GetInt64(0), (TagLocks)row.GetInt32(1), row.IsDBNull(2) ? null : row.GetInt64(2))
            : null;
    }

    private static TagExpiryJson JsonOf(long? end) => new() { ExpiresAt = end is { } at ? UtcText.Of(at) : null };

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"tag {call.Route("tag_name")} not found in repository {call.Route("repository_name")}");
    private static readonly Statement SelectTag = new("SELECT manifest_id, locks, expires_at FROM tags WHERE repository_id = @0 AND name = @1");
    private static readonly Statement Update = new("UPDATE tags SET expires_at = @2, is_expiry_told = FALSE WHERE repository_id = @0 AND name = @1");

    internal sealed record FoundTag(long RepositoryId, string Repository, long ManifestId, TagLocks Locks, long? ExpiresAt);
}

/// <summary>When a tag expires.</summary>
public sealed record TagExpiryJson
{
    /// <summary>A time (RFC 3339); null for never.</summary>
    public string? ExpiresAt { get; init; }

    /// <summary>Instead of it, to set: a duration from now in Quay's form, such as <c>12h</c>, <c>2d</c>, <c>3w</c>.</summary>
    public string? ExpiresAfter { get; init; }
}

/// <summary>Where a project learns from when tags expire, beside annotations of manifests.</summary>
public sealed record ProjectExpiryJson
{
    /// <summary>The label <c>quay.expires-after</c> of an image's configuration is looked at soon after each push.</summary>
    public bool FromLabels { get; init; }
}
