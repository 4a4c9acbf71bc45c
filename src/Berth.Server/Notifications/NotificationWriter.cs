using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Notifications;

/// <summary>
/// Writes one <see cref="Delivery"/> for each endpoint that wants an event, in the transaction of the change; the endpoint's loop is woken
/// after the commit. Without endpoints it costs nothing: <see cref="Wants"/> says no before an event is built.
/// </summary>
public sealed class NotificationWriter(NotificationEndpoints endpoints, NotificationSource source, TimeProvider time) : IRegistryEventWriter
{
    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => endpoints.Want(action);

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        if (!Wants(registryEvent.Action)) return;
        string? json = null;
        var now = time.GetUtcNow();
        foreach (var endpoint in endpoints.All)
        {
            if (!endpoint.Wants(registryEvent.Action, EventJson.MediaTypeOf(registryEvent))) continue;
            // All endpoints get the same event under the same id.
            json ??= EventJson.Write(registryEvent, Guid.CreateVersion7(now), now, source, endpoints.IncludeReferences);
            await DeliveryQueue.AddAsync(session, endpoint.Name, json, now.ToUnixTimeMilliseconds(), ct).ConfigureAwait(false);
            session.AfterCommit(() =>
            {
                endpoint.Counters.Written();
                endpoint.Wake.Set();
            });
        }
    }
}
