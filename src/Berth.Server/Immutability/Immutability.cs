using Berth.Server.Api;
using Berth.Server.Immutability.Pages;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Immutability;

/// <summary>
/// Tags that stay as they are: by rules of their project (<see cref="ImmutableRulesApi"/>, <c>immutable-tag:…</c>) or by locks of their own (<see cref="TagLocksApi"/>).
/// Both are asked inside the transaction that would move or delete the tag (<see cref="ImmutableTags"/>). Signatures and referrers may still be added.
/// </summary>
internal static class Immutability
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddImmutability(this IServiceCollection services) => services
        .AddSingleton(p => new ImmutableRulesApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new TagLocksApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>()))
        .AddOperations(p => ImmutableRulesApi.Operations(p.GetRequiredService<ImmutableRulesApi>()))
        .AddOperations(p => TagLocksApi.Operations(p.GetRequiredService<TagLocksApi>()))
        .AddPages(ImmutabilityPages.All);
}
