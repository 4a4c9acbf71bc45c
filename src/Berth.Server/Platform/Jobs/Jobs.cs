using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

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
        // Factories instead of types: nothing on the start path looks for constructors by reflection.
        services.AddSingleton(options);
        services.AddSingleton(p => new JobQueue(p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new JobSchedules(
            p.GetRequiredService<Database>(), p.GetRequiredService<JobQueue>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<JobSchedules>>()));
        services.AddSingleton(p => new JobWorkers(
            p.GetRequiredService<Database>(), p.GetRequiredService<JobQueue>(), p.GetRequiredService<JobSchedules>(), p.GetServices<IJobHandler>(), options,
            p.GetRequiredService<MetricRegistry>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<JobWorkers>>()));
        services.AddSingleton<IHostedService>(p => p.GetRequiredService<JobWorkers>());
        return services;
    }
}
