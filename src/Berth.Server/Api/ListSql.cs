using System.Data.Common;
using System.Globalization;
using System.Text;
using Berth.Server.Platform.Data;

namespace Berth.Server.Api;

/// <summary>What a column of a list holds.</summary>
internal enum ListColumnKind
{
    Text,
    Number,
    Flag,

    /// <summary>Unix milliseconds.</summary>
    Time,
}

/// <summary>A column that callers may filter and sort by.</summary>
/// <param name="Sql">Its name, or an expression.</param>
/// <param name="Kind">What it holds.</param>
internal sealed record ListColumn(string Sql, ListColumnKind Kind = ListColumnKind.Text);

/// <summary>
/// Puts the SQL of a list together from what the caller asks for. Values are always parameters; names come from the table of columns alone. Conditions and
/// orders with unknown keys are left out, as Harbor does; keys are compared without case and underscores.
/// </summary>
/// <param name="select">Columns of the result.</param>
/// <param name="from">Table with its joins.</param>
/// <param name="columns">By key, in lower case without underscores.</param>
/// <param name="defaultOrder">Order without a wish.</param>
/// <param name="lastOrder">Unique column that makes every order total.</param>
internal sealed class ListSql(string select, string from, IReadOnlyDictionary<string, ListColumn> columns, string defaultOrder, string lastOrder)
{
    /// <summary>Starts a query with a condition that always holds.</summary>
    public Query Of(string? condition = null, params object?[] values)
    {
        var query = new Query(this);
        if (condition is not null) query.Add(condition, values);
        return query;
    }

    /// <summary>The pattern of LIKE with <c>ESCAPE '!'</c> for what contains a text, whatever the case: the other side must be in lower case.</summary>
    public static string Containing(string text) =>
        $"%{text.ToLowerInvariant().Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal)}%";

    private static string KeyOf(string key) => key.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>One query.</summary>
    internal sealed class Query(ListSql list)
    {
        private readonly StringBuilder _where = new();
        private readonly List<object?> _values = [];

        /// <summary>Adds a condition; <c>?</c> stands for each value in turn.</summary>
        public void Add(string condition, params object?[] values)
        {
            _where.Append(_where.Length == 0 ? " WHERE " : " AND ");
            var next = 0;
            foreach (var c in condition)
            {
                if (c != '?')
                {
                    _where.Append(c);
                    continue;
                }
                _where.Append(CultureInfo.InvariantCulture, $"@{_values.Count}");
                _values.Add(values[next++]);
            }
        }

        /// <summary>Adds "contains, whatever the case".</summary>
        public void AddContains(string column, string text) =>
            Add($"LOWER({column}) LIKE ? ESCAPE '!'", Containing(text));

        /// <summary>Adds the conditions of a request; the sentence says what is wrong with them, or is null.</summary>
        /// <param name="filters">The conditions.</param>
        /// <param name="except">Keys that the caller has dealt with.</param>
        public string? TryAdd(IReadOnlyList<ApiFilter> filters, params ReadOnlySpan<string> except)
        {
            foreach (var filter in filters)
            {
                var key = KeyOf(filter.Key);
                if (except.Contains(key) || !list.Columns.TryGetValue(key, out var column)) continue;
                if (!TryAdd(column, filter)) return $"invalid query condition: {filter.Key}: it does not compare with such a value";
            }
            return null;
        }

        /// <summary>How many rows there are.</summary>
        public async ValueTask<long> CountAsync(DbSession session, CancellationToken ct)
        {
            await using var command = session.OneTimeCommand($"SELECT COUNT(*) FROM {list.From}{_where}", _values);
            return Convert.ToInt64(await command.ExecuteScalarAsync(ct).ConfigureAwait(false), CultureInfo.InvariantCulture);
        }

        /// <summary>One page.</summary>
        public async ValueTask<List<T>> ReadAsync<T>(DbSession session, ApiPage page, IReadOnlyList<ApiSort> sort, Func<DbDataReader, T> read, CancellationToken ct)
        {
            var sql = string.Create(CultureInfo.InvariantCulture, $"SELECT {list.Select} FROM {list.From}{_where} ORDER BY {OrderOf(sort)} LIMIT {page.Size} OFFSET {page.Offset}");
            await using var command = session.OneTimeCommand(sql, _values);
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            var all = new List<T>();
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) all.Add(read(rows));
            return all;
        }

        private string OrderOf(IReadOnlyList<ApiSort> sort)
        {
            var order = new List<string>();
            foreach (var key in sort)
            {
                if (list.Columns.TryGetValue(KeyOf(key.Key), out var column)) order.Add(column.Sql + (key.IsDescending ? " DESC" : ""));
            }
            if (order.Count == 0) order.Add(list.DefaultOrder);
            order.Add(list.LastOrder);
            return string.Join(", ", order.Distinct());
        }

        private bool TryAdd(ListColumn column, ApiFilter filter)
        {
            switch (filter.Kind)
            {
                case FilterKind.Fuzzy when column.Kind == ListColumnKind.Text:
                    AddContains(column.Sql, filter.Value);
                    return true;
                case FilterKind.Range when column.Kind == ListColumnKind.Time:
                    if (filter.Times is not { } times) return false;
                    Add($"{column.Sql} >= ? AND {column.Sql} <= ?", times.From, times.To);
                    return true;
                case FilterKind.Range:
                    return TryAddRange(column, filter);
                case FilterKind.Exact:
                case FilterKind.AnyOf:
                    var values = new object?[filter.Values.Count];
                    for (var i = 0; i < values.Length; i++)
                    {
                        if (ValueOf(column, filter.Values[i]) is not { } value) return false;
                        values[i] = value;
                    }
                    if (values.Length == 0) Add("1 = 0");
                    else Add($"{column.Sql} IN ({string.Join(", ", values.Select(_ => "?"))})", values);
                    return true;
                default:
                    return false;
            }
        }

        private bool TryAddRange(ListColumn column, ApiFilter filter)
        {
            for (var i = 0; i < 2; i++)
            {
                if (filter.Values[i].Length == 0) continue;
                if (ValueOf(column, filter.Values[i]) is not { } end) return false;
                Add($"{column.Sql} {(i == 0 ? ">=" : "<=")} ?", end);
            }
            return true;
        }

        private static object? ValueOf(ListColumn column, string text) => column.Kind switch
        {
            ListColumnKind.Number => long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null,
            ListColumnKind.Flag => text is "true" or "1" ? true : text is "false" or "0" ? false : null,
            ListColumnKind.Time => new ApiFilter("", FilterKind.Exact, [text]).Times?.From,
            _ => text,
        };
    }

    private string Select => select;

    private string From => from;

    private IReadOnlyDictionary<string, ListColumn> Columns => columns;

    private string DefaultOrder => defaultOrder;

    private string LastOrder => lastOrder;
}
