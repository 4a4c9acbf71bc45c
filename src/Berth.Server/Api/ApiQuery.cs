using System.Globalization;

namespace Berth.Server.Api;

/// <summary>How one condition of a <c>q</c> parameter compares.</summary>
public enum FilterKind
{
    /// <summary><c>k=v</c>.</summary>
    Exact,

    /// <summary><c>k=~v</c>: contains.</summary>
    Fuzzy,

    /// <summary><c>k=[a~b]</c>, each end may be missing.</summary>
    Range,

    /// <summary><c>k={a b}</c>: one of them.</summary>
    AnyOf,

    /// <summary><c>k=(a b)</c>: all of them.</summary>
    AllOf,
}

/// <summary>One condition of a <c>q</c> parameter.</summary>
/// <param name="Key">What is compared.</param>
/// <param name="Kind">How.</param>
/// <param name="Values">One value; two ends of a range, empty where it is open; the members of a list.</param>
public sealed record ApiFilter(string Key, FilterKind Kind, IReadOnlyList<string> Values)
{
    /// <summary>The only value.</summary>
    public string Value => Values[0];

    /// <summary>The values as whole numbers; null when one is none.</summary>
    public IReadOnlyList<long>? Numbers =>
        Values.All(v => long.TryParse(v, CultureInfo.InvariantCulture, out _)) ? [.. Values.Select(v => long.Parse(v, CultureInfo.InvariantCulture))] : null;

    /// <summary>
    /// The ends of a range of times as Unix milliseconds; an open end is the earliest or latest time. Null when one is no time.
    /// Written as <c>2006-01-02</c>, <c>2006-01-02 15:04:05</c> or as RFC 3339, in UTC unless they say otherwise; a whole day as the end lasts until it is over.
    /// </summary>
    public (long From, long To)? Times
    {
        get
        {
            var from = Kind == FilterKind.Range ? TimeOf(Values[0], 0) : TimeOf(Value, null);
            var to = Kind == FilterKind.Range ? TimeOf(Values[1], long.MaxValue) : from;
            return from is null || to is null ? null : (from.Value, to.Value);
        }
    }

    private static long? TimeOf(string text, long? whenEmpty)
    {
        if (text.Length == 0) return whenEmpty;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUnixTimeMilliseconds() : null;
    }
}

/// <summary>One key of a <c>sort</c> parameter.</summary>
public readonly record struct ApiSort(string Key, bool IsDescending);

/// <summary>The language of Harbor's <c>q</c> and <c>sort</c> parameters.</summary>
public static class ApiQuery
{
    private const int MaxLength = 4096;
    private const int MaxConditions = 32;

    /// <summary>Reads <c>q</c>: conditions separated by commas; false with a sentence that says what is wrong.</summary>
    public static bool TryParse(string text, out IReadOnlyList<ApiFilter> filters, out string problem)
    {
        var list = new List<ApiFilter>();
        (filters, problem) = (list, "");
        if (text.Length > MaxLength)
        {
            problem = $"q has more than {MaxLength} characters";
            return false;
        }
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                problem = $"invalid query condition: {part}: write key=value";
                return false;
            }
            if (Read(part[..equals].Trim(), part[(equals + 1)..].Trim()) is not { } filter)
            {
                problem = $"invalid query condition: {part}: a range is [min~max], a list {{a b}} or (a b)";
                return false;
            }
            list.Add(filter);
        }
        if (list.Count <= MaxConditions) return true;
        problem = $"q has more than {MaxConditions} conditions";
        return false;
    }

    /// <summary>Reads <c>sort</c>: keys separated by commas, a minus before those that fall.</summary>
    public static IReadOnlyList<ApiSort> ParseSort(string text) =>
    [
        .. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(key => key.StartsWith('-') ? new ApiSort(key[1..], true) : new ApiSort(key, false)),
    ];

    private static ApiFilter? Read(string key, string value)
    {
        if (value.StartsWith('~')) return new ApiFilter(key, FilterKind.Fuzzy, [value[1..]]);
        if (value.Length < 2) return new ApiFilter(key, FilterKind.Exact, [value]);
        var inner = value[1..^1];
        switch (value[0])
        {
            case '[':
                var ends = inner.Split('~');
                return value[^1] == ']' && ends.Length == 2 ? new ApiFilter(key, FilterKind.Range, [ends[0].Trim(), ends[1].Trim()]) : null;
            case '{':
                return value[^1] == '}' ? new ApiFilter(key, FilterKind.AnyOf, Words(inner)) : null;
            case '(':
                return value[^1] == ')' ? new ApiFilter(key, FilterKind.AllOf, Words(inner)) : null;
            case '"' when value[^1] == '"':
                return new ApiFilter(key, FilterKind.Exact, [inner]);
            default:
                return new ApiFilter(key, FilterKind.Exact, [value]);
        }
    }

    private static string[] Words(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(w => w.Trim('"'))];
}

/// <summary>Which page of a list is asked for.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Size">Items on a page, 1 to 100.</param>
public readonly record struct ApiPage(long Number, int Size)
{
    /// <summary>Largest page.</summary>
    public const int MaxSize = 100;

    /// <summary>Items before the page.</summary>
    public long Offset => (Number - 1) * Size;
}
