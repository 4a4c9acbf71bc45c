using Berth.Server.Api;
using Berth.Server.Artifacts.Pages;
using Berth.Server.Registry;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Berth.Server.Artifacts;

/// <summary>
/// Repositories and artifacts as people and scripts look at them: Harbor's <c>repository</c>, <c>artifact</c> and <c>icon</c> operations, how often and when something was pulled,
/// and ours beyond Harbor: the history of tags with the way back, unique and shared bytes. Changes go through the registry's own steps.
/// </summary>
internal static class Artifacts
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddArtifacts(this IServiceCollection services) => services
        .AddSingleton<ArtifactTargets>()
        .AddSingleton<ArtifactDetails>()
        .AddSingleton<ArtifactList>()
        .AddSingleton<ArtifactAssembly>()
        .AddSingleton<ArtifactRemoval>()
        .AddSingleton<ArtifactCopy>()
        .AddSingleton<RepositoryDeletion>()
        .AddSingleton<RepositoryApi>()
        .AddSingleton<ArtifactApi>()
        .AddSingleton<ArtifactTagApi>()
        .AddSingleton<ArtifactLabelApi>()
        .AddSingleton<ArtifactAdditions>()
        .AddSingleton<TagHistoryApi>()
        .AddSingleton<UsageApi>()
        .AddSingleton<PullCounts>()
        .AddSingleton<IPullCounter>(p => p.GetRequiredService<PullCounts>())
        .AddSingleton<IHostedService>(p => p.GetRequiredService<PullCounts>())
        .AddOperations(p => RepositoryApi.Operations(p.GetRequiredService<RepositoryApi>()))
        .AddOperations(p => ArtifactApi.Operations(p.GetRequiredService<ArtifactApi>()))
        .AddOperations(p => ArtifactCopy.Operations(p.GetRequiredService<ArtifactCopy>()))
        .AddOperations(p => ArtifactTagApi.Operations(p.GetRequiredService<ArtifactTagApi>()))
        .AddOperations(p => ArtifactLabelApi.Operations(p.GetRequiredService<ArtifactLabelApi>()))
        .AddOperations(p => ArtifactAdditions.Operations(p.GetRequiredService<ArtifactAdditions>()))
        .AddOperations(p => TagHistoryApi.Operations(p.GetRequiredService<TagHistoryApi>()))
        .AddOperations(p => UsageApi.Operations(p.GetRequiredService<UsageApi>()))
        .AddSingleton<LayerUsesApi>()
        .AddOperations(p => LayerUsesApi.Operations(p.GetRequiredService<LayerUsesApi>()))
        .AddOperations(_ => Icons.Operations())
        .AddPages(ArtifactPages.All);
}
