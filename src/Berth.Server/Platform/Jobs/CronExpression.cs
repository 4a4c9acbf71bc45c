using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Berth.Server.Platform.Jobs;

/// <summary>
/// Points in time as Harbor's cron text names them: six fields, <c>seconds minutes hours day-of-month month day-of-week</c>, in UTC. A field is
/// a list of <c>*</c>, <c>?</c> (the same), <c>N</c>, <c>N-M</c>, each with an optional <c>/step</c> (<c>N/step</c> runs to the end of the
/// field); months and weekdays also by name (<c>JAN</c>, <c>SUN</c> = 0). As in every cron, a day must match both day fields when one of them is
/// open, and either of them when both are restricted. Beyond Harbor: <c>L</c> is the last day of the month, and <c>@yearly</c>, <c>@annually</c>,
/// <c>@monthly</c>, <c>@weekly</c>, <c>@daily</c>, <c>@midnight</c>, <c>@hourly</c> stand for what they say.
/// </summary>
public sealed class CronExpression
{
    /// <summary>Longest text in characters.</summary>
    public const int MaxLength = 256;

    // 29 February is at most eight years away (1896 to 1904, 2096 to 2104).
    private const int MaxYears = 9;

    private readonly string _text;
    private readonly CronField _seconds;
    private readonly CronField _minutes;
    private readonly CronField _hours;
    private readonly CronField _days;
    private readonly CronField _months;
    private readonly CronField _weekdays;

    private CronExpression(string text, CronField[] fields)
    {
        _text = text;
        (_seconds, _minutes, _hours, _days, _months, _weekdays) = (fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
    }

    /// <summary>Parses a text; <paramref name="problem"/> says what is wrong with it.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out CronExpression? expression, [NotNullWhen(false)] out string? problem)
    {
        expression = null;
        problem = null;
        var trimmed = text?.Trim() ?? "";
        if (trimmed.Length == 0) problem = "a cron text has six fields, this is empty";
        else if (trimmed.Length > MaxLength) problem = $"a cron text has at most {MaxLength} characters";
        if (problem is not null) return false;
        if (trimmed[0] == '@')
        {
            problem = $"\"{trimmed}\" is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly";
            if (Described(trimmed) is null) return false;
        }
        var parts = (Described(trimmed) ?? trimmed).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != CronField.Ranges.Count)
        {
            problem = $"a cron text has six fields (seconds first), \"{trimmed}\" has {parts.Length}";
            return false;
        }
        problem = null;
        var fields = new CronField[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            problem = CronField.Parse(parts[i], CronField.Ranges[i], out fields[i]);
            if (problem is not null) return false;
        }
        expression = new CronExpression(trimmed, fields);
        return true;
    }

    /// <summary>The earliest matching second after a time; null when there is none within nine years, such as for 31 February.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset after)
    {
        var utc = after.UtcDateTime;
        if (DateTime.MaxValue - utc < TimeSpan.FromDays(1)) return null;
        var from = new DateTime(utc.Ticks - (utc.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc).AddSeconds(1);
        var lastYear = Math.Min(from.Year + MaxYears, DateTime.MaxValue.Year - 1);
        var earliest = from.TimeOfDay;
        for (var day = from.Date; day.Year <= lastYear;)
        {
            if (!_months.Has(day.Month))
            {
                day = new DateTime(day.Year, day.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1);
            }
            else
            {
                if (IsDay(day) && TimeFrom(earliest) is { } time) return new DateTimeOffset(day + time, TimeSpan.Zero);
                day = day.AddDays(1);
            }
            earliest = TimeSpan.Zero;
        }
        return null;
    }

    /// <summary>Whether a second is one of those named; fractions of it are not looked at.</summary>
    public bool Matches(DateTimeOffset time)
    {
        var utc = time.UtcDateTime;
        return _seconds.Has(utc.Second) && _minutes.Has(utc.Minute) && _hours.Has(utc.Hour) && _months.Has(utc.Month) && IsDay(utc);
    }

    /// <summary>The text as it was given.</summary>
    public override string ToString() => _text;

    private bool IsDay(DateTime day)
    {
        var ofMonth = _days.Has(day.Day) || (_days.HasLast && day.Day == DateTime.DaysInMonth(day.Year, day.Month));
        var ofWeek = _weekdays.Has((int)day.DayOfWeek);
        return _days.IsOpen || _weekdays.IsOpen ? ofMonth && ofWeek : ofMonth || ofWeek;
    }

    /// <summary>The first matching time of a day at or after one.</summary>
    private TimeSpan? TimeFrom(TimeSpan earliest)
    {
        var (hour, minute, second) = (earliest.Hours, earliest.Minutes, earliest.Seconds);
        for (var h = _hours.From(hour); h is not null; h = _hours.From(h.Value + 1))
        {
            if (h > hour) (minute, second) = (0, 0);
            for (var m = _minutes.From(minute); m is not null; m = _minutes.From(m.Value + 1))
            {
                if (m > minute) second = 0;
                if (_seconds.From(second) is { } s) return new TimeSpan(h.Value, m.Value, s);
            }
        }
        return null;
    }

    private static string? Described(string text) => text switch
    {
        "@yearly" or "@annually" => "0 0 0 1 1 *",
        "@monthly" => "0 0 0 1 * *",
        "@weekly" => "0 0 0 * * 0",
        "@daily" or "@midnight" => "0 0 0 * * *",
        "@hourly" => "0 0 * * * *",
        _ => null,
    };
}

/// <summary>What one field of a cron text allows.</summary>
/// <param name="Allowed">Bit N: the value N.</param>
/// <param name="IsOpen">The field is <c>*</c> or <c>?</c>, it restricts nothing.</param>
/// <param name="HasLast">The field names the last day of the month.</param>
internal readonly record struct CronField(ulong Allowed, bool IsOpen, bool HasLast)
{
    private static readonly string[] s_months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] s_weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    /// <summary>The fields in their order.</summary>
    public static readonly IReadOnlyList<CronRange> Ranges =
    [
        new("seconds", 0, 59, []), new("minutes", 0, 59, []), new("hours", 0, 23, []),
        new("day of month", 1, 31, []), new("month", 1, 12, s_months), new("day of week", 0, 6, s_weekdays),
    ];

    public bool Has(int value) => (Allowed >> value & 1) != 0;

    /// <summary>The least allowed value that is not below one.</summary>
    public int? From(int value)
    {
        var rest = value > 63 ? 0 : Allowed >> value << value;
        return rest == 0 ? null : BitOperations.TrailingZeroCount(rest);
    }

    /// <summary>Parses a field; what is wrong with it, or null.</summary>
    public static string? Parse(string text, CronRange range, out CronField field)
    {
        field = default;
        foreach (var part in text.Split(','))
        {
            if (part is "L" or "l" && range.Name == "day of month")
            {
                field = field with { HasLast = true };
                continue;
            }
            if (ParsePart(part, range, out var allowed, out var isOpen) is { } problem) return problem;
            field = field with { Allowed = field.Allowed | allowed, IsOpen = field.IsOpen || isOpen };
        }
        return null;
    }

    private static string? ParsePart(string part, CronRange range, out ulong allowed, out bool isOpen)
    {
        (allowed, isOpen) = (0, false);
        var step = 1;
        var slash = part.Split('/');
        if (slash.Length > 2) return Wrong(part, range);
        if (slash.Length == 2 && (!TryNumber(slash[1], out step) || step == 0)) return Wrong(part, range);
        int first, last;
        if (slash[0] is "*" or "?")
        {
            (first, last) = (range.First, range.Last);
            // A step restricts, so the field is no longer open.
            isOpen = step == 1;
        }
        else
        {
            var ends = slash[0].Split('-');
            if (ends.Length > 2 || !range.TryValue(ends[0], out first)) return Wrong(part, range);
            last = first;
            if (ends.Length == 2 && !range.TryValue(ends[1], out last)) return Wrong(part, range);
            if (ends.Length == 1 && slash.Length == 2) last = range.Last;
        }
        if (first < range.First || last > range.Last || first > last) return Wrong(part, range);
        for (var value = first; value <= last; value += step) allowed |= 1UL << value;
        return null;
    }

    internal static bool TryNumber(string text, out int number)
    {
        number = 0;
        // Four digits are more than any field or step needs, and cannot overflow.
        return text.Length is > 0 and <= 4 && text.All(char.IsAsciiDigit) && int.TryParse(text, out number);
    }

    private static string Wrong(string part, CronRange range) => $"\"{part}\" is no {range.Name}: {range.First}-{range.Last}, * or a range, with an optional /step";
}

/// <summary>Name and bounds of a field of a cron text.</summary>
internal sealed record CronRange(string Name, int First, int Last, IReadOnlyList<string> Words)
{
    public bool TryValue(string text, out int value)
    {
        if (CronField.TryNumber(text, out value)) return true;
        for (var i = 0; i < Words.Count; i++)
        {
            if (!Words[i].Equals(text, StringComparison.OrdinalIgnoreCase)) continue;
            value = First + i;
            return true;
        }
        return false;
    }
}
