using System.Globalization;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Adoption;

/// <summary>
/// What the server does before it first answers, so that Docker Registry can be replaced by changing nothing but the program: when the default store
/// holds repositories of a Docker Registry and the database holds none, or an adoption was begun and not finished, it adopts. Otherwise it costs
/// one look at the database and a folder; a bucket is asked only while the database is empty. The report is left in <see cref="AdoptionSource.ReportFile"/>.
/// </summary>
public static class AdoptOnFirstStart
{
    private const int MaxLoggedFindings = 100;
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(5);

    /// <summary>Adopts if there is something to adopt.</summary>
    /// <param name="database">Migrated.</param>
    /// <param name="source">Where there may be something.</param>
    /// <param name="options">How.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Gets progress every few seconds, what was left out, and the sums.</param>
    /// <param name="ct">Ends the adoption; the next start takes it up again.</param>
    /// <returns>Null when there was nothing to do.</returns>
    public static async Task<AdoptionReport?> RunAsync(
        Database database, AdoptionSource source, AdoptionOptions options, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        var isUnfinished = await source.IsUnfinishedAsync(ct).ConfigureAwait(false);
        if (!isUnfinished)
        {
            if (!await database.ReadAsync(0, static (session, _, token) => AdoptionRows.IsEmptyAsync(session, token), ct).ConfigureAwait(false)) return null;
            if (!await source.HasContentAsync(ct).ConfigureAwait(false)) return null;
        }
        logger.Started(source.Name, isUnfinished);
        var report = await Adopt.RunAsync(database, source, options, time, new ProgressLog(logger, time), ct).ConfigureAwait(false);
        foreach (var finding in report.Findings.Take(MaxLoggedFindings)) logger.Found(finding.Kind, finding.Name, finding.Reason, finding.IsAdopted);
        await File.WriteAllTextAsync(source.ReportFile, report.ToJson() + "\n", ct).ConfigureAwait(false);
        var found = report.Found;
        var seconds = report.ElapsedSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        logger.Finished(found.Repositories, found.Tags, found.Manifests, found.Blobs, found.Bytes, report.Skipped, report.Incomplete, seconds, source.ReportFile);
        return report;
    }

    private sealed class ProgressLog(ILogger logger, TimeProvider time) : IProgress<AdoptionProgress>
    {
        private long _told = time.GetTimestamp();

        public void Report(AdoptionProgress value)
        {
            if (time.GetElapsedTime(_told) < LogInterval) return;
            _told = time.GetTimestamp();
            logger.Running(value.Phase, value.Done, value.Total, value.Found.Blobs, value.Found.Manifests);
        }
    }
}

internal static partial class AdoptOnFirstStartLog
{
    [LoggerMessage(1700, LogLevel.Information, "adoption started: Docker Registry content in {Root}, goes on after an interruption: {IsUnfinished}")]
    public static partial void Started(this ILogger logger, string root, bool isUnfinished);

    [LoggerMessage(1701, LogLevel.Information, "adoption running: {Phase} {Done} of {Total}, {Blobs} blobs, {Manifests} manifests")]
    public static partial void Running(this ILogger logger, AdoptionPhase phase, int done, int total, long blobs, long manifests);

    [LoggerMessage(1702, LogLevel.Warning, "adoption found a damaged {Kind}: {Name}: {Reason}; adopted all the same: {IsAdopted}")]
    public static partial void Found(this ILogger logger, string kind, string name, string reason, bool isAdopted);

    [LoggerMessage(1703, LogLevel.Information,
        "adoption finished: {Repositories} repositories, {Tags} tags, {Manifests} manifests, {Blobs} blobs of {Bytes} bytes, {Skipped} left out, {Incomplete} incomplete, {Seconds} s, report in {File}")]
    public static partial void Finished(
        this ILogger logger, long repositories, long tags, long manifests, long blobs, long bytes, long skipped, long incomplete, string seconds, string file);
}
