using Berth.Server.Administration.Pages;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Storage;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Administration;

/// <summary>
/// The installation as administrators see it: settings, health, numbers, search, background jobs; and the operations of Harbor that are not there yet
/// (<see cref="LaterOperations"/>). Settings need an administrator, jobs the permissions of <c>jobservice-monitor</c>; health, ping, search and the
/// short form of the system information are for anybody.
/// </summary>
internal static class Administration
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    /// <param name="services">The services.</param>
    /// <param name="storageFolder">Where blobs lie, for its size and room.</param>
    /// <param name="isEncrypting">New content is encrypted.</param>
    public static IServiceCollection AddAdministration(this IServiceCollection services, string storageFolder, bool isEncrypting) => services
        .AddOperations(p => ConfigurationApi.Operations(new ConfigurationApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>())))
        .AddOperations(p => SystemInfoApi.Operations(new SystemInfoApi(
            p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<HealthMonitor>(), p.GetRequiredService<HttpOptions>(), storageFolder, p.GetRequiredService<TimeProvider>())))
        .AddOperations(p => StatisticsApi.Operations(new StatisticsApi(p.GetRequiredService<Database>(), p.GetRequiredService<TimeProvider>())))
        .AddOperations(p => SearchApi.Operations(new SearchApi(p.GetRequiredService<Database>())))
        .AddOperations(p => FindApi.Operations(new FindApi(p.GetRequiredService<Database>(), p.GetRequiredService<ApiRights>())))
        .AddOperations(p => JobServiceApi.Operations(new JobServiceApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<JobQueue>(), p.GetServices<IJobHandler>(), p.GetRequiredService<JobOptions>(),
            p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>())))
        .AddOperations(p => EncryptionApi.Operations(new EncryptionApi(
            p.GetRequiredService<BlobStores>(), p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), isEncrypting)))
        .AddOperations(p => [p.GetRequiredService<LiveJobs>().OperationFor(
            "/jobs/live", "watchJobs", "jobservice", ApiNeed.System(SystemPermissions.JobserviceMonitorList), _ => new JobFilter())])
        .AddOperations(_ => LaterOperations.All)
        .AddPages(AdministrationPages.All);
}
