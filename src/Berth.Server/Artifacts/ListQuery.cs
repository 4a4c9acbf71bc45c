using System.Data.Common;
using System.Globalization;
using System.Text;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>
/// The SQL of one list: what it selects from, the conditions of <c>q</c> and the order of <c>sort</c>. The texts vary too much to be prepared once, so each is a
/// command of its own. Column names come from this program, values are parameters.
/// </summary>
internal sealed class ListQuery(DatabaseKind kind)
{
    private const int MaxSortKeys = 4;

    private readonly StringBuilder _where = new("WHERE 1 = 1");
    private readonly StringBuilder _counted = new("WHERE 1 = 1");
    private readonly List<object> _values = [];

    public DatabaseKind Kind => kind;

    /// <summary>Whether a condition beyond those that every list has was added.</summary>
    public bool IsFiltered { get; set; }

    /// <summary>A condition that the caller has written.</summary>
    public void And(string condition) => And(condition, condition);

    /// <summary>A condition that is better asked in another form where only the number of rows is wanted.</summary>
    public void And(string condition, string counted)
    {
        _where.Append(" AND ").Append(condition);
        _counted.Append(" AND ").Append(counted);
    }

    /// <summary>
    /// What stands for a value: the name of a parameter. On PostgreSQL a number stands for itself, so that a plan made once is for this repository and not for
    /// one of average size.
    /// </summary>
    public string Value(object value)
    {
        if (kind == DatabaseKind.Postgres && value is long number) return number.ToString(CultureInfo.InvariantCulture);
        _values.Add(value);
        return "@" + (_values.Count - 1).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A condition on a column of text, in Harbor's meaning of each kind of filter.</summary>
    public void AndText(string column, ApiFilter filter)
    {
        IsFiltered = true;
        And(Text(column, filter));
    }

    /// <summary>The same as a text, to be put elsewhere.</summary>
    public string Text(string column, ApiFilter filter) => filter.Kind switch
    {
        FilterKind.Fuzzy => $"{column} {(kind == DatabaseKind.Sqlite ? "LIKE" : "ILIKE")} {Value("%" + Escape(filter.Value) + "%")} ESCAPE '\\'",
        FilterKind.Range => $"{column} >= {Value(filter.Values[0])}" + (filter.Values[1].Length > 0 ? $" AND {column} <= {Value(filter.Values[1])}" : ""),
        FilterKind.AnyOf => filter.Values.Count == 0 ? "1 = 0" : $"{column} IN ({string.Join(", ", filter.Values.Select(v => Value(v)))})",
        FilterKind.Exact => $"{column} = {Value(filter.Value)}",
        _ => "1 = 1",
    };

    /// <summary>A condition on a column of whole numbers; false when the value is none.</summary>
    public bool AndNumber(string column, ApiFilter filter)
    {
        IsFiltered = true;
        if (filter.Kind == FilterKind.Range)
            return AndEnd(column, ">=", filter.Values[0]) && AndEnd(column, "<=", filter.Values[1]);
        if (filter.Kind == FilterKind.AllOf) return true;
        if (filter.Numbers is not { } numbers || filter.Kind == FilterKind.Fuzzy) return false;
        And(numbers.Count == 0 ? "1 = 0" : $"{column} IN ({string.Join(", ", numbers.Select(n => Value(n)))})");
        return true;
    }

    /// <summary>A condition on a column of times; false when the value is none.</summary>
    public bool AndTime(string column, ApiFilter filter)
    {
        if (TimeRange(filter) is not { } range) return false;
        And(InRange(column, range));
        return true;
    }

    /// <summary>The parameters of a range of times; null when the value is none.</summary>
    public (string From, string To)? TimeRange(ApiFilter filter)
    {
        IsFiltered = true;
        if (filter.Kind is FilterKind.Fuzzy or FilterKind.AnyOf or FilterKind.AllOf || filter.Times is not { } times) return null;
        // What Harbor is told by the second may have happened within it.
        var to = times.To is < long.MaxValue - 999 and > 0 && times.To % 1000 == 0 ? times.To + 999 : times.To;
        return (Value(times.From), Value(to));
    }

    /// <summary>That a column lies in a range.</summary>
    public static string InRange(string column, (string From, string To) range) => $"{column} >= {range.From} AND {column} <= {range.To}";

    /// <summary>The order: the keys that a list knows, else its own; the last column makes it the same every time.</summary>
    /// <param name="sort">What the caller asks for; unknown keys are passed over, as in Harbor.</param>
    /// <param name="columns">Column of each key.</param>
    /// <param name="own">Column of the order without a key, the highest first.</param>
    /// <param name="last">What decides among equals, a unique column at the end.</param>
    public static ListOrder Order(IReadOnlyList<ApiSort> sort, IReadOnlyDictionary<string, string> columns, string own, params ReadOnlySpan<string> last)
    {
        var keys = new List<(string Column, bool IsDescending)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var isDescending = true;
        foreach (var key in sort)
        {
            if (keys.Count == MaxSortKeys || !columns.TryGetValue(SnakeCase(key.Key), out var column) || !seen.Add(column)) continue;
            isDescending = key.IsDescending;
            keys.Add((column, isDescending));
        }
        // In the same direction, so that an index can be walked.
        if (keys.Count == 0) keys.Add((own, true));
        foreach (var column in last)
        {
            if (keys[^1].Column != last[^1] && !keys.Exists(k => k.Column == column)) keys.Add((column, isDescending));
        }
        return new ListOrder(keys);
    }

    /// <summary>A command of the parts around the conditions.</summary>
    public DbCommand Command(DbSession session, string before, string after) => Command(session, $"{before} {_where} {after}");

    private DbCommand Command(DbSession session, string text) => session.OneTimeCommand(text, _values);

    /// <summary>The number that a command which counts returns.</summary>
    public async ValueTask<long> ScalarAsync(DbSession session, string before, CancellationToken ct)
    {
        await using var command = Command(session, $"{before} {_counted}");
        return Convert.ToInt64(await command.ExecuteScalarAsync(ct).ConfigureAwait(false) ?? 0L, CultureInfo.InvariantCulture);
    }

    /// <summary>Conditions and values as one text: the same for the same list.</summary>
    public string Identity => string.Join('\u001f', _values.Select(v => Convert.ToString(v, CultureInfo.InvariantCulture)).Prepend(_where.ToString()));

    /// <summary>Harbor takes names of fields in both styles: <c>PushTime</c> and <c>push_time</c>.</summary>
    public static string SnakeCase(string name)
    {
        if (name.Length is 0 or > 64 || !name.Any(char.IsAsciiLetterUpper)) return name;
        var text = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsAsciiLetterUpper(name[i]) && i > 0 && char.IsAsciiLetterLower(name[i - 1])) text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    private bool AndEnd(string column, string comparison, string text)
    {
        if (text.Length == 0) return true;
        if (!long.TryParse(text, CultureInfo.InvariantCulture, out var number)) return false;
        And($"{column} {comparison} {Value(number)}");
        return true;
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}

/// <summary>The order of a list.</summary>
internal sealed record ListOrder(IReadOnlyList<(string Column, bool IsDescending)> Keys)
{
    /// <summary>The order alone.</summary>
    public string Sql => "ORDER BY " + string.Join(", ", Keys.Select(k => k.Column + (k.IsDescending ? " DESC" : " ASC")));

    /// <summary>
    /// Order, limit and offset of a page. One in the second half is read from the end of the list, which costs less, and comes in reverse.
    /// </summary>
    /// <param name="page">Which page; it begins before the end of the list.</param>
    /// <param name="total">Length of the list.</param>
    public (string Sql, bool IsReversed) Of(ApiPage page, long total)
    {
        var size = Math.Min(page.Size, total - page.Offset);
        var fromEnd = page.Offset > total / 2;
        var keys = string.Join(", ", Keys.Select(k => k.Column + (k.IsDescending != fromEnd ? " DESC" : " ASC")));
        return ($"ORDER BY {keys} LIMIT {size} OFFSET {(fromEnd ? total - page.Offset - size : page.Offset)}", fromEnd);
    }
}
