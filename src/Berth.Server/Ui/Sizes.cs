using System.Buffers;
using System.Globalization;

namespace Berth.Server.Ui;

/// <summary>Bytes as people read them.</summary>
internal static class Sizes
{
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.");
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Three digits and a unit: <c>1.23 GiB</c>.</summary>
    public static string Text(long bytes)
    {
        var value = (double)bytes;
        var unit = 0;
        while (Math.Abs(value) >= 999.5 && unit < s_units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        var format = unit == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.#" : "0.##";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {s_units[unit]}";
    }

    /// <summary>Reads <c>10 GiB</c>, <c>10GB</c>, <c>512</c>: a number with a unit of 1024s; empty and -1 for no limit. Null for anything else.</summary>
    public static long? Parse(string text)
    {
        text = text.Trim();
        if (text.Length == 0 || text == "-1") return -1;
        var end = text.AsSpan().IndexOfAnyExcept(s_digits);
        var number = end < 0 ? text : text[..end];
        var unit = end < 0 ? "" : text[end..].Trim().ToUpperInvariant().Replace("IB", "", StringComparison.Ordinal).TrimEnd('B');
        var power = unit.Length == 0 ? 0 : Array.IndexOf(["K", "M", "G", "T", "P"], unit) + 1;
        if ((unit.Length > 0 && power == 0) || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return null;
        var bytes = value * Math.Pow(1024, power);
        return bytes is > 0 and < long.MaxValue ? (long)bytes : null;
    }
}
