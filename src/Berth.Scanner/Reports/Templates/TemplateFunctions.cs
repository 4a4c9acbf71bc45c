using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Berth.Scanner.Reports.Templates;

/// <summary>
/// The functions of templates: those of Go's text/template, Trivy's own, and those of the library that Trivy adds (Sprig) that templates for reports use. None reaches beyond its arguments but
/// <c>now</c>, <c>appVersion</c> and <c>env</c>.
/// </summary>
/// <param name="now">Time of the report.</param>
/// <param name="version">Version of this program.</param>
/// <param name="variables">What <c>env</c> gives.</param>
internal sealed class TemplateFunctions(DateTimeOffset now, string version, IReadOnlyDictionary<string, string> variables)
{
    private const int MaxText = 64 * 1024 * 1024;
    private const int MaxPattern = 4096;
    private static readonly TimeSpan RegexTime = TimeSpan.FromSeconds(2);

    private delegate object? Function(TemplateFunctions self, Arguments given);

    private static readonly Dictionary<string, Function> Known = new(StringComparer.Ordinal)
    {
        // Go's own.
        ["and"] = static (_, a) => a.All.FirstOrDefault(static one => !TemplateValues.IsTrue(one), a.Last),
        ["or"] = static (_, a) => a.All.FirstOrDefault(TemplateValues.IsTrue, a.Last),
        ["not"] = static (_, a) => !TemplateValues.IsTrue(a[0]),
        ["len"] = static (_, a) => TemplateValues.Length(a[0]),
        ["index"] = static (_, a) => a.All.Skip(1).Aggregate(a[0], Index),
        ["slice"] = static (_, a) => Slice(a[0], a.Count > 1 ? a.Whole(1) : 0, a.Count > 2 ? a.Whole(2) : null),
        ["print"] = static (_, a) => string.Concat(a.All.Select(TemplateValues.Print)),
        ["println"] = static (_, a) => string.Join(' ', a.All.Select(TemplateValues.Print)) + "\n",
        ["printf"] = static (_, a) => TemplateFormat.Format(a.Text(0), [.. a.All.Skip(1)]),
        ["eq"] = static (_, a) => a.Count > 1 && a.All.Skip(1).Any(one => TemplateValues.Compare(a[0], one) == 0),
        ["ne"] = static (_, a) => TemplateValues.Compare(a[0], a[1]) != 0,
        ["lt"] = static (_, a) => TemplateValues.Compare(a[0], a[1]) < 0,
        ["le"] = static (_, a) => TemplateValues.Compare(a[0], a[1]) <= 0,
        ["gt"] = static (_, a) => TemplateValues.Compare(a[0], a[1]) > 0,
        ["ge"] = static (_, a) => TemplateValues.Compare(a[0], a[1]) >= 0,
        ["html"] = static (_, a) => EscapeHtml(a.Text(0)),
        ["urlquery"] = static (_, a) => Uri.EscapeDataString(a.Text(0)).Replace("%20", "+", StringComparison.Ordinal),

        // Trivy's own.
        ["escapeXML"] = static (_, a) => EscapeXml(a.Text(0)),
        ["escapeString"] = static (_, a) => EscapeHtml(a.Text(0)),
        ["endWithPeriod"] = static (_, a) => a.Text(0).EndsWith('.') ? a.Text(0) : a.Text(0) + ".",
        ["toPathUri"] = static (_, a) => a.Text(0).Split(':')[0].Replace(' ', '_'),
        ["sourceID"] = static (_, a) => a.Text(0),
        ["now"] = static (self, _) => self.Now,
        ["appVersion"] = static (self, _) => self.Version,
        ["env"] = static (self, a) => self.Variable(a.Text(0)),
        ["getEnv"] = static (self, a) => self.Variable(a.Text(0)),

        // Sprig: texts.
        ["toLower"] = static (_, a) => a.Text(0).ToLowerInvariant(),
        ["lower"] = static (_, a) => a.Text(0).ToLowerInvariant(),
        ["toUpper"] = static (_, a) => a.Text(0).ToUpperInvariant(),
        ["upper"] = static (_, a) => a.Text(0).ToUpperInvariant(),
        ["title"] = static (_, a) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(a.Text(0)),
        ["toString"] = static (_, a) => a.Text(0),
        ["trim"] = static (_, a) => a.Text(0).Trim(),
        ["trimAll"] = static (_, a) => a.Text(1).Trim(a.Text(0).ToCharArray()),
        ["trimPrefix"] = static (_, a) => a.Text(1).StartsWith(a.Text(0), StringComparison.Ordinal) ? a.Text(1)[a.Text(0).Length..] : a.Text(1),
        ["trimSuffix"] = static (_, a) => a.Text(1).EndsWith(a.Text(0), StringComparison.Ordinal) ? a.Text(1)[..^a.Text(0).Length] : a.Text(1),
        ["replace"] = static (_, a) => Bounded(a.Text(0).Length == 0 ? a.Text(2) : a.Text(2).Replace(a.Text(0), a.Text(1), StringComparison.Ordinal)),
        ["contains"] = static (_, a) => a.Text(1).Contains(a.Text(0), StringComparison.Ordinal),
        ["hasPrefix"] = static (_, a) => a.Text(1).StartsWith(a.Text(0), StringComparison.Ordinal),
        ["hasSuffix"] = static (_, a) => a.Text(1).EndsWith(a.Text(0), StringComparison.Ordinal),
        ["substr"] = static (_, a) => Substring(a.Text(2), a.Whole(0), a.Whole(1)),
        ["trunc"] = static (_, a) => a.Whole(0) >= 0 ? Substring(a.Text(1), 0, a.Whole(0)) : Substring(a.Text(1), Math.Max(0, a.Text(1).Length + a.Whole(0)), -1),
        ["abbrev"] = static (_, a) => a.Text(1).Length <= a.Whole(0) || a.Whole(0) < 4 ? a.Text(1) : Substring(a.Text(1), 0, a.Whole(0) - 3) + "...",
        ["repeat"] = static (_, a) => Repeat(a.Text(1), a.Whole(0)),
        ["indent"] = static (_, a) => Indent(a.Text(1), a.Whole(0)),
        ["nindent"] = static (_, a) => "\n" + Indent(a.Text(1), a.Whole(0)),
        ["nospace"] = static (_, a) => string.Concat(a.Text(0).Where(static c => !char.IsWhiteSpace(c))),
        ["quote"] = static (_, a) => string.Join(' ', a.All.Where(static one => one is not null).Select(static one => TemplateFormat.Quote(TemplateValues.Print(one)))),
        ["squote"] = static (_, a) => string.Join(' ', a.All.Where(static one => one is not null).Select(static one => $"'{TemplateValues.Print(one)}'")),
        ["cat"] = static (_, a) => string.Join(' ', a.All.Where(static one => one is not null).Select(TemplateValues.Print)),
        ["b64enc"] = static (_, a) => Convert.ToBase64String(Encoding.UTF8.GetBytes(a.Text(0))),
        ["sha1sum"] = static (_, a) => Fingerprint(a.Text(0)),
        ["sha256sum"] = static (_, a) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(a.Text(0)))),
        ["regexMatch"] = static (_, a) => Pattern(a.Text(0)).IsMatch(a.Text(1)),
        ["regexFind"] = static (_, a) => Pattern(a.Text(0)).Match(a.Text(1)).Value,
        ["regexReplaceAll"] = static (_, a) => Bounded(Pattern(a.Text(0)).Replace(a.Text(1), a.Text(2))),
        ["split"] = static (_, a) => Split(a.Text(0), a.Text(1)),
        ["splitList"] = static (_, a) => Split(a.Text(0), a.Text(1)),
        ["join"] = static (_, a) => Bounded(string.Join(a.Text(0), a.List(1).Select(TemplateValues.Print))),
        ["toJson"] = static (_, a) => TemplateFormat.Json(a[0], isIndented: false),
        ["toPrettyJson"] = static (_, a) => TemplateFormat.Json(a[0], isIndented: true),

        // Sprig: lists and maps.
        ["list"] = static (_, a) => a.All.ToList(),
        ["first"] = static (_, a) => a.List(0) is [var first, ..] ? first : null,
        ["last"] = static (_, a) => a.List(0) is [.., var last] ? last : null,
        ["rest"] = static (_, a) => a.List(0).Skip(1).ToList(),
        ["initial"] = static (_, a) => a.List(0).SkipLast(1).ToList(),
        ["append"] = static (_, a) => a.List(0).Append(a[1]).ToList(),
        ["prepend"] = static (_, a) => a.List(0).Prepend(a[1]).ToList(),
        ["reverse"] = static (_, a) => a.List(0).Reverse().ToList(),
        ["has"] = static (_, a) => a.List(1).Any(one => TemplateValues.Print(one) == a.Text(0)),
        ["uniq"] = static (_, a) => a.List(0).DistinctBy(TemplateValues.Print).ToList(),
        ["sortAlpha"] = static (_, a) => a.List(0).Select(TemplateValues.Print).Order(StringComparer.Ordinal).ToList<object?>(),
        ["dict"] = static (_, a) => Map(a),
        ["get"] = static (_, a) => Index(a[0], a[1]) ?? "",
        ["hasKey"] = static (_, a) => a[0] is IReadOnlyDictionary<string, object?> map && map.ContainsKey(a.Text(1)),
        ["keys"] = static (_, a) => a[0] is IReadOnlyDictionary<string, object?> map ? map.Keys.ToList<object?>() : [],

        // Sprig: choices, numbers, times.
        ["default"] = static (_, a) => TemplateValues.IsTrue(a[1]) ? a[1] : a[0],
        ["empty"] = static (_, a) => !TemplateValues.IsTrue(a[0]),
        ["coalesce"] = static (_, a) => a.All.FirstOrDefault(TemplateValues.IsTrue),
        ["ternary"] = static (_, a) => TemplateValues.IsTrue(a[2]) ? a[0] : a[1],
        ["int"] = static (_, a) => TemplateValues.Whole(a[0]),
        ["int64"] = static (_, a) => TemplateValues.Whole(a[0]),
        ["float64"] = static (_, a) => TemplateValues.Number(a[0]),
        ["add"] = static (_, a) => a.All.Aggregate(0L, static (sum, one) => unchecked(sum + TemplateValues.Whole(one))),
        ["add1"] = static (_, a) => unchecked(TemplateValues.Whole(a[0]) + 1),
        ["sub"] = static (_, a) => unchecked(a.Wide(0) - a.Wide(1)),
        ["mul"] = static (_, a) => a.All.Aggregate(1L, static (product, one) => unchecked(product * TemplateValues.Whole(one))),
        ["div"] = static (_, a) => a.Wide(1) is 0 or -1 ? throw new TemplateException("divisor is 0 or -1") : a.Wide(0) / a.Wide(1),
        ["mod"] = static (_, a) => a.Wide(1) is 0 or -1 ? throw new TemplateException("divisor is 0 or -1") : a.Wide(0) % a.Wide(1),
        ["max"] = static (_, a) => a.All.Max(TemplateValues.Whole),
        ["min"] = static (_, a) => a.All.Min(TemplateValues.Whole),
        ["date"] = static (_, a) => TemplateFormat.Date(a.Text(0), a[1]),
        ["dateInZone"] = static (_, a) => TemplateFormat.Date(a.Text(0), a[1]),
    };

    private DateTimeOffset Now => now;

    private string Version => version;

    /// <summary>Whether there is such a function.</summary>
    public static bool IsKnown(string name) => Known.ContainsKey(name);

    /// <summary>Calls a function.</summary>
    /// <exception cref="TemplateException">The arguments do not fit.</exception>
    public object? Call(string name, IReadOnlyList<object?> arguments) => Known[name](this, new Arguments(arguments));

    private string Variable(string name) => variables.GetValueOrDefault(name, "");

    // An index beyond the end is a mistake in a list, but nothing in a map.
    private static object? Index(object? value, object? key) => value switch
    {
        null => null,
        IReadOnlyList<object?> list => TemplateValues.Whole(key) is var at && at >= 0 && at < list.Count ? list[(int)at] : throw new TemplateException($"there is no element {at} among {list.Count}"),
        IReadOnlyDictionary<string, object?> map => map.GetValueOrDefault(TemplateValues.Print(key)),
        _ => throw new TemplateException($"{TemplateValues.Kind(value)} has no elements"),
    };

    private static object? Slice(object? value, int from, int? to)
    {
        var length = value is string text ? text.Length : (int)TemplateValues.Length(value);
        var end = to ?? length;
        if (from < 0 || end < from || end > length) throw new TemplateException($"there is no part from {from} to {end} of {length}");
        return value is string whole ? whole[from..end] : value is IReadOnlyList<object?> list ? list.Skip(from).Take(end - from).ToList() : throw new TemplateException($"{TemplateValues.Kind(value)} has no parts");
    }

    private static List<object?> Split(string separator, string text) => separator.Length == 0 ? [.. text.Select(static c => (object?)c.ToString())] : [.. text.Split(separator)];

    private static string Substring(string text, int start, int end)
    {
        start = Math.Clamp(start, 0, text.Length);
        end = end < 0 ? text.Length : Math.Clamp(end, start, text.Length);
        return text[start..end];
    }

    private static string Repeat(string text, int count)
    {
        if (count < 0 || (long)count * text.Length > MaxText) throw new TemplateException("the text becomes too long");
        return new StringBuilder(text.Length * count).Insert(0, text, count).ToString();
    }

    private static string Indent(string text, int width)
    {
        var space = Repeat(" ", width);
        return Bounded(space + text.Replace("\n", "\n" + space, StringComparison.Ordinal));
    }

    private static SortedDictionary<string, object?> Map(Arguments given)
    {
        var map = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        for (var i = 0; i < given.Count; i += 2) map[given.Text(i)] = i + 1 < given.Count ? given[i + 1] : "";
        return map;
    }

    private static Regex Pattern(string text)
    {
        if (text.Length > MaxPattern) throw new TemplateException("the pattern is too long");
        try
        {
            return new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, RegexTime);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new TemplateException($"the pattern \"{text}\" cannot be read");
        }
    }

#pragma warning disable CA5350 // It tells findings apart in the reports of others, who ask for this very hash; nothing is kept safe by it.
    private static string Fingerprint(string text) => Convert.ToHexStringLower(System.Security.Cryptography.SHA1.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350

    private static string Bounded(string text) => text.Length <= MaxText ? text : throw new TemplateException("the text becomes too long");

    private static string EscapeHtml(string text) => Escape(text, static c => c switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '"' => "&#34;", '\'' => "&#39;", _ => null });

    private static string EscapeXml(string text) => Escape(text, static c => c switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&#34;",
        '\'' => "&#39;",
        '\t' => "&#x9;",
        '\n' => "&#xA;",
        '\r' => "&#xD;",
        // XML 1.0, section 2.2: no character of a document.
        < ' ' or '\uFFFE' or '\uFFFF' => "\uFFFD",
        _ => null,
    });

    private static string Escape(string text, Func<char, string?> escape)
    {
        var result = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (escape(c) is { } replaced) result.Append(replaced);
            else result.Append(c);
        }
        return result.ToString();
    }

    /// <summary>Arguments, asked for by position.</summary>
    private readonly record struct Arguments(IReadOnlyList<object?> All)
    {
        public int Count => All.Count;

        /// <summary>The last one; null without any.</summary>
        public object? Last => All is [.., var last] ? last : null;

        public object? this[int at] => at < All.Count ? All[at] : throw new TemplateException($"an argument is missing: there are {All.Count}");

        public string Text(int at) => TemplateValues.Print(this[at]);

        public int Whole(int at) => (int)Math.Clamp(TemplateValues.Whole(this[at]), int.MinValue, int.MaxValue);

        public long Wide(int at) => TemplateValues.Whole(this[at]);

        public IReadOnlyList<object?> List(int at) => this[at] switch
        {
            null => [],
            IReadOnlyList<object?> list => list,
            var other => throw new TemplateException($"{TemplateValues.Kind(other)} is no list"),
        };
    }
}
