using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Events;

/// <summary>Who caused an event, as logs and receivers show it.</summary>
/// <param name="Kind"><c>user</c>, <c>robot</c>, <c>anonymous</c> or <c>system</c>.</param>
/// <param name="Id">Row of the user or robot; 0 for others.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Address">Address that the request came from; empty for the server itself.</param>
/// <param name="RequestId">Id of the request in the logs; empty for the server itself.</param>
public sealed record EventActor(string Kind, long Id, string Name, string Address, string RequestId)
{
    /// <summary>The server itself.</summary>
    public static readonly EventActor System = new("system", 0, "system", "", "");
}

/// <summary>
/// Something that was done to the installation: a project made, a member removed, a sign-in. What happens to content of repositories is told
/// by the registry's own events. Written down in the transaction that makes it true.
/// </summary>
public sealed record DomainEvent
{
    /// <summary><c>create</c>, <c>update</c>, <c>delete</c>, <c>login</c>, <c>exceed</c> …</summary>
    public required string Operation { get; init; }

    /// <summary><c>project</c>, <c>member</c>, <c>robot</c>, <c>user</c>, <c>quota</c> …</summary>
    public required string ResourceType { get; init; }

    /// <summary>Name of what it was done to.</summary>
    public required string Resource { get; init; }

    /// <summary>Project that it happened in, if any.</summary>
    public long? ProjectId { get; init; }

    /// <summary>Name of that project.</summary>
    public string? ProjectName { get; init; }

    public required EventActor Actor { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Description { get; init; }

    /// <summary>What receivers may want to know beyond the words above; null when there is nothing.</summary>
    public object? Detail { get; init; }

    /// <summary>False for something that was tried and refused, such as a sign-in.</summary>
    public bool IsSuccessful { get; init; } = true;
}

/// <summary>Takes part in the transaction of every domain event. Implemented by those who tell others: audit, webhooks.</summary>
public interface IDomainEventWriter
{
    /// <summary>Writes what it needs into the transaction.</summary>
    ValueTask WriteAsync(DbSession session, DomainEvent domainEvent, CancellationToken ct);
}

/// <summary>Hands domain events to those who write them down.</summary>
public sealed class DomainEvents(IEnumerable<IDomainEventWriter> writers, Database database)
{
    private readonly IDomainEventWriter[] _writers = [.. writers];

    /// <summary>Writes an event into the transaction of the change that it tells of.</summary>
    public async ValueTask RaiseAsync(DbSession session, DomainEvent domainEvent, CancellationToken ct)
    {
        foreach (var writer in _writers) await writer.WriteAsync(session, domainEvent, ct).ConfigureAwait(false);
    }

    /// <summary>Writes an event that goes with no change, such as a sign-in.</summary>
    public Task RaiseAsync(DomainEvent domainEvent, CancellationToken ct) =>
        _writers.Length == 0 ? Task.CompletedTask : database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await RaiseAsync(session, domainEvent, token).ConfigureAwait(false);
            return true;
        }, ct);
}
