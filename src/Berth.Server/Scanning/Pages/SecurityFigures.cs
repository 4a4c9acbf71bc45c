using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Findings;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Scanning.Pages;

/// <summary>Figures of the installation or of a project, for a reader who may see them.</summary>
/// <param name="Counts">Sums.</param>
/// <param name="Worst">The images with the most of the worst findings that the reader may look into.</param>
/// <param name="Trend">Findings by day, the oldest first.</param>
internal sealed record SecurityFigures(ScanCounts Counts, IReadOnlyList<WorstImage> Worst, IReadOnlyList<TrendDay> Trend)
{
    private const int Days = 90;
    private const int MostWorst = 10;

    // Rules may close repositories of a project to a reader.
    private const int MostLookedAt = 50;

    /// <summary>Reads them in three statements.</summary>
    /// <param name="call">Who reads; of a project, its page.</param>
    public static async Task<SecurityFigures> ReadAsync(UiCall call)
    {
        var services = call.Http.RequestServices;
        IReadOnlyList<long>? projects = call.Project is { } project ? [project.Id] : null;
        var (counts, worst, trend) = await services.GetRequiredService<Database>().ReadAsync((projects, From: ScanStatistics.DayOf(call.Now) - Days), static async (session, q, token) => (
            await ScanStatistics.CountAsync(session, q.projects, null, token).ConfigureAwait(false),
            await ScanStatistics.WorstAsync(session, q.projects, MostLookedAt, token).ConfigureAwait(false),
            await ScanStatistics.TrendAsync(session, q.projects, q.From, token).ConfigureAwait(false)), call.Http.RequestAborted).ConfigureAwait(true);
        var (visible, shown) = (new VisibleImages(services.GetRequiredService<ApiRights>(), call.Caller), new List<WorstImage>());
        foreach (var image in worst)
        {
            if (shown.Count == MostWorst) break;
            if (await visible.MayAsync(image.ProjectId, image.Repository, call.Http.RequestAborted).ConfigureAwait(true)) shown.Add(image);
        }
        return new SecurityFigures(counts, shown, [.. trend.Select(static day => new TrendDay(new DateOnly(1970, 1, 1).AddDays(day.Day), day.Critical, day.High, day.Medium, day.Low, day.Unknown))]);
    }
}
