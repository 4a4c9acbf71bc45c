using System.Data.Common;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning.PullGate;

/// <summary>
/// Writes down refused pulls, and those that a dry run would have refused: of the same caller and image once in ten minutes, of all together sixty in a minute. Machines try again and again; the counter of
/// the metrics page has all of them.
/// </summary>
internal sealed class GateAudit(DomainEvents events, TimeProvider time, ILogger<GateAudit> log)
{
    private const int MaxPerMinute = 60;
    private static readonly TimeSpan s_again = TimeSpan.FromMinutes(10);

    private readonly RecentMap<(string Caller, string Address, string Repository, Digest Digest, bool IsRefused), long> _told = new(4096);
    private readonly Lock _gate = new();
    private long _minute;
    private int _inMinute;

    /// <summary>Writes it down if it is due.</summary>
    public async ValueTask TellAsync(RegistryRequest request, string tag, Digest digest, bool isRefused, string sentence)
    {
        var key = (request.Caller.Id, request.Caller.IsAnonymous ? request.Address : "", request.Repository, digest, isRefused);
        var now = time.GetTimestamp();
        if (_told.TryGet(key, out var at) && time.GetElapsedTime(at) < s_again || !MayTell()) return;
        _told.Set(key, now);
        var project = request.Rights.Project!;
        try
        {
            // Written whether the client waits for its answer or not.
            await events.RaiseAsync(new DomainEvent
            {
                Operation = isRefused ? "refuse_pull" : "warn_pull",
                ResourceType = "artifact",
                Resource = tag.Length > 0 ? $"{request.Repository}:{tag}" : $"{request.Repository}@{digest}",
                ProjectId = project.Id,
                ProjectName = project.Name,
                Actor = RegistryEvents.ActorOf(request),
                Description = sentence,
                IsSuccessful = !isRefused,
            }, CancellationToken.None).ConfigureAwait(false);
        }
        catch (DbException e) when (DatabaseFailure.IsPassing(e))
        {
            log.NotWritten(e, request.Repository, digest.Value);
        }
    }

    private bool MayTell()
    {
        var minute = time.GetUtcNow().ToUnixTimeSeconds() / 60;
        lock (_gate)
        {
            if (minute != _minute) (_minute, _inMinute) = (minute, 0);
            return ++_inMinute <= MaxPerMinute;
        }
    }
}

internal static partial class GateAuditLog
{
    [LoggerMessage(5520, LogLevel.Warning, "pull of {Repository}@{Digest} that the gate is closed for not written down: the database is away")]
    public static partial void NotWritten(this ILogger log, Exception exception, string repository, string digest);
}
