using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Audit.Pages;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Settings;
using Berth.Server.Registry;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Audit;

/// <summary>
/// Who did what, and when. <see cref="AuditWriter"/> writes what changes something in the transaction of the change, <see cref="AuditBuffer"/> gathers pulls and
/// failed sign-ins; <see cref="AuditApi"/> lists and exports, <see cref="PurgeJob"/> removes by age, <see cref="AuditForwarding"/> sends to another system.
/// The list of the installation needs <c>audit-log:list</c>, that of a project <c>log:list</c>, purging the permissions of <c>purge-audit</c>.
/// </summary>
internal static class Audit
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddAudit(this IServiceCollection services, AuditOptions options) => services
        .AddSingleton(p => new AuditForwarding(
            p.GetRequiredService<Database>(), p.GetRequiredService<RuntimeSettings>(), options, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<AuditForwarding>>()))
        .AddSingleton(p => new AuditWriter(p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<AuditForwarding>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton<IDomainEventWriter>(p => p.GetRequiredService<AuditWriter>())
        .AddSingleton<IRegistryEventWriter>(p => p.GetRequiredService<AuditWriter>())
        .AddSingleton(p => new AuditBuffer(
            p.GetRequiredService<Database>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<AuditForwarding>(), options,
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<AuditBuffer>>()))
        .AddSingleton<IPullListener>(p => p.GetRequiredService<AuditBuffer>())
        .AddSingleton<ISignInListener>(p => p.GetRequiredService<AuditBuffer>())
        .AddSingleton<IHostedService>(p => p.GetRequiredService<AuditForwarding>())
        .AddSingleton<IHostedService>(p => p.GetRequiredService<AuditBuffer>())
        .AddSingleton<IJobHandler>(p => new PurgeJob(
            p.GetRequiredService<Database>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<AuditForwarding>(), p.GetRequiredService<TimeProvider>()))
        .AddPages(AuditPages.All)
        .AddOperations(p => AuditApi.Operations(new AuditApi(p.GetRequiredService<Database>(), new AuditExport(p.GetRequiredService<Database>()))))
        .AddOperations(p => PurgeApi.Operations(new PurgeApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<JobQueue>(), p.GetRequiredService<JobSchedules>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>())));
}
