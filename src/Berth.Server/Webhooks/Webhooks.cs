using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Secrets;
using Berth.Server.Platform.Settings;
using Berth.Server.Registry;
using Berth.Server.Ui;
using Berth.Server.Webhooks.Pages;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Webhooks;

/// <summary>
/// Tells other servers what happens. A policy of a project or of the installation names types of events, filters and targets
/// (<see cref="WebhookPolicy"/>); the writer of an event adds a delivery for each target to the event's own transaction
/// (<see cref="WebhookWriter"/>), as a job that is tried until it is taken (<see cref="WebhookJob"/>), in order within a repository. Routes: Harbor's
/// (<see cref="WebhookApi"/>) with the permissions of <c>notification-policy</c> in the project, and <c>/api/berth/v1/webhooks</c>
/// (<see cref="WebhookInstallationApi"/>) for administrators and the owners of a policy.
/// </summary>
public static class Webhooks
{
    /// <summary>Registers webhooks; mode <c>local</c> only. Jobs, access and the API must be registered too.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services, WebhookOptions options, OutgoingOptions outgoing)
    {
        services.AddSingleton(_ => new OutgoingGuard(outgoing));
        services.AddSingleton(p => new WebhookTargets(p.GetRequiredService<InstallationSecret>()));
        services.AddSingleton(p => new WebhookPolicies(
            p.GetRequiredService<Database>().Announcements, p.GetRequiredService<WebhookTargets>(), p.GetRequiredService<RuntimeSettings>()));
        services.AddSingleton(p => new WebhookPublisher(p.GetRequiredService<WebhookPolicies>(), p.GetRequiredService<JobQueue>(), options));
        services.AddSingleton(p => new WebhookWriter(
            p.GetRequiredService<WebhookPublisher>(), new WebhookScans(p.GetRequiredService<WebhookPublisher>(), p.GetService<HttpOptions>()?.PublicUrl), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IRegistryEventWriter>(p => p.GetRequiredService<WebhookWriter>());
        services.AddSingleton<IDomainEventWriter>(p => p.GetRequiredService<WebhookWriter>());
        services.AddSingleton<IJobHandler>(p => new WebhookJob(
            p.GetRequiredService<Database>(), p.GetRequiredService<WebhookTargets>(), options, p.GetRequiredService<OutgoingGuard>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new WebhookPolicyChanges(
            p.GetRequiredService<Database>(), p.GetRequiredService<WebhookTargets>(), p.GetRequiredService<OutgoingGuard>(), options,
            p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()));
        services.AddPages(WebhookPages.All);
        services.AddOperations(p => WebhookApi.Operations(new WebhookApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<WebhookPolicyChanges>(), p.GetRequiredService<WebhookTargets>(), p.GetRequiredService<TimeProvider>())));
        services.AddOperations(p => WebhookInstallationApi.Operations(new WebhookInstallationApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<WebhookPolicyChanges>(), p.GetRequiredService<WebhookTargets>(),
            p.GetRequiredService<WebhookPublisher>(), p.GetRequiredService<TimeProvider>())));
        return services;
    }
}
