using System.Buffers;
using System.Globalization;

namespace Berth.Server.Platform.Options;

/// <summary>How durations, sizes and switches are written in configuration text.</summary>
public static class ConfigText
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Unit, double Ticks)[] DurationUnits =
    [
        ("ns", 0.01), ("us", 10), ("µs", 10), ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay),
    ];

    private static readonly (string Unit, double Bytes)[] SizeUnits =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("B", 1),
    ];

    /// <summary>Reads <c>30s</c>, <c>1h30m</c>, <c>1.5h</c>, <c>7d</c> (Go's durations plus days) or <c>0</c>; a number without a unit is refused.</summary>
    public static bool TryDuration(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        var negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+"))
            rest = rest[1..];
        if (rest.SequenceEqual("0"))
            return true;
        if (rest.IsEmpty)
            return false;
        double ticks = 0;
        while (!rest.IsEmpty)
        {
            var digits = LeadingNumber(rest);
            if (digits == 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9') is var next and >= 0 ? next : rest.Length;
            var name = rest[..letters].TrimEnd('.').ToString();
            var unit = Array.Find(DurationUnits, known => known.Unit == name);
            if (unit.Unit is null)
                return false;
            ticks += number * unit.Ticks;
            rest = rest[name.Length..];
        }
        if (ticks > TimeSpan.MaxValue.Ticks / 2)
            return false;
        value = TimeSpan.FromTicks((long)(negative ? -ticks : ticks));
        return true;
    }

    /// <summary>Reads <c>512MiB</c>, <c>4GB</c>, <c>1.5 GiB</c> or a plain number of bytes.</summary>
    public static bool TrySize(string text, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        var unit = Array.Find(SizeUnits, known => text.EndsWith(known.Unit, StringComparison.OrdinalIgnoreCase));
        var number = unit.Unit is null ? text : text[..^unit.Unit.Length].TrimEnd();
        if (unit.Unit is null)
            return long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out bytes);
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value * unit.Bytes >= long.MaxValue)
            return false;
        bytes = (long)(value * unit.Bytes);
        return true;
    }

    /// <summary>Reads the switches of YAML 1.1: <c>true</c>, <c>yes</c>, <c>on</c>, <c>y</c> and their opposites, and 1 and 0.</summary>
    public static bool TrySwitch(string text, out bool value)
    {
        switch (text.Trim().ToLowerInvariant())
        {
            case "true" or "yes" or "on" or "y" or "1":
                value = true;
                return true;
            case "false" or "no" or "off" or "n" or "0":
                value = false;
                return true;
            default:
                value = false;
                return false;
        }
    }

    /// <summary>Writes a duration as <see cref="TryDuration"/> reads it, in the fewest parts.</summary>
    public static string Duration(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
            return "0";
        var parts = "";
        var ticks = Math.Abs(value.Ticks);
        foreach (var (unit, size) in new[] { ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond), ("us", 10L) })
        {
            if (ticks / size > 0)
                parts += (ticks / size).ToString(CultureInfo.InvariantCulture) + unit;
            ticks %= size;
        }
        return value < TimeSpan.Zero ? "-" + parts : parts;
    }

    /// <summary>Writes a size as <see cref="TrySize"/> reads it, in the largest binary unit that divides it.</summary>
    public static string Size(long bytes)
    {
        if (bytes == 0)
            return "0";
        foreach (var (unit, size) in SizeUnits[..4])
        {
            if (bytes % (long)size == 0)
                return (bytes / (long)size).ToString(CultureInfo.InvariantCulture) + unit;
        }
        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    private static int LeadingNumber(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExcept(NumberCharacters);
        return length < 0 ? text.Length : length;
    }
}
