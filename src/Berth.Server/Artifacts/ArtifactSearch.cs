using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>
/// The conditions of a list for which a whole repository must be looked through. That is done once, not for the total and for the page: the manifests that were found
/// are the condition, and are remembered for the next page and the next order until the repository changes.
/// </summary>
internal sealed class ArtifactSearch
{
    internal const string Tagged = "EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)";
    internal const string Untagged = "NOT " + Tagged;

    private const string OfManifests = "SELECT m.id FROM manifests m";

    // Of 400 kB at most each.
    private const int MaxRememberedIds = 64;
    private const int MaxIds = 50_000;

    private readonly RecentMap<(string Where, long Count, long Stamp), FoundIds> _ids = new(MaxRememberedIds);

    /// <summary>Makes the conditions that need a search into conditions of the list, and tells its length where that comes with it.</summary>
    public async ValueTask RunAsync(DbSession session, ListScope scope, CancellationToken ct)
    {
        if (scope.TagPart is { } part)
        {
            var search = scope.NewSearch();
            search.And($"{scope.OfTags} AND {(search.Kind == DatabaseKind.Sqlite ? "instr" : "strpos")}(t.name, {search.Value(part)}) > 0");
            var found = await FindAsync(session, scope, search, "SELECT t.manifest_id FROM tags t", ct).ConfigureAwait(false);
            scope.Query.And(found.Among(scope.Query));
        }
        if (scope.HasTags is { } hasTags)
        {
            var search = Listed(scope);
            search.And(Untagged);
            var untagged = await FindAsync(session, scope, search, OfManifests, ct).ConfigureAwait(false);
            // Few are without a tag: what has one is found by them too.
            if (hasTags && untagged.Count > MaxIds) scope.Query.And(Tagged);
            else scope.Query.And(hasTags ? untagged.NotAmong(scope.Query) : untagged.Among(scope.Query));
            Told(scope, hasTags ? scope.Unfiltered - untagged.Count : untagged.Count);
        }
        foreach (var (column, filter) in scope.Texts)
        {
            var search = Listed(scope);
            search.AndText(column, filter);
            Narrow(scope, await FindAsync(session, scope, search, OfManifests, ct).ConfigureAwait(false));
        }
        if (scope.Labels.Count > 0)
        {
            var search = Listed(scope);
            foreach (var label in scope.Labels) search.And($"m.id IN (SELECT l.manifest_id FROM manifest_labels l WHERE l.label_id = {search.Value(label)})");
            // Labels change without the repository: nothing is remembered.
            Narrow(scope, FoundIds.Of(session.Kind, await ReadIdsAsync(session, search, OfManifests, ct).ConfigureAwait(false)));
        }
        foreach (var (column, range, filter) in scope.TimeRanges)
            await NarrowAsync(session, scope, column, range, filter, ct).ConfigureAwait(false);
    }

    // A search among what is listed of the one repository.
    private static ListQuery Listed(ListScope scope)
    {
        var search = scope.NewSearch();
        search.And($"m.repository_id = {scope.Owner} AND m.is_listed");
        return search;
    }

    private static void Narrow(ListScope scope, FoundIds found)
    {
        scope.Query.And(found.Among(scope.Query));
        Told(scope, found.Count);
    }

    private static void Told(ListScope scope, long count)
    {
        if (scope.IsOneSearch) scope.Total = count;
    }

    // SQLite would take the index of the time and sort all that it finds. It gets the ids of those inside or outside of the range, whichever are fewer, and
    // goes along the order as far as the page goes.
    private static async ValueTask NarrowAsync(
        DbSession session, ListScope scope, string column, (string From, string To) range, ApiFilter filter, CancellationToken ct)
    {
        var (query, time, inside) = (scope.Query, "x" + column[1..], scope.NewSearch());
        if (inside.TimeRange(filter) is not { } bounds) throw new InvalidOperationException("the range was read before");
        inside.And($"x.repository_id = {scope.Owner} AND x.is_listed AND {ListQuery.InRange(time, bounds)}");
        var count = await inside.ScalarAsync(session, "SELECT COUNT(*) FROM manifests x", ct).ConfigureAwait(false);
        var ids = $"SELECT x.id FROM manifests x WHERE x.repository_id = {scope.Owner} AND x.is_listed AND";
        query.And(count <= scope.Unfiltered / 2
            ? $"m.id IN ({ids} {ListQuery.InRange(time, range)})"
            : $"m.id NOT IN ({ids} {time} < {range.From} UNION ALL {ids} {time} > {range.To})",
            ListQuery.InRange(column, range));
        Told(scope, count);
    }

    private async ValueTask<FoundIds> FindAsync(DbSession session, ListScope scope, ListQuery search, string select, CancellationToken ct)
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

    /// <summary>Manifests that a search has found, as a parameter of the next query.</summary>
    private sealed record FoundIds(int Count, object Parameter)
    {
        private const int MaxLookedUp = 500;

        public static FoundIds Of(DatabaseKind kind, long[] ids) => new(ids.Length, kind == DatabaseKind.Sqlite ? JsonSerializer.Serialize(ids) : ids);

        // PostgreSQL fetches the row of each id that it can look up. Of many it may not: it goes along the index of the order and asks a hash of the ids.
        public string Among(ListQuery query) =>
            query.Kind == DatabaseKind.Sqlite || Count <= MaxLookedUp ? $"m.id IN {In(query)}" : $"(m.id IN {In(query)}) IS TRUE";

        public string NotAmong(ListQuery query) => $"m.id NOT IN {In(query)}";

        private string In(ListQuery query) =>
            query.Kind == DatabaseKind.Sqlite ? $"(SELECT value FROM json_each({query.Value(Parameter)}))" : $"(SELECT unnest({query.Value(Parameter)}))";
    }
}

/// <summary>What a list is over.</summary>
/// <param name="Query">Its conditions.</param>
/// <param name="From">Its tables.</param>
/// <param name="OwnerId">The repository, or the project.</param>
/// <param name="Owner">What stands for it: the first value of this query and of each search.</param>
/// <param name="Stamp">Differs after every change of manifests and tags in it.</param>
/// <param name="Unfiltered">Number of artifacts without conditions.</param>
internal sealed record ListScope(ListQuery Query, string From, long OwnerId, string Owner, (long Count, long Rising) Stamp, long Unfiltered)
{
    /// <summary>Whether it is over what is listed of one repository: not a project, and no unlisted manifests.</summary>
    public bool IsOfRepository { get; init; }

    /// <summary>Condition on tags that are in it.</summary>
    public string OfTags { get; init; } = $"t.repository_id = {Owner}";

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

    /// <summary>A search for manifests of the list; its first value is the repository or project.</summary>
    public ListQuery NewSearch()
    {
        var search = new ListQuery(Query.Kind);
        search.Value(OwnerId);
        return search;
    }

    /// <summary>Text that a tag must contain; null for any.</summary>
    public string? TagPart { get; set; }
}
