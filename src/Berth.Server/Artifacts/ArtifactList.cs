using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>
/// Which artifacts a list shows: Harbor's conditions and orders over one repository or one project. The ids of a page come from an index alone, then the rows of these
/// ids are read. Totals are kept counts or are remembered until the repository changes.
/// </summary>
internal sealed class ArtifactList(Database database)
{
    private const int MaxRememberedTotals = 20_000;

    // Up to here each artifact is asked for its labels, beyond each label for its artifacts.
    private const int FewArtifacts = 5000;

    private static readonly Dictionary<string, string> s_columns = new(StringComparer.Ordinal)
    {
        ["id"] = "m.id",
        ["type"] = "m.kind",
        ["media_type"] = "m.config_type",
        ["manifest_media_type"] = "m.media_type",
        ["artifact_type"] = "m.artifact_type",
        ["repository_id"] = "m.repository_id",
        ["digest"] = "m.digest",
        ["size"] = "m.total_size",
        ["push_time"] = "m.pushed_at",
        ["pull_time"] = "m.pulled_at",
    };

    private readonly RecentMap<(string Where, long Count, long Stamp), long> _totals = new(MaxRememberedTotals);
    private readonly ArtifactSearch _search = new();

    /// <summary>A page of a repository's artifacts, or what is wrong with the question.</summary>
    public Task<ArtifactPage> ReadAsync(RepositoryPath repository, ApiList list, CancellationToken ct)
    {
        var query = new ListQuery(database.Kind);
        var owner = query.Value(repository.Id);
        query.And($"m.repository_id = {owner}");
        return RunAsync(new ListScope(query, "manifests m", repository.Id, owner, (repository.ArtifactCount, repository.Stamp), repository.ArtifactCount)
        {
            IsOfRepository = list.Find("base") is null,
        }, list, ct);
    }

    /// <summary>A page of a project's artifacts, or what is wrong with the question.</summary>
    public async Task<ArtifactPage> ReadAsync(long projectId, ApiList list, CancellationToken ct)
    {
        var stamp = await database.ReadAsync(projectId, static async (session, id, t) =>
        {
            await using var row = await session.Command(SelectProjectStamp, id).ExecuteReaderAsync(t).ConfigureAwait(false);
            await row.ReadAsync(t).ConfigureAwait(false);
            return (Repositories: row.GetInt64(0), Artifacts: row.GetInt64(1), Stamp: row.GetInt64(2));
        }, ct).ConfigureAwait(false);
        var query = new ListQuery(database.Kind);
        var owner = query.Value(projectId);
        query.And($"r.project_id = {owner}");
        foreach (var filter in list.Filters)
        {
            if (ListQuery.SnakeCase(filter.Key) == "repository_name") query.AndText("r.name", filter);
        }
        var scope = new ListScope(
            query, "repositories r JOIN manifests m ON m.repository_id = r.id", projectId, owner, (stamp.Repositories, stamp.Stamp), stamp.Artifacts)
        {
            OfTags = $"t.repository_id IN (SELECT id FROM repositories WHERE project_id = {owner})",
        };
        return await RunAsync(scope, list, ct).ConfigureAwait(false);
    }

    /// <summary>The last artifact of a type that was pushed to each repository of a project.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="list">Exactly one condition on <c>media_type</c> or <c>artifact_type</c>.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ArtifactPage> ReadLatestAsync(long projectId, ApiList list, CancellationToken ct)
    {
        var byMediaType = list.Find("media_type");
        var byArtifactType = list.Find("artifact_type");
        if ((byMediaType is null) == (byArtifactType is null))
            return ArtifactPage.Wrong("either 'media_type' or 'artifact_type' must be specified, but not both, when querying with latest_in_repository");
        var column = byMediaType is null ? "artifact_type" : "config_type";
        var query = new ListQuery(database.Kind);
        query.And($"r.project_id = {query.Value(projectId)}");
        var type = query.Value((byMediaType ?? byArtifactType)!.Value);
        query.And($"m.id = (SELECT l.id FROM manifests l WHERE l.repository_id = r.id AND l.is_listed AND l.{column} = {type} ORDER BY l.pushed_at DESC, l.id DESC LIMIT 1)");
        return await database.ReadAsync((query, list.Page), static async (session, q, t) =>
        {
            const string From = "repositories r JOIN manifests m ON m.repository_id = r.id";
            var total = await q.query.ScalarAsync(session, $"SELECT COUNT(*) FROM {From}", t).ConfigureAwait(false);
            var order = OrderOf([]);
            return new ArtifactPage(await IdsAsync(session, q.query, From, order, q.Page, total, t).ConfigureAwait(false), total, null);
        }, ct).ConfigureAwait(false);
    }

    // Among those of a type the order is that of the index which has the type.
    private static ListOrder OrderOf(IReadOnlyList<ApiSort> sort) =>
        sort.Count == 1 && sort[0].Key is "type" or "Type"
            ? ListQuery.Order(sort, s_columns, "m.pushed_at", "m.pushed_at", "m.id")
            : ListQuery.Order(sort, s_columns, "m.pushed_at", "m.id");

    private async Task<ArtifactPage> RunAsync(ListScope scope, ApiList list, CancellationToken ct)
    {
        var (isEverything, mayRemember) = (false, true);
        var order = OrderOf(list.Sort);
        scope.OrderColumn = order.Keys[0].Column;
        foreach (var filter in list.Filters)
        {
            var key = ListQuery.SnakeCase(filter.Key);
            if (key == "base")
            {
                if (filter is not { Kind: FilterKind.Exact, Value: "*" }) return ArtifactPage.Wrong("the value of \"base\" query can only be exact match value with \"*\"");
                scope.Query.IsFiltered = isEverything = true;
            }
            else if (Add(scope, key, filter) is { } problem)
            {
                return ArtifactPage.Wrong(problem);
            }
            // These change without a change of the repository.
            mayRemember &= key is not ("pull_time" or "labels") && scope is { TagPart: null, HasTags: null, Texts.Count: 0 };
        }
        scope.IsOneSearch = list.Filters.Count == 1;
        scope.Query.And(isEverything ? "m.accessory_kind IS NULL" : "m.is_listed");
        // PostgreSQL would walk the primary key through all repositories, for as long as it takes to meet the few rows that match.
        if (database.Kind == DatabaseKind.Postgres && scope.Query.IsFiltered && scope.OrderColumn == "m.id") order = new ListOrder([("m.id + 0", order.Keys[0].IsDescending)]);
        return await database.ReadAsync((List: this, scope, order, list.Page, mayRemember), static async (session, q, t) =>
        {
            await q.List._search.RunAsync(session, q.scope, t).ConfigureAwait(false);
            var total = await q.List.TotalAsync(session, q.scope, q.mayRemember, t).ConfigureAwait(false);
            return new ArtifactPage(await IdsAsync(session, q.scope.Query, q.scope.From, q.order, q.Page, total, t).ConfigureAwait(false), total, null);
        }, ct).ConfigureAwait(false);
    }

    // The stamp was read before, so a total is at most newer than what it is remembered under.
    private async ValueTask<long> TotalAsync(DbSession session, ListScope scope, bool mayRemember, CancellationToken ct)
    {
        if (!scope.Query.IsFiltered) return scope.Unfiltered;
        if (scope.Total is { } found) return found;
        var key = (scope.Query.Identity, scope.Stamp.Count, scope.Stamp.Rising);
        if (mayRemember && _totals.TryGet(key, out var known)) return known;
        var total = await scope.Query.ScalarAsync(session, $"SELECT COUNT(*) FROM {scope.From}", ct).ConfigureAwait(false);
        if (mayRemember) _totals.Set(key, total);
        return total;
    }

    private static async ValueTask<List<long>> IdsAsync(DbSession session, ListQuery query, string from, ListOrder order, ApiPage page, long total, CancellationToken ct)
    {
        var ids = new List<long>(page.Size);
        if (page.Offset >= total) return ids;
        var (sql, isReversed) = order.Of(page, total);
        await using var command = query.Command(session, $"SELECT m.id FROM {from}", sql);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) ids.Add(rows.GetInt64(0));
        if (isReversed) ids.Reverse();
        return ids;
    }

    // Null, or what is wrong. Harbor passes over keys that it does not know.
    private static string? Add(ListScope scope, string key, ApiFilter filter)
    {
        var query = scope.Query;
        switch (key)
        {
            case "tags":
                return AddTags(scope, filter);
            case "labels":
                return AddLabels(scope, filter);
            case "id" or "repository_id" or "size":
                return query.AndNumber(s_columns[key], filter) ? null : $"the value of \"{key}\" must be a number";
            case "push_time" or "pull_time":
                return AddTime(scope, s_columns[key], filter) ? null : $"the value of \"{key}\" must be a time";
            // Its index has the order of pushes and no other.
            case "type" when scope.IsOfRepository && scope.OrderColumn is not ("m.kind" or "m.pushed_at"):
            case "media_type" when scope.IsOfRepository:
                query.IsFiltered = true;
                scope.Texts.Add((s_columns[key], filter));
                return null;
            case "type" or "media_type" or "manifest_media_type" or "artifact_type" or "digest":
                query.AndText(s_columns[key], filter);
                return null;
            default:
                return null;
        }
    }

    private static string? AddTags(ListScope scope, ApiFilter filter)
    {
        var query = scope.Query;
        query.IsFiltered = true;
        switch (filter)
        {
            case { Kind: FilterKind.Fuzzy }:
                scope.TagPart = filter.Value;
                return null;
            case { Kind: FilterKind.Exact, Value: "*" }:
                if (scope.IsOfRepository) scope.HasTags = true;
                else query.And(ArtifactSearch.Tagged);
                return null;
            case { Kind: FilterKind.Exact, Value: "nil" }:
                if (scope.IsOfRepository) scope.HasTags = false;
                else query.And(ArtifactSearch.Untagged);
                return null;
            case { Kind: FilterKind.Exact }:
                query.And($"m.id IN (SELECT t.manifest_id FROM tags t WHERE {scope.OfTags} AND t.name = {query.Value(filter.Value)})");
                return null;
            default:
                return "the value of \"tags\" query can only be fuzzy match value or exact match value";
        }
    }

    private static bool AddTime(ListScope scope, string column, ApiFilter filter)
    {
        var query = scope.Query;
        if (query.Kind != DatabaseKind.Sqlite || !scope.IsOfRepository || scope.OrderColumn == column) return query.AndTime(column, filter);
        if (query.TimeRange(filter) is not { } range) return false;
        scope.TimeRanges.Add((column, range, filter));
        return true;
    }

    private static string? AddLabels(ListScope scope, ApiFilter filter)
    {
        var query = scope.Query;
        query.IsFiltered = true;
        if (filter.Kind != FilterKind.AllOf || filter.Numbers is not { Count: > 0 } labels)
            return "the value of \"labels\" query can only be integer list with intersetion relationship";
        foreach (var label in labels)
        {
            if (scope.Unfiltered <= FewArtifacts)
                query.And($"EXISTS (SELECT 1 FROM manifest_labels l WHERE l.manifest_id = m.id AND l.label_id = {query.Value(label)})");
            else if (scope.IsOfRepository)
                scope.Labels.Add(label);
            else
                query.And($"m.id IN (SELECT l.manifest_id FROM manifest_labels l WHERE l.label_id = {query.Value(label)})");
        }
        return null;
    }

    private static readonly Statement SelectProjectStamp = new("""
        SELECT COUNT(*), COALESCE(SUM(artifact_count), 0), COALESCE(SUM(updated_at), 0) FROM repositories WHERE project_id = @0
        """, """
        SELECT COUNT(*), COALESCE(SUM(artifact_count), 0)::bigint, COALESCE(SUM(updated_at), 0)::bigint FROM repositories WHERE project_id = @0
        """);
}

/// <summary>A page of a list.</summary>
/// <param name="Ids">Manifests in order.</param>
/// <param name="Total">How many the whole list has.</param>
/// <param name="Problem">What is wrong with the question; null when nothing is.</param>
internal sealed record ArtifactPage(IReadOnlyList<long> Ids, long Total, string? Problem)
{
    public static ArtifactPage Wrong(string problem) => new([], 0, problem);
}
