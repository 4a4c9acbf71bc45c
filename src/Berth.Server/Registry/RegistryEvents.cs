using System.Data.Common;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Registry;

/// <summary>Hands registry events to those who write them down (<see cref="IRegistryEventWriter"/>); costs nothing when nobody does.</summary>
internal sealed class RegistryEvents(
    IEnumerable<IRegistryEventWriter> writers, IEnumerable<IPullListener> listeners, Database database, HttpOptions http, ILogger<RegistryEvents> logger)
{
    private readonly IRegistryEventWriter[] _writers = [.. writers];
    private readonly IPullListener[] _listeners = [.. listeners];

    public bool Wants(RegistryEventAction action)
    {
        foreach (var writer in _writers)
        {
            if (writer.Wants(action)) return true;
        }
        return false;
    }

    /// <summary>Writes an event into the transaction of the change that it tells of.</summary>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        foreach (var writer in _writers)
        {
            if (writer.Wants(registryEvent.Action)) await writer.WriteAsync(session, registryEvent, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Writes a pull, which changes nothing else.</summary>
    public async ValueTask WritePullAsync(RegistryRequest request, string tag, CachedContent content, bool isBlob)
    {
        if (!isBlob && !request.IsHead)
        {
            foreach (var listener in _listeners) listener.Pulled(request, tag, content.Digest.Value);
        }
        if (!Wants(RegistryEventAction.Pull)) return;
        var pulled = new RegistryEvent
        {
            Action = RegistryEventAction.Pull,
            Repository = request.Repository,
            Digest = content.Digest.Value,
            Tag = tag.Length == 0 ? null : tag,
            MediaType = content.MediaType.ToString(),
            Size = content.Size,
            IsBlob = isBlob,
            Actor = request.Caller.Name,
            Request = Describe(request),
        };
        // The pull has happened, whether the client is still there or not.
        try
        {
            await database.WriteAsync(Durability.Relaxed, async (session, ct) =>
            {
                await WriteAsync(session, pulled, ct).ConfigureAwait(false);
                return true;
            }, CancellationToken.None).ConfigureAwait(false);
        }
        catch (DbException e) when (DatabaseFailure.IsPassing(e))
        {
            // The client has its bytes: nothing is won by breaking its connection.
            logger.PullNotWritten(e, pulled.Repository, pulled.Digest);
        }
    }

    /// <summary>The caller as events show it.</summary>
    public static EventActor ActorOf(RegistryRequest request)
    {
        var caller = request.Caller;
        var kind = caller.IsAnonymous ? "anonymous" : caller.Kind == CallerKind.Robot ? "robot" : "user";
        return new EventActor(kind, caller.SubjectId, caller.Name, request.Address, request.Facts.RequestId);
    }

    /// <summary>The request as events show it.</summary>
    public EventRequest Describe(RegistryRequest request)
    {
        var context = request.Http;
        return new EventRequest(
            request.Facts.RequestId,
            context.Connection.RemoteIpAddress is { } address ? $"{address}:{context.Connection.RemotePort}" : "",
            context.Request.Host.Value ?? "",
            context.Request.Method,
            context.Request.Headers.UserAgent.ToString(),
            http.OriginOf(request.Http.Request) + context.Request.PathBase.Value);
    }
}

internal static partial class RegistryEventsLog
{
    [LoggerMessage(1041, LogLevel.Warning, "pull of {Repository}@{Digest} not written to the queue of events: the database is away")]
    public static partial void PullNotWritten(this ILogger logger, Exception error, string repository, string digest);
}
