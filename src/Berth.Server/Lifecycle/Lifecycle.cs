using Berth.Server.Api;
using Berth.Server.Platform.Jobs;
using Berth.Server.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Lifecycle;

/// <summary>
/// The life of single versions: tags that end by themselves (<see cref="ExpiryApi"/>, <see cref="ExpiryJob"/>), versions that are kept for good (<see cref="ArchiveApi"/>), and
/// the stages that a version goes through with its promotion to other repositories (<see cref="StageApi"/>, <see cref="PromotionApi"/>). Expiry needs <c>tag:delete</c>, the archive
/// <c>immutable-tag:update</c>, stages <c>artifact-label:create</c>, a promotion <c>repository:push</c> there and <c>artifact:read</c> here.
/// </summary>
internal static class Lifecycle
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddLifecycle(this IServiceCollection services, LifecycleOptions options) => services
        .AddSingleton(options)
        .AddSingleton<ExpiryRemoval>()
        .AddSingleton<IJobHandler, ExpiryJob>()
        .AddSingleton<ExpiryWatch>()
        .AddHostedService(p => p.GetRequiredService<ExpiryWatch>())
        .AddSingleton<IJobHandler, ExpiryLabelJob>()
        .AddSingleton<IRegistryEventWriter, ExpiryLabelReview>()
        .AddSingleton<ExpiryApi>()
        .AddOperations(p => ExpiryApi.Operations(p.GetRequiredService<ExpiryApi>()))
        .AddSingleton<ArchiveApi>()
        .AddOperations(p => ArchiveApi.Operations(p.GetRequiredService<ArchiveApi>()))
        .AddSingleton<StageApi>()
        .AddOperations(p => StageApi.Operations(p.GetRequiredService<StageApi>()))
        .AddSingleton<PromotionApi>()
        .AddOperations(p => PromotionApi.Operations(p.GetRequiredService<PromotionApi>()));
}
