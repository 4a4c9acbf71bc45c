using System.Globalization;

namespace Berth.Server.Retention.Pages;

/// <summary>Conditions as a form has them: what is asked, a number, and whether it is turned round.</summary>
internal static class ConditionText
{
    /// <summary>What can be asked, in the order of the form.</summary>
    public static readonly IReadOnlyList<string> Kinds =
    [
        "newest:pushed", "newest:pulled", "newest:active", "newest:created", "within:pushed", "within:pulled", "within:active", "within:created",
        "versions:minor", "versions:major", "versions:all", "in_use",
    ];

    /// <summary>The word of a condition.</summary>
    public static string KindOf(RetentionCondition condition) => condition.Kind switch
    {
        ConditionKind.Newest => "newest:" + Word(condition.By),
        ConditionKind.Within => "within:" + Word(condition.By),
        ConditionKind.NewestVersions => "versions:" + Word(condition.Per),
        _ => "in_use",
    };

    /// <summary>The number of a condition: how many, or an age as <c>30</c> (days), <c>12h</c> or <c>1.12:30:00</c>.</summary>
    public static string NumberOf(RetentionCondition condition) => condition.Kind is ConditionKind.Newest or ConditionKind.NewestVersions
        ? condition.Count.ToString(CultureInfo.InvariantCulture)
        : AgeOf(condition.Age);

    /// <summary>An age as text.</summary>
    public static string AgeOf(TimeSpan age) => age.Ticks % TimeSpan.TicksPerDay == 0
        ? (age.Ticks / TimeSpan.TicksPerDay).ToString(CultureInfo.InvariantCulture)
        : age.Ticks % TimeSpan.TicksPerHour == 0 ? $"{(age.Ticks / TimeSpan.TicksPerHour).ToString(CultureInfo.InvariantCulture)}h" : age.ToString("c", CultureInfo.InvariantCulture);

    /// <summary>Reads an age; null when it is none.</summary>
    public static TimeSpan? ReadAge(string text)
    {
        text = text.Trim();
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days)) return days <= MaxDays ? TimeSpan.FromDays(days) : null;
        if (text.EndsWith('h') && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var hours)) return TimeSpan.FromHours(hours);
        return TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var age) && age >= TimeSpan.Zero ? age : null;
    }

    /// <summary>Reads a row of the form; null when its number is none.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="number">As <see cref="NumberOf"/> writes it.</param>
    /// <param name="isNegated">Whether it must not hold.</param>
    /// <param name="before">What stood in the row: what the form cannot say is kept.</param>
    public static RetentionCondition? Read(string kind, string number, bool isNegated, RetentionCondition? before)
    {
        var (asked, detail) = kind.Split(':') is [var first, var second] ? (first, second) : (kind, "");
        var made = new RetentionCondition { Kind = KindOf(asked), IsNegated = isNegated };
        if (made.Kind is ConditionKind.Newest or ConditionKind.NewestVersions)
        {
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return null;
            made = made with { Count = count };
        }
        else
        {
            if (ReadAge(number) is not { } age) return null;
            made = made with { Age = age };
        }
        if (made.Kind == ConditionKind.NewestVersions) made = made with { Per = Enum.TryParse<VersionLine>(detail, ignoreCase: true, out var line) ? line : VersionLine.All };
        else if (made.Kind is ConditionKind.Newest or ConditionKind.Within) made = made with { By = Enum.TryParse<RetentionClock>(detail, ignoreCase: true, out var clock) ? clock : RetentionClock.Pushed };
        return before?.Kind == made.Kind ? made with { CountsImages = before.CountsImages, CountsMatching = before.CountsMatching } : made;
    }

    private const int MaxDays = 100_000;

    private static ConditionKind KindOf(string asked) => asked switch
    {
        "newest" => ConditionKind.Newest,
        "within" => ConditionKind.Within,
        "versions" => ConditionKind.NewestVersions,
        _ => ConditionKind.InUse,
    };

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
