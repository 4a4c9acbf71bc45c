using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>
/// Copies an artifact to another repository, in one transaction and without a byte of content: 1. what <c>from</c> names, and whether the caller may read it, 2. its
/// children, then itself with its tags, then what belongs to each: for every manifest the links to its blobs and the steps of a push
/// (<see cref="ManifestCommit"/>), so that rules, immutability, quota and events are those of a push.
/// </summary>
internal sealed class ArtifactCopy(Database database, ManifestCommit commit, ArtifactTargets targets, DomainEvents events, TimeProvider time)
{
    private const int MaxManifests = 10_000;

    public static IEnumerable<ApiOperation> Operations(ArtifactCopy copy) =>
    [
        new("POST", "/projects/{project_name}/repositories/{repository_name}/artifacts", "CopyArtifact", "artifact", ApiNeed.Project(ProjectPermissions.ArtifactCreate), copy.RunAsync)
        {
            Summary = "Copies an artifact with its tags, its children and what belongs to it.", Query = ["from"],
        },
    ];

    private async Task<ApiResult> RunAsync(ApiCall call, CancellationToken ct)
    {
        // 1.
        var from = call.Query("from");
        if (!TryParse(from, out var source, out var reference)) return ApiResult.BadRequest($"invalid input: {from}");
        var destination = RepositoryPath.NameOf(call);
        if (!RepositoryName.IsValid(destination)) return ApiResult.BadRequest($"invalid repository name: {destination}");
        var sourceProject = await call.FindProjectAsync(ProjectName.Of(source), ct).ConfigureAwait(false);
        if (sourceProject is null) return call.IsAdmin ? ApiResult.NotFound($"project {ProjectName.Of(source)} not found") : call.Refuse();
        if (!await call.MayAsync(sourceProject, ProjectPermissions.ArtifactRead, ct).ConfigureAwait(false)) return call.Refuse();
        source = $"{sourceProject.Name}/{ProjectName.WithoutProject(source)}";
        if (!await targets.MayReadAsync(call, sourceProject, source, ct).ConfigureAwait(false)) return call.Refuse();
        var request = await targets.RequestAsync(call, call.Project!, destination, ProjectPermissions.RepositoryPush, ct).ConfigureAwait(false);
        if (!request.Rights.May(RepositoryAction.Push)) return ApiResult.Forbidden($"a rule of the project keeps {call.Caller.Name} from pushing to {destination}");

        // 2.
        var (refusal, told) = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var outcome = await CopyAsync(session, request, source, reference, token).ConfigureAwait(false);
            if (outcome.Refusal is not null) session.Rollback();
            return outcome;
        }, ct).ConfigureAwait(false);
        if (told is not null) await events.RaiseAsync(told, ct).ConfigureAwait(false);
        return refusal ?? ApiResult.Created($"{call.Http.Request.PathBase}{call.Http.Request.Path.ToUriComponent().TrimEnd('/')}/{reference}");
    }

    private async Task<(ApiResult? Refusal, DomainEvent? Told)> CopyAsync(DbSession session, RegistryRequest request, string source, string reference, CancellationToken ct)
    {
        if (await RepositoryPath.FindAsync(session, source, ct).ConfigureAwait(false) is not { } repository) return (ApiResult.NotFound($"repository {source} not found"), null);
        if (await ArtifactRows.FindAsync(session, repository.Id, reference, ct).ConfigureAwait(false) is not { } root)
            return (ApiResult.NotFound($"artifact {ArtifactApi.Shown(source, reference)} not found"), null);
        if (root.AccessoryKind is not null) return (ApiResult.Fail(ArtifactTargets.Denied, "the operation isn't supported for an artifact accessory"), null);
        if (await session.ScalarAsync(SelectWithheld, [root.Id], ct).ConfigureAwait(false) is not null) return (ApiResult.Fail(ArtifactTargets.Denied, Withheld(source, root.Digest)), null);
        var order = new List<(string Digest, bool WithTags)>();
        await CollectAsync(session, repository.Id, root.Digest, withTags: true, [], order, ct).ConfigureAwait(false);
        if (order.Count > MaxManifests) return (ApiResult.BadRequest($"an artifact may have {MaxManifests} manifests"), null);
        foreach (var (digest, withTags) in order)
        {
            var outcome = await CopyOneAsync(session, request, repository.Id, digest, id => withTags ? TagsAsync(session, id, ct) : new ValueTask<List<string>>([]), false, ct).ConfigureAwait(false);
            if (outcome is { Error: { } error }) return (ArtifactTargets.Answer(error, outcome.Details.Count > 0 ? outcome.Details[0] : error.Message), outcome.AfterRollback);
        }
        return (null, null);
    }

    /// <summary>
    /// Copies a manifest with its children and what belongs to it under tags of the caller's choice, for whoever is in a transaction and has asked whether the source may be read. What belongs to
    /// it keeps the tags that help to find it, no others. After an outcome with an error the transaction must be rolled back.
    /// </summary>
    /// <returns>How many manifests were written, and what is in the way; null for nothing.</returns>
    internal async Task<(int Manifests, ManifestOutcome? Outcome)> CopyTaggedAsync(
        DbSession session, RegistryRequest request, long sourceId, string digest, IReadOnlyList<string> tags, bool mustBeNew, CancellationToken ct)
    {
        if (await session.ScalarAsync(SelectId, [sourceId, digest], ct).ConfigureAwait(false) is not { } rootId) return (0, new ManifestOutcome(OciError.ManifestUnknown, [digest]));
        if (await session.ScalarAsync(SelectWithheld, [rootId], ct).ConfigureAwait(false) is not null) return (0, new ManifestOutcome(OciError.Archived, [Withheld("", digest)]));
        var order = new List<(string Digest, bool WithTags)>();
        await CollectAsync(session, sourceId, digest, withTags: true, [], order, ct).ConfigureAwait(false);
        if (order.Count > MaxManifests) return (0, new ManifestOutcome(OciError.BadRequest, [$"an artifact may have {MaxManifests} manifests"]));
        var target = await session.ScalarAsync(SelectRepository, [request.Repository], ct).ConfigureAwait(false);
        // Within a repository everything is there but the tags.
        if (target == sourceId) order.RemoveAll(o => o.Digest != digest);
        var written = 0;
        foreach (var (each, withTags) in order)
        {
            var isRoot = each == digest;
            var outcome = await CopyOneAsync(session, request, sourceId, each, TagsOfAsync, isRoot && mustBeNew, ct).ConfigureAwait(false);
            if (outcome is null) continue;
            if (outcome.Error is not null) return (written, outcome);
            written++;

            async ValueTask<List<string>> TagsOfAsync(long id) =>
                isRoot ? [.. tags] : withTags ? [.. (await TagsAsync(session, id, ct).ConfigureAwait(false)).Where(ArtifactKinds.IsHelperTag)] : [];
        }
        return (written, null);
    }

    private static string Withheld(string repository, string digest) => $"{repository}{(repository.Length > 0 ? "@" : "")}{digest} is archived and withheld: it has to be reactivated before it can be copied";

    // Children before what lists them, what belongs to a manifest after it.
    private static async ValueTask CollectAsync(
        DbSession session, long repositoryId, string digest, bool withTags, HashSet<string> seen, List<(string Digest, bool WithTags)> order, CancellationToken ct)
    {
        if (!seen.Add(digest) || order.Count > MaxManifests) return;
        var children = new List<string>();
        await using (var rows = await session.Command(SelectChildren, repositoryId, digest).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) children.Add(rows.GetString(0));
        }
        foreach (var child in children) await CollectAsync(session, repositoryId, child, withTags: false, seen, order, ct).ConfigureAwait(false);
        order.Add((digest, withTags));
        foreach (var accessory in await Accessories.DigestsAsync(session, repositoryId, digest, ct).ConfigureAwait(false))
            await CollectAsync(session, repositoryId, accessory, withTags: true, seen, order, ct).ConfigureAwait(false);
    }

    private async ValueTask<ManifestOutcome?> CopyOneAsync(
        DbSession session, RegistryRequest request, long sourceId, string digest, Func<long, ValueTask<List<string>>> tagsOf, bool mustBeNew, CancellationToken ct)
    {
        if (await session.ScalarAsync(SelectId, [sourceId, digest], ct).ConfigureAwait(false) is not { } id
            || await ArtifactRows.ReadContentAsync(session, id, ct).ConfigureAwait(false) is not { } stored
            || !ManifestReader.TryRead(stored.Content, stored.MediaType, out var document, out _))
        {
            // A sparse index lists what is not there.
            return null;
        }
        if (await session.ScalarAsync(SelectWithheld, [id], ct).ConfigureAwait(false) is not null) return new ManifestOutcome(OciError.Archived, [Withheld("", digest)]);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var destinationId = await Rows.FindOrAddRepositoryAsync(session, request.Repository, request.Rights.Seed, now, ct).ConfigureAwait(false);
        if (destinationId is null) return new ManifestOutcome(OciError.NameUnknown, [$"there is no project {ProjectName.Of(request.Repository)}"]);
        await session.ExecuteAsync(LinkBlobs, [destinationId, id, now, sourceId], ct).ConfigureAwait(false);
        var tags = await tagsOf(id).ConfigureAwait(false);
        // A push to one of the tags comes before or after, not between the question and the answer.
        if (mustBeNew) await Rows.LockRepositoryAsync(session, destinationId.Value, ct).ConfigureAwait(false);
        if (mustBeNew && await TakenAsync(session, destinationId.Value, digest, tags, ct).ConfigureAwait(false) is { } taken)
            return new ManifestOutcome(s_taken, [$"the tag {taken} of {request.Repository} points to something else: overwrite it, or choose another"]);
        var change = new ManifestChange(Digest.Parse(digest), document, stored.Content, tags, new TagCondition(null, false));
        return await commit.WriteAsync(session, ArtifactTargets.Writing(request), change, targets.Pushed(request, change), ct).ConfigureAwait(false);
    }

    private static async ValueTask<string?> TakenAsync(DbSession session, long repositoryId, string digest, List<string> tags, CancellationToken ct)
    {
        foreach (var tag in tags)
        {
            if (await session.ScalarAsync(SelectTaken, [repositoryId, tag, digest], ct).ConfigureAwait(false) is not null) return tag;
        }
        return null;
    }

    private static async ValueTask<List<string>> TagsAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var tags = new List<string>();
        await using var rows = await session.Command(SelectTags, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) tags.Add(rows.GetString(0));
        return tags;
    }

    // "project/repository:tag" or "project/repository@digest".
    private static bool TryParse(string from, out string repository, out string reference)
    {
        var at = from.IndexOf('@', StringComparison.Ordinal);
        var split = at >= 0 ? at : from.LastIndexOf(':');
        (repository, reference) = split > 0 ? (from[..split], from[(split + 1)..]) : ("", "");
        // Both may be named: the digest counts.
        var tag = at >= 0 ? repository.LastIndexOf(':') : -1;
        if (tag > 0) repository = repository[..tag];
        return RepositoryName.IsValid(repository) && (at >= 0 ? Digest.TryParse(reference, out _) : TagName.IsValid(reference));
    }

    private static readonly OciError s_taken = new("CONFLICT", 409, "the tag is taken");
    private static readonly Statement SelectRepository = new("SELECT id FROM repositories WHERE name = @0");
    private static readonly Statement SelectWithheld = new("SELECT 1 FROM manifests WHERE id = @0 AND archive = 2");
    private static readonly Statement SelectTaken = new("SELECT 1 FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @1 AND m.digest <> @2");
    private static readonly Statement SelectId = new("SELECT id FROM manifests WHERE repository_id = @0 AND digest = @1");

    private static readonly Statement SelectChildren = new("""
        SELECT l.child_digest FROM manifests m JOIN manifest_children l ON l.manifest_id = m.id WHERE m.repository_id = @0 AND m.digest = @1 ORDER BY l.child_digest
        """);

    private static readonly Statement SelectTags = new("SELECT name FROM tags WHERE manifest_id = @0 ORDER BY name");

    // In the order of ids, as pushes link them; the source must hold them itself.
    private static readonly Statement LinkBlobs = new("""
        INSERT INTO repository_blobs (repository_id, blob_id, linked_at)
        SELECT @0, l.blob_id, @2 FROM manifest_blobs l JOIN repository_blobs s ON s.repository_id = @3 AND s.blob_id = l.blob_id WHERE l.manifest_id = @1 ORDER BY l.blob_id
        ON CONFLICT (repository_id, blob_id) DO UPDATE SET linked_at = excluded.linked_at
        """);
}
