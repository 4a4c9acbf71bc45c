using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Lifecycle;

/// <summary>
/// Promotes versions from one repository to another, in one transaction for all tags and without a byte of content: 1. what is asked for, and whether the caller may read there and push here,
/// 2. the manifests that the tags name now, 3. each with what it lists, its signatures, SBOMs and attestations, under the steps of a push (rights, rules, immutability, names, quota, history, events),
/// 4. the stage, 5. what is told. If anything is in the way, nothing is done.
/// </summary>
internal sealed class PromotionApi(Database database, ArtifactCopy copy, ArtifactTargets targets, ArchiveApi archive, DomainEvents events, TimeProvider time)
{
    private const int MaxTags = 100;

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(PromotionApi api) =>
    [
        new(HttpMethods.Post, "/projects/{project_name_or_id}/repositories/{repository_name}/promotions", "promote", "lifecycle", ApiNeed.Project(ProjectPermissions.RepositoryPush), api.RunAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Promotes tags of another repository to this one, all or none, with their signatures, SBOMs and attestations.",
            Body = typeof(PromotionJson), Answer = typeof(PromotedJson),
        },
    ];

    private async Task<ApiResult> RunAsync(ApiCall call, CancellationToken ct)
    {
        // 1.
        var (isRead, body, refusal) = await call.ReadAsync(LifecycleJson.Default.PromotionJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var destination = RepositoryPath.NameOf(call);
        var problems = ProblemsOf(body, destination);
        if (problems.Count > 0) return ApiResult.BadRequest(string.Join("; ", problems));
        var sourceProject = await call.FindProjectAsync(ProjectName.Of(body.From!), ct).ConfigureAwait(false);
        if (sourceProject is null) return call.IsAdmin ? ApiResult.NotFound($"project {ProjectName.Of(body.From!)} not found") : call.Refuse();
        var source = $"{sourceProject.Name}/{ProjectName.WithoutProject(body.From!)}";
        if (!await call.MayAsync(sourceProject, ProjectPermissions.ArtifactRead, ct).ConfigureAwait(false) || !await targets.MayReadAsync(call, sourceProject, source, ct).ConfigureAwait(false)) return call.Refuse();
        if (body.Stage == Stages.Archived && !await call.MayAsync(ProjectPermissions.ImmutableTagUpdate, ct).ConfigureAwait(false)) return call.Refuse();
        if (body.Stage is not null && !await call.MayAsync(ProjectPermissions.ArtifactLabelCreate, ct).ConfigureAwait(false)) return call.Refuse();
        var reading = await targets.RequestAsync(call, sourceProject, source, ProjectPermissions.RepositoryPull, ct).ConfigureAwait(false);
        if (body.Tags!.FirstOrDefault(t => !reading.Rights.MayPull(t.From!)) is { } closed) return ApiResult.Forbidden($"a rule of the project keeps {call.Caller.Name} from pulling the tag {closed.From}");
        var request = await targets.RequestAsync(call, call.Project!, destination, ProjectPermissions.RepositoryPush, ct).ConfigureAwait(false);
        if (!request.Rights.May(RepositoryAction.Push)) return ApiResult.Forbidden($"a rule of the project keeps {call.Caller.Name} from pushing to {destination}");

        var (result, told) = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var outcome = await PromoteAsync(session, call, request, source, body, token).ConfigureAwait(false);
            if (outcome.Result.Failure is not null) session.Rollback();
            return outcome;
        }, ct).ConfigureAwait(false);
        if (told is not null) await events.RaiseAsync(told, ct).ConfigureAwait(false);
        return result;
    }

    private async Task<(ApiResult Result, DomainEvent? Told)> PromoteAsync(DbSession session, ApiCall call, RegistryRequest request, string source, PromotionJson body, CancellationToken ct)
    {
        // 2.
        if (await RepositoryPath.FindAsync(session, source, ct).ConfigureAwait(false) is not { } repository) return (ApiResult.NotFound($"repository {source} not found"), null);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var byDigest = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var promoted = new List<PromotedTagJson>();
        foreach (var tag in body.Tags!)
        {
            if (await session.Command(SelectSource, repository.Id, tag.From, now).ExecuteScalarAsync(ct).ConfigureAwait(false) is not string digest)
                return (ApiResult.NotFound($"tag {tag.From} not found in repository {source}"), null);
            var to = tag.To ?? tag.From!;
            if (!byDigest.TryGetValue(digest, out var tags)) byDigest.Add(digest, tags = []);
            tags.Add(to);
            promoted.Add(new PromotedTagJson { From = tag.From!, To = to, Digest = digest });
        }

        // 3.
        var manifests = 0;
        foreach (var (digest, tags) in byDigest)
        {
            var (count, outcome) = await copy.CopyTaggedAsync(session, request, repository.Id, digest, tags, !body.Overwrite, ct).ConfigureAwait(false);
            manifests += count;
            if (outcome is { Error: { } error }) return (ArtifactTargets.Answer(error, outcome.Details.Count > 0 ? outcome.Details[0] : error.Message), outcome.AfterRollback);
        }

        // 4.
        if (body.Stage is { } stage)
        {
            foreach (var digest in byDigest.Keys)
            {
                var (_, row) = await ArtifactRows.FindAsync(session, request.Repository, digest, ct).ConfigureAwait(false);
                if (stage == Stages.Archived) await archive.SetAsync(session, row!, ArchiveState.Archived, ct).ConfigureAwait(false);
                await Stages.SetAsync(session, row!.Id, stage, now, ct).ConfigureAwait(false);
            }
        }

        // 5.
        var words = string.Join(", ", promoted.Select(p => p.From == p.To ? p.From : $"{p.From} as {p.To}"));
        await events.ByAsync(
            session, call, "promote", "artifact", request.Repository, $"promoted {words} from {source} to {request.Repository}{(body.Stage is null ? "" : $", stage {body.Stage}")}", ct).ConfigureAwait(false);
        return (ApiResult.Ok(new PromotedJson { Repository = request.Repository, Tags = promoted, Manifests = manifests, Stage = body.Stage }, LifecycleJson.Default.PromotedJson), null);
    }

    private static List<string> ProblemsOf(PromotionJson body, string destination)
    {
        var problems = new List<string>();
        if (body.From is null || !RepositoryName.IsValid(body.From)) problems.Add("from must be the full name of a repository");
        if (!RepositoryName.IsValid(destination)) problems.Add($"invalid repository name: {destination}");
        if (body.Tags is not { Count: > 0 and <= MaxTags }) problems.Add($"tags is a list of 1 to {MaxTags}");
        foreach (var tag in body.Tags ?? [])
        {
            if (tag is null || !TagName.IsValid(tag.From) || (tag.To is not null && !TagName.IsValid(tag.To))) problems.Add($"invalid tag: {tag?.From} {tag?.To}".TrimEnd());
        }
        if (body.Tags?.Where(t => t is not null).GroupBy(t => t.To ?? t.From, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice) problems.Add($"the tag {twice.Key} is named twice");
        if (StageApi.ProblemOf(body.Stage) is { } problem) problems.Add(problem);
        return problems;
    }

    private static readonly Statement SelectSource = new("""
        SELECT m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @1 AND (t.locks & 1) = 0 AND (t.expires_at IS NULL OR t.expires_at > @2)
        """);
}

/// <summary>What is to be promoted.</summary>
public sealed record PromotionJson
{
    /// <summary>Full name of the repository that they are taken from, which may be the same.</summary>
    public string? From { get; init; }

    public IReadOnlyList<PromotedTagJson>? Tags { get; init; }

    /// <summary>Stage that they get here; null leaves it as it is.</summary>
    public string? Stage { get; init; }

    /// <summary>Tags that point elsewhere here are moved; else that refuses all.</summary>
    public bool Overwrite { get; init; }
}

/// <summary>A tag that is promoted.</summary>
public sealed record PromotedTagJson
{
    /// <summary>The tag there.</summary>
    public string? From { get; init; }

    /// <summary>The tag here; null for the same.</summary>
    public string? To { get; init; }

    /// <summary>What it names; read only.</summary>
    public string? Digest { get; init; }
}

/// <summary>What was promoted.</summary>
public sealed record PromotedJson
{
    public string Repository { get; init; } = "";

    public IReadOnlyList<PromotedTagJson> Tags { get; init; } = [];

    /// <summary>Manifests that were written: images, what indexes list, signatures, SBOMs, attestations.</summary>
    public int Manifests { get; init; }

    public string? Stage { get; init; }
}
