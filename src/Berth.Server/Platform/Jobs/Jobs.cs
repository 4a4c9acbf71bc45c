using Berth.Server.Platform.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Berth.Server.Platform.Jobs;

/// <summary>
/// Work in the background. A feature enqueues a <see cref="NewJob"/> in the transaction of what asks for it (<see cref="JobQueue"/>), or sets a
/// schedule (<see cref="JobSchedules"/>), and registers an <see cref="IJobHandler"/>, which the workers of every replica run
/// (<see cref="JobWorkers"/>). <see cref="JobViews"/> lists what there is. It has no routes.
/// </summary>
public static class Jobs
{
    /// <summary>Registers queue, schedules and workers. <see cref="Database"/>, <see cref="TimeProvider"/> and telemetry must be registered too.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, JobOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<JobQueue>();
        services.AddSingleton<JobSchedules>();
        services.AddSingleton<JobWorkers>();
        services.AddSingleton<IHostedService>(p => p.GetRequiredService<JobWorkers>());
        return services;
    }
}
