using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects.Naming;
using Berth.Server.Projects.Pages;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Projects;

/// <summary>
/// Projects: <see cref="ProjectsApi"/> reads them, <see cref="ProjectChangesApi"/> makes, changes and deletes them, <see cref="ProjectRename"/> gives them other names,
/// <see cref="ProjectMetadataApi"/> has their settings one by one, <see cref="NamingApi"/> their naming policy. Reading needs <c>project:read</c> in the project, changing <c>project:update</c>, deleting
/// <c>project:delete</c>; who may make one is <see cref="ProjectOptions.Creators"/>.
/// </summary>
internal static class Projects
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddProjects(this IServiceCollection services, ProjectOptions options) => services
        .AddSingleton(p => new ProjectDefaults(options, p.GetRequiredService<RuntimeSettings>()))
        .AddSingleton(p => new ProjectsApi(p.GetRequiredService<Database>()))
        .AddSingleton(p => new ProjectChangesApi(p.GetRequiredService<Database>(), p.GetRequiredService<ProjectDefaults>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new ProjectRename(p.GetRequiredService<Database>(), p.GetRequiredService<ProjectDefaults>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new ProjectMetadataApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new NamingApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddOperations(p => NamingApi.Operations(p.GetRequiredService<NamingApi>()))
        .AddOperations(p => ProjectsApi.Operations(p.GetRequiredService<ProjectsApi>()))
        .AddOperations(p => ProjectChangesApi.Operations(p.GetRequiredService<ProjectChangesApi>()))
        .AddOperations(p => ProjectRename.Operations(p.GetRequiredService<ProjectRename>()))
        .AddOperations(p => ProjectMetadataApi.Operations(p.GetRequiredService<ProjectMetadataApi>()))
        .AddPages(ProjectPages.All);
}
