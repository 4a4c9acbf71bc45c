using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Berth.Scanner.Reports.Templates;

/// <summary>Texts as Go makes them: <c>printf</c>, quoted texts, times by layout, JSON.</summary>
internal static class TemplateFormat
{
    private const int MaxWidth = 1000;

    // Layouts of times are the parts of one very moment: Mon Jan 2 15:04:05 MST 2006. Longer ones stand first.
    private static readonly (string Word, string Format)[] Layout =
    [
        ("January", "MMMM"), ("Jan", "MMM"), ("Monday", "dddd"), ("Mon", "ddd"), ("MST", "'UTC'"), ("2006", "yyyy"), ("-07:00", "'+00:00'"), ("-0700", "'+0000'"), ("Z07:00", "'Z'"), ("Z0700", "'Z'"),
        ("01", "MM"), ("02", "dd"), ("03", "hh"), ("04", "mm"), ("05", "ss"), ("06", "yy"), ("15", "HH"), ("PM", "tt"), ("_2", "%d"), ("1", "%M"), ("2", "%d"), ("3", "%h"), ("4", "%m"), ("5", "%s"),
    ];

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 64 };
    private static readonly JsonSerializerOptions Pretty = new(Plain) { WriteIndented = true };

    /// <summary>A text with values in the place of its verbs.</summary>
    public static string Format(string format, IReadOnlyList<object?> values)
    {
        var text = new StringBuilder();
        var next = 0;
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                text.Append(format[at]);
                continue;
            }
            var start = at++;
            while (at < format.Length && format[at] is '-' or '+' or '#' or ' ' or '0') at++;
            var flags = format[(start + 1)..at];
            var width = Digits(format, ref at);
            int? precision = null;
            if (at < format.Length && format[at] == '.')
            {
                at++;
                precision = Digits(format, ref at) ?? 0;
            }
            if (at >= format.Length) throw new TemplateException("a verb is missing behind %");
            if (format[at] == '%')
            {
                text.Append('%');
                continue;
            }
            if (next >= values.Count) throw new TemplateException($"there is no value for %{format[at]}");
            text.Append(Pad(Verb(format[at], values[next++], flags, precision), flags, width));
        }
        return text.ToString();
    }

    /// <summary>A text in quotes as Go writes it.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '"': quoted.Append("\\\""); break;
                case '\\': quoted.Append(@"\\"); break;
                case '\n': quoted.Append("\\n"); break;
                case '\t': quoted.Append("\\t"); break;
                case '\r': quoted.Append("\\r"); break;
                case '\a': quoted.Append("\\a"); break;
                case '\b': quoted.Append("\\b"); break;
                case '\f': quoted.Append("\\f"); break;
                case '\v': quoted.Append("\\v"); break;
                case < ' ' or 0x7F: quoted.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"); break;
                default:
                    if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                        quoted.Append(CultureInfo.InvariantCulture, $"\\{(rune.Value > 0xFFFF ? $"U{rune.Value:x8}" : $"u{rune.Value:x4}")}");
                    else quoted.Append(rune.ToString());
                    break;
            }
        }
        return quoted.Append('"').ToString();
    }

    /// <summary>A time by Go's layout, in UTC.</summary>
    public static string Date(string layout, object? time)
    {
        var moment = time switch
        {
            DateTimeOffset at => at.UtcDateTime,
            long seconds when seconds is >= 0 and < 253_402_300_800 => DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime,
            string text when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) => at.UtcDateTime,
            _ => throw new TemplateException($"{TemplateValues.Kind(time)} is no time"),
        };
        var written = new StringBuilder();
        for (var at = 0; at < layout.Length;)
        {
            // A fraction stands behind the seconds: .000 with all digits, .999 without the last zeros.
            if (layout[at] is '.' or ',' && at + 1 < layout.Length && layout[at + 1] is '0' or '9')
            {
                var end = at + 1;
                while (end < layout.Length && layout[end] == layout[at + 1]) end++;
                var digits = (moment.Ticks % TimeSpan.TicksPerSecond).ToString("0000000", CultureInfo.InvariantCulture).PadRight(9, '0')[..Math.Min(9, end - at - 1)];
                if (layout[at + 1] == '9') digits = digits.TrimEnd('0');
                if (digits.Length > 0) written.Append(layout[at]).Append(digits);
                at = end;
                continue;
            }
            var (word, format) = Array.Find(Layout, one => string.CompareOrdinal(layout, at, one.Word, 0, one.Word.Length) == 0);
            if (word is null) written.Append(layout[at++]);
            else
            {
                // An underscore stands for the place of a second digit.
                written.Append(word == "_2" ? moment.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2) : moment.ToString(format, CultureInfo.InvariantCulture));
                at += word.Length;
            }
        }
        return written.ToString();
    }

    /// <summary>A value as JSON.</summary>
    public static string Json(object? value, bool isIndented) => JsonSerializer.Serialize(value, isIndented ? Pretty : Plain);

    private static string Verb(char verb, object? value, string flags, int? precision)
    {
        switch (verb)
        {
            case 'v' or 's':
                var text = TemplateValues.Print(value);
                return precision is { } length && length < text.Length ? text[..length] : text;
            case 'q':
                return Quote(TemplateValues.Print(value));
            case 'd':
                return (flags.Contains('+') && TemplateValues.Whole(value) >= 0 ? "+" : "") + TemplateValues.Whole(value).ToString(CultureInfo.InvariantCulture);
            case 'f':
                return TemplateValues.Number(value).ToString("F" + Math.Min(precision ?? 6, 20), CultureInfo.InvariantCulture);
            case 'g':
                return TemplateValues.Print(TemplateValues.Number(value));
            case 't':
                return TemplateValues.IsTrue(value) ? "true" : "false";
            case 'x' or 'X':
                var hex = value is string word ? Convert.ToHexStringLower(Encoding.UTF8.GetBytes(word)) : TemplateValues.Whole(value).ToString("x", CultureInfo.InvariantCulture);
                return verb == 'X' ? hex.ToUpperInvariant() : hex;
            case 'T':
                return TemplateValues.Kind(value);
            default:
                throw new TemplateException($"the verb %{verb} is not known");
        }
    }

    private static string Pad(string text, string flags, int? width) => width is not { } wanted ? text
        : flags.Contains('-') ? text.PadRight(wanted)
        : flags.Contains('0') && text.Length > 0 && (char.IsAsciiDigit(text[^1]) || char.IsAsciiHexDigit(text[^1])) ? text.PadLeft(wanted, '0')
        : text.PadLeft(wanted);

    private static int? Digits(string format, ref int at)
    {
        var start = at;
        while (at < format.Length && char.IsAsciiDigit(format[at])) at++;
        if (at == start) return null;
        return int.TryParse(format.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MaxWidth ? number : throw new TemplateException("a width in a format is too large");
    }
}
