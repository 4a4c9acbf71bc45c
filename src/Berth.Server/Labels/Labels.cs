using Berth.Server.Api;
using Berth.Server.Labels.Pages;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Labels;

/// <summary>
/// Labels (<see cref="LabelsApi"/>). Those of a project need <c>label:…</c> in it, those of all projects the permission of the installation. Putting them on artifacts is
/// a matter of artifacts.
/// </summary>
internal static class Labels
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddLabels(this IServiceCollection services) => services
        .AddSingleton(p => new LabelsApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddOperations(p => LabelsApi.Operations(p.GetRequiredService<LabelsApi>()))
        .AddPages(LabelPages.All);
}
