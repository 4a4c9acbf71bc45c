using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Notifications;

/// <summary>
/// Posts registry events to other servers, in Docker Registry's envelope. An event is a row per endpoint in the transaction of the change
/// (<see cref="NotificationWriter"/>); a loop per endpoint posts the rows one after the other and removes what was accepted
/// (<see cref="NotificationSender"/>). It has no routes.
/// </summary>
public static class Notifications
{
    /// <summary>Registers writer, sender and counters. <see cref="Database"/> and <see cref="TimeProvider"/> must be registered too.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="options">The endpoints, validated.</param>
    /// <param name="source">Names this process in the events.</param>
    public static IServiceCollection AddNotifications(this IServiceCollection services, NotificationOptions options, NotificationSource source)
    {
        services.AddSingleton(new NotificationEndpoints(options));
        services.AddSingleton<IRegistryEventWriter>(p => new NotificationWriter(
            p.GetRequiredService<NotificationEndpoints>(), source, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new NotificationSender(
            p.GetRequiredService<NotificationEndpoints>(),
            p.GetRequiredService<Database>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<NotificationSender>>()));
        services.AddSingleton<IHostedService>(p => p.GetRequiredService<NotificationSender>());
        return services;
    }
}
