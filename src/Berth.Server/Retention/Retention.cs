using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Jobs;
using Berth.Server.Registry;
using Berth.Server.Retention.Pages;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Retention;

/// <summary>
/// Decides which tags and images stay and which go. <see cref="RetentionRules"/> is the one engine; <c>Dialects/</c> reads and writes the policies of other systems;
/// <see cref="RetentionWalk"/> goes through repositories for a simulation and for a run alike; <see cref="RetentionJob"/> runs on demand, on schedule and after a push.
/// Harbor's operations are in <see cref="RetentionsApi"/>, our own in <see cref="RetentionApi"/>; all need <c>tag-retention:…</c> of the project, or an administrator for the registry.
/// </summary>
internal static class Retention
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddRetention(this IServiceCollection services) => services
        .AddSingleton<RetentionWalk>()
        .AddSingleton<RetentionRemoval>()
        .AddSingleton<IJobHandler, RetentionJob>()
        .AddSingleton<IJobHandler, CleanupJob>()
        .AddSingleton<IRegistryEventWriter, RetentionOnPush>()
        .AddSingleton<ClusterUse>()
        .AddSingleton<IPullListener>(p => p.GetRequiredService<ClusterUse>())
        .AddHostedService(p => p.GetRequiredService<ClusterUse>())
        .AddSingleton<RetentionsApi>()
        .AddOperations(p => RetentionsApi.Operations(p.GetRequiredService<RetentionsApi>()))
        .AddSingleton<RetentionApi>()
        .AddOperations(p => RetentionApi.Operations(p.GetRequiredService<RetentionApi>()))
        .AddSingleton<CleanupApi>()
        .AddOperations(p => CleanupApi.Operations(p.GetRequiredService<CleanupApi>()))
        .AddSingleton<RetentionReportApi>()
        .AddOperations(p => RetentionReportApi.Operations(p.GetRequiredService<RetentionReportApi>()))
        .AddOperations(p => [p.GetRequiredService<LiveJobs>().OperationFor(
            "/projects/{project_name_or_id}/retention/runs/live", "watchProjectRetention", "retention", ApiNeed.Project(ProjectPermissions.TagRetentionList),
            call => new JobFilter { Kind = RetentionJob.JobKind, ProjectId = call.Project!.Id })])
        .AddPages(RetentionPages.All);
}
