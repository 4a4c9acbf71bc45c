using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;
using Berth.Server.Trash.Pages;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Trash;

/// <summary>
/// What people or rules delete rests for a window before it goes for good: tags and manifests with everything that brings them back byte for byte. Seven days (<see cref="TrashOptions"/>),
/// or as the project says (<see cref="TrashWindow"/>); 0 switches it off. Garbage collection takes what is here for needed. It does not count against the project's quota; a restore does.
/// </summary>
internal static class Trash
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddTrash(this IServiceCollection services, TrashOptions options) => services
        .AddSingleton(options)
        .AddSingleton<TrashKeeper>()
        .AddSingleton<IDeletionKeeper>(p => p.GetRequiredService<TrashKeeper>())
        .AddSingleton<IRegistryEventWriter>(p => p.GetRequiredService<TrashKeeper>())
        .AddSingleton<IDomainEventWriter>(p => p.GetRequiredService<TrashKeeper>())
        .AddSingleton<TrashRestore>()
        .AddSingleton<TrashPurge>()
        .AddHostedService(p => p.GetRequiredService<TrashPurge>())
        .AddSingleton<TrashApi>()
        .AddOperations(p => TrashApi.Operations(p.GetRequiredService<TrashApi>()))
        .AddSingleton<IDeletionUndo, TrashUndo>()
        .AddPages(TrashPages.All);
}
