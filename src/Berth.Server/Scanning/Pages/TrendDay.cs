using System.Globalization;
using Berth.Server.Scanning.Findings;

namespace Berth.Server.Scanning.Pages;

/// <summary>Findings on a day, as a chart shows them.</summary>
/// <param name="Day">The day (UTC).</param>
/// <param name="Critical">Findings.</param>
/// <param name="High">Findings.</param>
/// <param name="Medium">Findings.</param>
/// <param name="Low">Findings.</param>
/// <param name="Unknown">Findings.</param>
public sealed record TrendDay(DateOnly Day, long Critical, long High, long Medium, long Low, long Unknown)
{
    public long Total => Critical + High + Medium + Low + Unknown;

    /// <summary>Days as the API tells them.</summary>
    public static IReadOnlyList<TrendDay> Of(IEnumerable<DayCountsJson> days) =>
        [.. days.Select(static day => new TrendDay(DateOnly.ParseExact(day.Date, "yyyy-MM-dd", CultureInfo.InvariantCulture), day.Critical, day.High, day.Medium, day.Low, day.Unknown))];

    /// <summary>Findings of a severity, by Harbor's word.</summary>
    public long Of(string severity) => severity switch
    {
        "Critical" => Critical,
        "High" => High,
        "Medium" => Medium,
        "Low" => Low,
        _ => Unknown,
    };
}
