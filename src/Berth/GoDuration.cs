using System.Globalization;

namespace Berth;

/// <summary>Times as Go's programs write them: <c>5m0s</c>, <c>1h30m</c>, <c>1.5h</c>, <c>250ms</c>.</summary>
internal static class GoDuration
{
    /// <summary>Reads a time; false when it is none or does not fit.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text.Length is 0 or > 40) return false;
        var seconds = 0.0;
        for (var at = 0; at < text.Length;)
        {
            var start = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.')) at++;
            if (!double.TryParse(text.AsSpan(start, at - start), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
            start = at;
            while (at < text.Length && char.IsAsciiLetter(text[at])) at++;
            var unit = text[start..at] switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 0.001, _ => 0 };
            if (unit == 0) return false;
            seconds += number * unit;
        }
        if (seconds > TimeSpan.MaxValue.TotalSeconds / 2) return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }
}
