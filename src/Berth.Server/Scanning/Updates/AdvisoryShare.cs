using System.Data.Common;
using System.Globalization;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning.Updates;

/// <summary>
/// Keeps the shelf of this process at the release that is in force: looks when another is announced and every minute, fetches it from the store and opens it. What <c>berth db</c> puts on the shelf
/// beside the server stays in use here until another release is put in force; scans that run go on with what they began with.
/// </summary>
/// <param name="folder">Folder of the shelf.</param>
/// <param name="releases">The releases.</param>
/// <param name="announcements">Tells of another one.</param>
/// <param name="options">From when on a database is old.</param>
/// <param name="time">Clock.</param>
/// <param name="log">Log.</param>
internal sealed class AdvisoryShare(string folder, AdvisoryReleases releases, Announcements announcements, AdvisoryOptions options, TimeProvider time, ILogger<AdvisoryShare> log) : BackgroundService
{
    private const string MarkName = "release";
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly AdvisoryShelf shelf = new(folder);
    private readonly SemaphoreSlim only = new(1, 1);
    private readonly SemaphoreSlim wake = new(0, 1);
    private DateTimeOffset warnedAt;
    private bool isDisposed;

    /// <summary>Folder of the shelf.</summary>
    public string Folder => folder;

    /// <summary>Puts a database of the shelf in force for all replicas.</summary>
    /// <param name="path">The database, which this process uses already.</param>
    /// <param name="metadata">What it says of itself.</param>
    /// <param name="actor">Who brought it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task PublishAsync(string path, DatabaseMetadata metadata, string actor, CancellationToken ct)
    {
        await only.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var id = await releases.PublishAsync(path, metadata, actor, ct).ConfigureAwait(false);
            // Another replica may have published meanwhile: that one is fetched then.
            if (await releases.CurrentAsync(ct).ConfigureAwait(false) is { } current && current.Id == id) WriteMark(current, path);
        }
        finally
        {
            only.Release();
        }
    }

    /// <summary>Whether a database of the shelf was published, or fetched, as the release in force.</summary>
    public async Task<bool> IsPublishedAsync(string path, CancellationToken ct) =>
        await releases.CurrentAsync(ct).ConfigureAwait(false) is { } current && ReadMark() == MarkOf(current, path);

    /// <summary>Brings the shelf to the release in force; whether it was another one.</summary>
    /// <exception cref="IOException">Its bytes are not to be had.</exception>
    public async Task<bool> SyncAsync(CancellationToken ct)
    {
        await only.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (await releases.CurrentAsync(ct).ConfigureAwait(false) is not { } current || ReadMark().StartsWith(MarkOf(current, ""), StringComparison.Ordinal)) return false;
            var path = shelf.NewPath(time.GetUtcNow());
            await releases.FetchAsync(current, path, ct).ConfigureAwait(false);
            shelf.Use(path);
            WriteMark(current, path);
            log.ReleaseTaken(current.Id, current.BuiltAt);
            return true;
        }
        finally
        {
            only.Release();
        }
    }

    public override void Dispose()
    {
        lock (wake) isDisposed = true;
        base.Dispose();
        only.Dispose();
        wake.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        announcements.Subscribe(AdvisoryReleases.Topic, _ => Wake());
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await SyncAsync(stoppingToken).ConfigureAwait(false);
                WarnWhenOld();
                await WaitAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or DbException or TimeoutException or InvalidOperationException)
            {
                // The database that is open goes on being asked.
                log.ReleaseNotTaken(e);
                await WaitAsync(stoppingToken).ConfigureAwait(false);
            }
        }
    }

    private async Task WaitAsync(CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(Interval, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
        try
        {
            await wake.WaitAsync(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // The interval is over.
        }
    }

    private void Wake()
    {
        lock (wake)
        {
            if (!isDisposed && wake.CurrentCount == 0) wake.Release();
        }
    }

    private void WarnWhenOld()
    {
        var now = time.GetUtcNow();
        if (now - warnedAt < TimeSpan.FromDays(1) || shelf.Current is not { } path) return;
        using var database = AdvisoryDatabase.Open(path);
        if (now - database.Metadata.BuiltAt < options.WarnAfter) return;
        warnedAt = now;
        log.DatabaseIsOld(database.Metadata.BuiltAt, (int)(now - database.Metadata.BuiltAt).TotalDays);
    }

    private string ReadMark() => Path.Combine(folder, MarkName) is var path && File.Exists(path) ? File.ReadAllText(path).Trim() : "";

    private void WriteMark(ReleaseRow release, string path)
    {
        var part = Path.Combine(folder, $"{MarkName}.{Path.GetRandomFileName()}");
        File.WriteAllText(part, MarkOf(release, path) + "\n");
        File.Move(part, Path.Combine(folder, MarkName), overwrite: true);
    }

    // Being put in force again counts as another one: somebody may have used another database meanwhile.
    private static string MarkOf(ReleaseRow release, string path) => string.Create(CultureInfo.InvariantCulture, $"{release.Id} {release.UsedAt.ToUnixTimeMilliseconds()} {Path.GetFileName(path)}");
}

internal static partial class AdvisoryShareLog
{
    [LoggerMessage(5520, LogLevel.Information, "advisory release {Release} taken, built {BuiltAt}")]
    public static partial void ReleaseTaken(this ILogger log, long release, DateTimeOffset builtAt);

    [LoggerMessage(5521, LogLevel.Warning, "advisory release cannot be taken, will be tried again")]
    public static partial void ReleaseNotTaken(this ILogger log, Exception exception);

    [LoggerMessage(5522, LogLevel.Warning, "advisory database is old: built {BuiltAt}, {Days} days ago; set advisories.sources or import a bundle")]
    public static partial void DatabaseIsOld(this ILogger log, DateTimeOffset builtAt, int days);
}
