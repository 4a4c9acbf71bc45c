using System.Collections.Concurrent;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Api;

/// <summary>Keeps the domain events of a server, once their transaction is committed.</summary>
internal sealed class EventRecorder : IDomainEventWriter
{
    private readonly ConcurrentQueue<DomainEvent> _events = new();

    public IReadOnlyList<DomainEvent> All => [.. _events];

    public ValueTask WriteAsync(DbSession session, DomainEvent domainEvent, CancellationToken ct)
    {
        session.AfterCommit(() => _events.Enqueue(domainEvent));
        return ValueTask.CompletedTask;
    }
}

internal static class EventRecorderSetup
{
    public static IServiceCollection AddRecorder(this IServiceCollection services) =>
        services.AddSingleton<EventRecorder>().AddSingleton<IDomainEventWriter>(p => p.GetRequiredService<EventRecorder>());

    /// <summary>Events on a resource, as <c>operation type</c>.</summary>
    public static IReadOnlyList<string> EventsOf(this IServiceProvider services, string resource) =>
        [.. services.GetRequiredService<EventRecorder>().All.Where(e => e.Resource == resource).Select(e => $"{e.Operation} {e.ResourceType}")];
}
