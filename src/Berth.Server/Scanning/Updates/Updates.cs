using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning.Updates;

/// <summary>
/// Keeps the advisories of all replicas the same and up to date: <see cref="AdvisoryUpdateJob"/> asks the sources of the settings, <see cref="AdvisoryReleases"/> shares what it makes,
/// <see cref="AdvisoryShare"/> brings it to each process, <see cref="AdvisoryApi"/> shows it and takes bundles over. The state is for whoever is signed in, changes are for administrators.
/// </summary>
internal static class Updates
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Settings.</param>
    /// <param name="outgoing">Where the server may connect to beside the sources.</param>
    /// <param name="folder">Folder of the databases in use.</param>
    public static IServiceCollection AddAdvisoryUpdates(this IServiceCollection services, AdvisoryOptions options, OutgoingOptions outgoing, string folder) => services
        .AddSingleton(options)
        .AddSingleton<AdvisoryReleases>()
        .AddSingleton<AdvisoryAge>()
        .AddSingleton(p => new AdvisoryShare(
            folder, p.GetRequiredService<AdvisoryReleases>(), p.GetRequiredService<Database>().Announcements, options, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<AdvisoryShare>>()))
        .AddHostedService(p => p.GetRequiredService<AdvisoryShare>())
        .AddHostedService<AdvisorySchedule>()
        .AddSingleton<IJobHandler>(p => new AdvisoryUpdateJob(p.GetRequiredService<AdvisoryShare>(), options, outgoing, p.GetRequiredService<TimeProvider>()))
        .AddSingleton<AdvisoryApi>()
        .AddOperations(p => AdvisoryApi.Operations(p.GetRequiredService<AdvisoryApi>()));
}

/// <summary>How old the advisory database of this process is.</summary>
internal sealed class AdvisoryAge(AdvisoryStore store, AdvisoryOptions options, TimeProvider time)
{
    /// <summary>From which age on it is old.</summary>
    public TimeSpan WarnAfter => options.WarnAfter;

    /// <summary>Its age; null when there is none.</summary>
    public TimeSpan? Read()
    {
        using var loan = store.Borrow();
        return loan is null ? null : time.GetUtcNow() - loan.Database.Metadata.BuiltAt;
    }
}
