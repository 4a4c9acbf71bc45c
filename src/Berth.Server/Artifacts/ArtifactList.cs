using System.Text.Json;
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

    // Of 400 kB at most each.
    private const int MaxRememberedIds = 64;
    private const int MaxIds = 50_000;

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
    private readonly RecentMap<(string Where, long Count, long Stamp), FoundIds> _ids = new(MaxRememberedIds);

    /// <summary>A page of a repository's artifacts, or what is wrong with the question.</summary>
    public Task<ArtifactPage> ReadAsync(RepositoryPath repository, ApiList list, CancellationToken ct)
    {
        var query = new ListQuery(database.Kind);
        query.And($"m.repository_id = {query.Value(repository.Id)}");
        return RunAsync(new Scope(query, "manifests m", "t.repository_id = @0", repository.Id, (repository.ArtifactCount, repository.Stamp), repository.ArtifactCount)
        {
            OfRepository = list.Find("base") is null ? "x.repository_id = @0" : null,
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
        query.And($"r.project_id = {query.Value(projectId)}");
        foreach (var filter in list.Filters)
        {
            if (ListQuery.SnakeCase(filter.Key) == "repository_name") query.AndText("r.name", filter);
        }
        var scope = new Scope(
            query, "repositories r JOIN manifests m ON m.repository_id = r.id", "t.repository_id IN (SELECT id FROM repositories WHERE project_id = @0)", projectId,
            (stamp.Repositories, stamp.Stamp), stamp.Artifacts);
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

    private async Task<ArtifactPage> RunAsync(Scope scope, ApiList list, CancellationToken ct)
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
            await q.List.SearchAsync(session, q.scope, t).ConfigureAwait(false);
            var total = await q.List.TotalAsync(session, q.scope, q.mayRemember, t).ConfigureAwait(false);
            return new ArtifactPage(await IdsAsync(session, q.scope.Query, q.scope.From, q.order, q.Page, total, t).ConfigureAwait(false), total, null);
        }, ct).ConfigureAwait(false);
    }

    // The stamp was read before, so a total is at most newer than what it is remembered under.
    private async ValueTask<long> TotalAsync(DbSession session, Scope scope, bool mayRemember, CancellationToken ct)
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
    private static string? Add(Scope scope, string key, ApiFilter filter)
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
            case "type" when scope.OfRepository is not null && scope.OrderColumn is not ("m.kind" or "m.pushed_at"):
            case "media_type" when scope.OfRepository is not null:
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

    private static string? AddTags(Scope scope, ApiFilter filter)
    {
        var query = scope.Query;
        query.IsFiltered = true;
        switch (filter)
        {
            case { Kind: FilterKind.Fuzzy }:
                scope.TagPart = filter.Value;
                return null;
            case { Kind: FilterKind.Exact, Value: "*" }:
                if (scope.OfRepository is not null) scope.HasTags = true;
                else query.And(Tagged);
                return null;
            case { Kind: FilterKind.Exact, Value: "nil" }:
                if (scope.OfRepository is not null) scope.HasTags = false;
                else query.And(Untagged);
                return null;
            case { Kind: FilterKind.Exact }:
                query.And($"m.id IN (SELECT t.manifest_id FROM tags t WHERE {scope.OfTags} AND t.name = {query.Value(filter.Value)})");
                return null;
            default:
                return "the value of \"tags\" query can only be fuzzy match value or exact match value";
        }
    }

    private static bool AddTime(Scope scope, string column, ApiFilter filter)
    {
        var query = scope.Query;
        if (query.Kind != DatabaseKind.Sqlite || scope.OfRepository is null || scope.OrderColumn == column) return query.AndTime(column, filter);
        if (query.TimeRange(filter) is not { } range) return false;
        scope.TimeRanges.Add((column, range, filter));
        return true;
    }

    // What looks through a whole list does so once, not for the total and for the page; the manifests that were found are the condition, and are
    // remembered for the next page and the next order.
    private async ValueTask SearchAsync(DbSession session, Scope scope, CancellationToken ct)
    {
        const string OfManifests = "SELECT m.id FROM manifests m";
        if (scope.TagPart is { } part)
        {
            var search = scope.NewSearch();
            search.And($"{scope.OfTags} AND {(search.Kind == DatabaseKind.Sqlite ? "instr" : "strpos")}(t.name, {search.Value(part)}) > 0");
            var found = await FindAsync(session, scope, search, "SELECT t.manifest_id FROM tags t", ct).ConfigureAwait(false);
            scope.Query.And($"m.id IN {found.In(scope.Query)}");
        }
        if (scope.HasTags is { } hasTags)
        {
            var search = scope.NewSearch();
            search.And($"m.repository_id = @0 AND m.is_listed AND {Untagged}");
            var untagged = await FindAsync(session, scope, search, OfManifests, ct).ConfigureAwait(false);
            // Few are without a tag: what has one is found by them too.
            if (hasTags && untagged.Count > MaxIds) scope.Query.And(Tagged);
            else scope.Query.And($"m.id {(hasTags ? "NOT IN" : "IN")} {untagged.In(scope.Query)}");
            if (scope.IsOneSearch) scope.Total = hasTags ? scope.Unfiltered - untagged.Count : untagged.Count;
        }
        foreach (var (column, filter) in scope.Texts)
        {
            var search = scope.NewSearch();
            search.And("m.repository_id = @0 AND m.is_listed");
            search.AndText(column, filter);
            var found = await FindAsync(session, scope, search, OfManifests, ct).ConfigureAwait(false);
            scope.Query.And($"m.id IN {found.In(scope.Query)}");
            if (scope.IsOneSearch) scope.Total = found.Count;
        }
        if (scope.Labels.Count > 0)
        {
            var search = scope.NewSearch();
            search.And("m.repository_id = @0 AND m.is_listed");
            foreach (var label in scope.Labels) search.And($"m.id IN (SELECT l.manifest_id FROM manifest_labels l WHERE l.label_id = {search.Value(label)})");
            // Labels change without the repository: nothing is remembered.
            var found = FoundIds.Of(session.Kind, await ReadIdsAsync(session, search, OfManifests, ct).ConfigureAwait(false));
            scope.Query.And($"m.id IN {found.In(scope.Query)}");
            if (scope.IsOneSearch) scope.Total = found.Count;
        }
        foreach (var (column, range, filter) in scope.TimeRanges)
            await NarrowAsync(session, scope, column, range, filter, ct).ConfigureAwait(false);
    }

    // SQLite would take the index of the time and sort all that it finds. It gets the ids of those inside or outside of the range, whichever are fewer, and
    // goes along the order as far as the page goes.
    private static async ValueTask NarrowAsync(
        DbSession session, Scope scope, string column, (string From, string To) range, ApiFilter filter, CancellationToken ct)
    {
        var (query, time, inside) = (scope.Query, "x" + column[1..], scope.NewSearch());
        if (inside.TimeRange(filter) is not { } bounds) throw new InvalidOperationException("the range was read before");
        inside.And($"x.repository_id = @0 AND x.is_listed AND {ListQuery.InRange(time, bounds)}");
        var count = await inside.ScalarAsync(session, "SELECT COUNT(*) FROM manifests x", ct).ConfigureAwait(false);
        var ids = $"SELECT x.id FROM manifests x WHERE {scope.OfRepository} AND x.is_listed AND";
        query.And(count <= scope.Unfiltered / 2
            ? $"m.id IN ({ids} {ListQuery.InRange(time, range)})"
            : $"m.id NOT IN ({ids} {time} < {range.From} UNION ALL {ids} {time} > {range.To})",
            ListQuery.InRange(column, range));
        if (scope.IsOneSearch) scope.Total = count;
    }

    private async ValueTask<FoundIds> FindAsync(DbSession session, Scope scope, ListQuery search, string select, CancellationToken ct)
    {
        var key = (search.Identity, scope.Stamp.Count, scope.Stamp.Rising);
        if (!_ids.TryGet(key, out var found)) found = FoundIds.Of(session.Kind, await ReadIdsAsync(session, search, select, ct).ConfigureAwait(false));
        // What is asked for again stays.
        if (found.Count <= MaxIds) _ids.Set(key, found);
        return found;
    }

    private static async ValueTask<long[]> ReadIdsAsync(DbSession session, ListQuery search, string select, CancellationToken ct)
    {
        var found = new HashSet<long>();
        await using var command = search.Command(session, select, "");
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
        return [.. found];
    }

    private static string? AddLabels(Scope scope, ApiFilter filter)
    {
        var query = scope.Query;
        query.IsFiltered = true;
        if (filter.Kind != FilterKind.AllOf || filter.Numbers is not { Count: > 0 } labels)
            return "the value of \"labels\" query can only be integer list with intersetion relationship";
        foreach (var label in labels)
        {
            if (scope.OfRepository is not null && scope.Unfiltered > FewArtifacts) scope.Labels.Add(label);
            else query.And(scope.Unfiltered <= FewArtifacts
                ? $"EXISTS (SELECT 1 FROM manifest_labels l WHERE l.manifest_id = m.id AND l.label_id = {query.Value(label)})"
                : $"m.id IN (SELECT l.manifest_id FROM manifest_labels l WHERE l.label_id = {query.Value(label)})");
        }
        return null;
    }

    /// <summary>What a list is over.</summary>
    /// <param name="Query">Its conditions.</param>
    /// <param name="From">Its tables.</param>
    /// <param name="OfTags">Condition on tags that are in it, by the parameter <c>@0</c>.</param>
    /// <param name="OfTagsValue">Value of that parameter: it is the first of the list too.</param>
    /// <param name="Stamp">Differs after every change of manifests and tags in it.</param>
    /// <param name="Unfiltered">Number of artifacts without conditions.</param>
    private sealed record Scope(ListQuery Query, string From, string OfTags, long OfTagsValue, (long Count, long Rising) Stamp, long Unfiltered)
    {
        /// <summary>Condition on manifests <c>x</c> of the one repository; null for a project, or if unlisted manifests are shown too.</summary>
        public string? OfRepository { get; set; }

        /// <summary>First column of the order.</summary>
        public string OrderColumn { get; set; } = "";

        /// <summary>Whether only what has a tag, or only what has none, is shown of the one repository.</summary>
        public bool? HasTags { get; set; }

        /// <summary>Whether the list has no other condition than the one that was searched for.</summary>
        public bool IsOneSearch { get; set; }

        /// <summary>Length of the list, when a search has told it.</summary>
        public long? Total { get; set; }

        /// <summary>Conditions on times of the one repository: column, parameters, and what was asked.</summary>
        public List<(string Column, (string From, string To) Range, ApiFilter Filter)> TimeRanges { get; } = [];

        /// <summary>Conditions on types, of the one repository.</summary>
        public List<(string Column, ApiFilter Filter)> Texts { get; } = [];

        /// <summary>Labels that all must have, of the one repository.</summary>
        public List<long> Labels { get; } = [];

        /// <summary>A search for manifests of the list; its parameter <c>@0</c> is the repository or project.</summary>
        public ListQuery NewSearch()
        {
            var search = new ListQuery(Query.Kind);
            search.Value(OfTagsValue);
            return search;
        }

        /// <summary>Text that a tag must contain; null for any.</summary>
        public string? TagPart { get; set; }
    }

    /// <summary>Manifests that a search has found, as a parameter of the next query.</summary>
    private sealed record FoundIds(int Count, object Parameter)
    {
        public static FoundIds Of(DatabaseKind kind, long[] ids) => new(ids.Length, kind == DatabaseKind.Sqlite ? JsonSerializer.Serialize(ids) : ids);

        public string In(ListQuery query) =>
            query.Kind == DatabaseKind.Sqlite ? $"(SELECT value FROM json_each({query.Value(Parameter)}))" : $"(SELECT unnest({query.Value(Parameter)}))";
    }

    private const string Tagged = "EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)";
    private const string Untagged = "NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)";

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
