using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Data;

/// <summary>
/// Ends a server that a contract step of a newer version has left behind (<see cref="SchemaVersion"/>): rather no answer than one from a schema that it does not
/// understand. Looks now and then; on SQLite there is no other process, and nothing to look for.
/// </summary>
internal sealed class SchemaGuard(Database database, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<SchemaGuard> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    /// <summary>Looks once.</summary>
    internal async Task LookAsync(CancellationToken ct)
    {
        try
        {
            await database.ThrowIfLeftBehindAsync(ct).ConfigureAwait(false);
        }
        catch (DatabaseIsNewerException e)
        {
            log.LeftBehind(e.Message);
            lifetime.StopApplication();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (database.Kind == DatabaseKind.Postgres && !stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                await LookAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is DbException or TimeoutException or OperationCanceledException)
            {
                // The database is away: whoever needs it says so, and the next look comes.
                log.NotLooked(e.Message);
            }
        }
    }
}

internal static partial class SchemaGuardLog
{
    [LoggerMessage(122, LogLevel.Critical, "the server stops: {Problem}")]
    public static partial void LeftBehind(this ILogger logger, string problem);

    [LoggerMessage(123, LogLevel.Debug, "schema not looked at: {Problem}")]
    public static partial void NotLooked(this ILogger logger, string problem);
}
