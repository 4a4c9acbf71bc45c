using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Berth.Scanner.Reports.Templates;

/// <summary>
/// The values of templates: null, bool, long, double, string, <see cref="DateTimeOffset"/>, lists and maps (with sorted keys). Trivy's templates run over Go's structures, where a field that the JSON
/// leaves out is empty: so it is here.
/// </summary>
internal static class TemplateValues
{
    private const int MaxDepth = 64;
    private const int MaxNumberItems = 1_000_000;

    // Numbers that JSON leaves out when they are 0.
    private static readonly HashSet<string> Numbers = new(StringComparer.Ordinal) { "StartLine", "EndLine", "V2Score", "V3Score", "V40Score", "Successes", "Failures", "Exceptions", "Size", "Epoch", "SrcEpoch" };

    /// <summary>A document as value.</summary>
    public static object? Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => Map(element),
        JsonValueKind.Array => element.EnumerateArray().Select(Of).ToList(),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.TryGetInt64(out var number) ? number : element.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    /// <summary>A field of a map; empty when it is not there.</summary>
    public static object? Field(object? value, string name)
    {
        switch (value)
        {
            case IReadOnlyDictionary<string, object?> map:
                if (map.TryGetValue(name, out var found)) return found;
                // The flaw and its details are one object in the report, two in Trivy's structures.
                if (name == "Vulnerability" && map.ContainsKey("VulnerabilityID")) return map;
                return Numbers.Contains(name) ? 0L : null;
            case null:
                return Numbers.Contains(name) ? 0L : null;
            default:
                throw new TemplateException($"{Kind(value)} has no field {name}");
        }
    }

    /// <summary>Whether a value is not empty.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool yes => yes,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        IReadOnlyList<object?> list => list.Count > 0,
        IReadOnlyDictionary<string, object?> map => map.Count > 0,
        _ => true,
    };

    /// <summary>Keys and elements of what can be gone through; null for anything else.</summary>
    public static IEnumerable<(object? Key, object? Item)>? Items(object? value) => value switch
    {
        null => [],
        IReadOnlyList<object?> list => list.Select(static (item, at) => ((object?)(long)at, item)),
        IReadOnlyDictionary<string, object?> map => map.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => ((object?)pair.Key, pair.Value)),
        long and >= 0 and <= MaxNumberItems and var count => Enumerable.Range(0, (int)count).Select(static at => ((object?)(long)at, (object?)(long)at)),
        _ => null,
    };

    /// <summary>Number of elements.</summary>
    public static long Length(object? value) => value switch
    {
        null => 0,
        // Go counts bytes.
        string text => Encoding.UTF8.GetByteCount(text),
        IReadOnlyList<object?> list => list.Count,
        IReadOnlyDictionary<string, object?> map => map.Count,
        _ => throw new TemplateException($"{Kind(value)} has no length"),
    };

    /// <summary>A value as text, as Go prints it.</summary>
    public static string Print(object? value) => value is string text ? text : Print(new StringBuilder(), value, 0).ToString();

    public static string Kind(object? value) => value switch
    {
        null => "nil",
        bool => "bool",
        long => "int",
        double => "float64",
        string => "string",
        IReadOnlyList<object?> => "slice",
        IReadOnlyDictionary<string, object?> => "map",
        _ => "struct",
    };

    /// <summary>Order of two values of a kind; a missing one is empty.</summary>
    /// <exception cref="TemplateException">They have none.</exception>
    public static int Compare(object? left, object? right) => (left, right) switch
    {
        (null, null) => 0,
        (string a, string b) => string.CompareOrdinal(a, b),
        (string a, null) => string.CompareOrdinal(a, ""),
        (null, string b) => string.CompareOrdinal("", b),
        (bool a, bool b) => a.CompareTo(b),
        (bool a, null) => a.CompareTo(false),
        (null, bool b) => false.CompareTo(b),
        (long or double or null, long or double or null) => Number(left).CompareTo(Number(right)),
        _ => throw new TemplateException($"{Kind(left)} and {Kind(right)} cannot be compared"),
    };

    /// <summary>A value as number.</summary>
    /// <exception cref="TemplateException">It is none.</exception>
    public static double Number(object? value) => value switch
    {
        null => 0,
        long number => number,
        double number => number,
        bool yes => yes ? 1 : 0,
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw new TemplateException($"{Kind(value)} is no number"),
    };

    /// <summary>A value as whole number.</summary>
    public static long Whole(object? value) => value is long number ? number : (long)Math.Clamp(Number(value), long.MinValue, long.MaxValue);

    private static SortedDictionary<string, object?> Map(JsonElement element)
    {
        var map = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject()) map[member.Name] = Of(member.Value);
        return map;
    }

    private static StringBuilder Print(StringBuilder text, object? value, int depth)
    {
        if (depth > MaxDepth) throw new TemplateException("a value is nested too deeply");
        switch (value)
        {
            case null:
                return text;
            case bool yes:
                return text.Append(yes ? "true" : "false");
            case double number:
                return text.Append(Float(number));
            case DateTimeOffset time:
                return text.Append(time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture)).Append(" +0000 UTC");
            case IReadOnlyList<object?> list:
                text.Append('[');
                for (var i = 0; i < list.Count; i++) Print(i > 0 ? text.Append(' ') : text, list[i], depth + 1);
                return text.Append(']');
            case IReadOnlyDictionary<string, object?> map:
                text.Append("map[");
                var isFirst = true;
                foreach (var (key, item) in map.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
                {
                    Print((isFirst ? text : text.Append(' ')).Append(key).Append(':'), item, depth + 1);
                    isFirst = false;
                }
                return text.Append(']');
            default:
                return text.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
        }
    }

    // %v of a float64: shortest form, with an exponent where it is large or small.
    private static string Float(double number)
    {
        if (number == 0) return "0";
        var exponent = (int)Math.Floor(Math.Log10(Math.Abs(number)));
        return exponent is < -4 or >= 21 ? number.ToString("0.################e+00", CultureInfo.InvariantCulture) : ((decimal)number).ToString(CultureInfo.InvariantCulture);
    }
}
