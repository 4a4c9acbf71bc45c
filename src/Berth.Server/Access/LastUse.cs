using System.Data.Common;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Access;

/// <summary>
/// Writes down when a robot or a token was last used, at most once a minute each. It is told for information: a power cut or a full disk may lose it, and must
/// keep nobody from signing in.
/// </summary>
internal sealed class LastUse(Database database, TimeProvider time, ILogger<LastUse> log)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    /// <summary>Notes a use now.</summary>
    /// <param name="statement">Takes the time as <c>@0</c>, the id as <c>@1</c> and the time from which on nothing is written as <c>@2</c>.</param>
    /// <param name="id">Whose use.</param>
    /// <param name="before">Unix milliseconds of the use before, as it was read; null for none.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask NoteAsync(Statement statement, long id, long? before, CancellationToken ct)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var since = now - (long)Every.TotalMilliseconds;
        if (before > since) return;
        try
        {
            await database.WriteAsync(Durability.Relaxed, (session, token) => session.ExecuteAsync(statement, [now, id, since], token).AsTask(), ct).ConfigureAwait(false);
        }
        catch (DbException e)
        {
            log.UseNotNoted(e);
        }
    }
}

internal static partial class LastUseLog
{
    [LoggerMessage(2004, LogLevel.Warning, "last use not noted: the database could not be written")]
    public static partial void UseNotNoted(this ILogger logger, Exception error);
}
