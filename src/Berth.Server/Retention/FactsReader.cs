using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Retention;

/// <summary>A repository that a policy decides about.</summary>
/// <param name="Id">Its row.</param>
/// <param name="ProjectId">Its project.</param>
/// <param name="Name">Full name.</param>
internal sealed record CoveredRepository(long Id, long ProjectId, string Name)
{
    /// <summary>The name as a policy sees it: a project's without the project.</summary>
    public string NameFor(RetentionPolicy policy) => policy.ProjectId is null ? Name : ProjectName.WithoutProject(Name);
}

/// <summary>Reads what rules know of repositories: a repository at a time, so that memory follows the largest one and not their number.</summary>
internal static class FactsReader
{
    /// <summary>Repositories that a policy decides about, after a name, in order: no nearer policy does.</summary>
    public static async ValueTask<List<CoveredRepository>> CoveredAsync(DbSession session, RetentionPolicy policy, string after, int limit, CancellationToken ct)
    {
        var covered = new List<CoveredRepository>();
        var statement = policy.ProjectId is null ? SelectOfRegistry : policy.Repository.Length > 0 ? SelectOne : SelectOfProject;
        object?[] values = policy.ProjectId is null ? [after, (long)limit] : policy.Repository.Length > 0 ? [after, (long)limit, policy.ProjectId, policy.Repository] : [after, (long)limit, policy.ProjectId];
        await using var rows = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) covered.Add(new CoveredRepository(rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2)));
        return covered;
    }

    /// <summary>The facts of a repository.</summary>
    public static async ValueTask<RepositoryFacts> ReadAsync(DbSession session, CoveredRepository repository, string shownName, CancellationToken ct)
    {
        var (images, positions, byDigest) = (new List<ImageFacts>(), new Dictionary<long, int>(), new Dictionary<string, int>(StringComparer.Ordinal));
        var subjects = new List<string?>();
        await using (var rows = await session.Command(SelectImages, repository.Id).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                positions.Add(rows.GetInt64(0), images.Count);
                byDigest.Add(rows.GetString(1), images.Count);
                subjects.Add(rows.IsDBNull(7) ? null : rows.GetString(7));
                images.Add(new ImageFacts
                {
                    Id = rows.GetInt64(0),
                    Digest = rows.GetString(1),
                    Kind = rows.GetString(2),
                    ArtifactType = rows.IsDBNull(3) ? null : rows.GetString(3),
                    PushedAt = rows.GetInt64(4),
                    CreatedAt = rows.GetInt64(5),
                    PulledAt = rows.GetInt64(6),
                    UsedAt = rows.GetInt64(8),
                    IsArchived = rows.GetInt32(9) != 0,
                });
            }
        }
        var tags = await TagsAsync(session, repository, images, positions, byDigest, subjects, ct).ConfigureAwait(false);
        await AddChildrenAsync(session, repository.Id, images, positions, byDigest, ct).ConfigureAwait(false);
        await AddLabelsAsync(session, repository.Id, images, positions, ct).ConfigureAwait(false);
        for (var i = 0; i < images.Count; i++)
        {
            if (images[i].Subject < 0 && subjects[i] is { } subject && byDigest.TryGetValue(subject, out var position)) images[i] = images[i] with { Subject = position };
        }
        return new RepositoryFacts(shownName, images, tags);
    }

    private static async ValueTask<List<TagFacts>> TagsAsync(
        DbSession session, CoveredRepository repository, List<ImageFacts> images, Dictionary<long, int> positions, Dictionary<string, int> byDigest, List<string?> subjects, CancellationToken ct)
    {
        var rules = await ImmutableTags.ReadAsync(session, repository.ProjectId, ct).ConfigureAwait(false);
        var name = ProjectName.WithoutProject(repository.Name);
        var tags = new List<TagFacts>();
        await using var rows = await session.Command(SelectTags, repository.Id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var (tag, image) = (rows.GetString(0), positions.GetValueOrDefault(rows.GetInt64(1), -1));
            if (image < 0) continue;
            if (ArtifactKinds.IsHelperTag(tag))
            {
                var subject = ArtifactKinds.SubjectOfCosignTag(tag) is { IsDefault: false } cosign ? cosign : ManifestCommit.SubjectOfFallbackTag(tag);
                // What helps to find things about an image that is not there waits for it: about itself, it neither stands alone nor goes.
                if (subjects[image] is null) images[image] = images[image] with { Subject = byDigest.GetValueOrDefault(subject.Value, image) };
                continue;
            }
            var locks = (TagLocks)rows.GetInt32(4);
            tags.Add(new TagFacts
            {
                Name = tag,
                Image = image,
                UpdatedAt = rows.GetInt64(2),
                PulledAt = rows.IsDBNull(3) ? 0 : rows.GetInt64(3),
                KeptBy = locks.HasFlag(TagLocks.Delete) ? "a lock" : ImmutableTags.IsImmutable(rules, name, tag) ? "an immutable rule" : null,
            });
        }
        return tags;
    }

    private static async ValueTask AddChildrenAsync(
        DbSession session, long repositoryId, List<ImageFacts> images, Dictionary<long, int> positions, Dictionary<string, int> byDigest, CancellationToken ct)
    {
        var children = new Dictionary<int, List<int>>();
        await using var rows = await session.Command(SelectChildren, repositoryId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!positions.TryGetValue(rows.GetInt64(0), out var parent) || !byDigest.TryGetValue(rows.GetString(1), out var child)) continue;
            if (!children.TryGetValue(parent, out var list)) children.Add(parent, list = []);
            list.Add(child);
        }
        foreach (var (parent, list) in children) images[parent] = images[parent] with { Children = list };
    }

    private static async ValueTask AddLabelsAsync(DbSession session, long repositoryId, List<ImageFacts> images, Dictionary<long, int> positions, CancellationToken ct)
    {
        var labels = new Dictionary<int, List<string>>();
        await using var rows = await session.Command(SelectLabels, repositoryId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!positions.TryGetValue(rows.GetInt64(0), out var image)) continue;
            if (!labels.TryGetValue(image, out var list)) labels.Add(image, list = []);
            list.Add(rows.GetString(1));
        }
        foreach (var (image, list) in labels) images[image] = images[image] with { Labels = list };
    }

    private const string Covered = "SELECT r.id, r.project_id, r.name FROM repositories r JOIN projects j ON j.id = r.project_id WHERE r.name > @0 ";
    private const string NoneOfRepository = """
        AND NOT EXISTS (SELECT 1 FROM retention_policies p WHERE p.project_id = r.project_id AND p.repository = substr(r.name, length(j.name) + 2) AND NOT p.is_disabled)
        """;

    private static readonly Statement SelectOfRegistry = new($"""
        {Covered} {NoneOfRepository} AND NOT EXISTS (SELECT 1 FROM retention_policies p WHERE p.project_id = r.project_id AND p.repository = '' AND NOT p.is_disabled)
        ORDER BY r.name LIMIT @1
        """);

    private static readonly Statement SelectOfProject = new($"{Covered} AND r.project_id = @2 {NoneOfRepository} ORDER BY r.name LIMIT @1");
    private static readonly Statement SelectOne = new($"{Covered} AND r.project_id = @2 AND r.name = j.name || '/' || @3 ORDER BY r.name LIMIT @1");

    private static readonly Statement SelectImages = new("""
        SELECT m.id, m.digest, m.kind, m.artifact_type, m.pushed_at, m.created_at, m.pulled_at, m.subject, COALESCE(u.used_at, 0), m.archive
        FROM manifests m LEFT JOIN manifest_uses u ON u.manifest_id = m.id WHERE m.repository_id = @0 ORDER BY m.id
        """);

    private static readonly Statement SelectTags = new("SELECT name, manifest_id, updated_at, pulled_at, locks FROM tags WHERE repository_id = @0 ORDER BY name");
    private static readonly Statement SelectChildren = new("SELECT manifest_id, child_digest FROM manifest_children WHERE repository_id = @0 ORDER BY manifest_id, child_digest");

    private static readonly Statement SelectLabels = new("""
        SELECT l.manifest_id, b.name FROM manifests m JOIN manifest_labels l ON l.manifest_id = m.id JOIN labels b ON b.id = l.label_id WHERE m.repository_id = @0 ORDER BY b.name
        """);
}
