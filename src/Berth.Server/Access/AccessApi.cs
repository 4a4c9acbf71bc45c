using Berth.Server.Access.Members;
using Berth.Server.Access.Pages;
using Berth.Server.Access.Roles;
using Berth.Server.Access.Rules;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Access;

/// <summary>
/// The management of access: <see cref="MembersApi"/> and <see cref="BerthMembersApi"/> (<c>member:…</c> in the project), <see cref="RolesApi"/> (administrators),
/// <see cref="RulesApi"/> (<c>member:…</c> in the project), <see cref="ExplainApi"/> (everybody about themselves).
/// </summary>
internal static class AccessApi
{
    /// <summary>Registers it (mode <c>local</c>).</summary>
    public static IServiceCollection AddAccessApi(this IServiceCollection services) => services
        .AddSingleton(p => new MemberChanges(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new MembersApi(p.GetRequiredService<Database>(), p.GetRequiredService<MemberChanges>(), p.GetRequiredService<IMemberSource>()))
        .AddSingleton(p => new BerthMembersApi(p.GetRequiredService<Database>(), p.GetRequiredService<MemberChanges>()))
        .AddSingleton(p => new RolesApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new RulesApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new AccessExplainer(p.GetRequiredService<RightsCache>(), p.GetRequiredService<Database>()))
        .AddSingleton(p => new ExplainApi(p.GetRequiredService<AccessExplainer>(), p.GetRequiredService<Database>()))
        .AddOperations(p => MembersApi.Operations(p.GetRequiredService<MembersApi>()))
        .AddOperations(p => BerthMembersApi.Operations(p.GetRequiredService<BerthMembersApi>()))
        .AddOperations(p => RolesApi.Operations(p.GetRequiredService<RolesApi>()))
        .AddOperations(p => RulesApi.Operations(p.GetRequiredService<RulesApi>()))
        .AddOperations(p => ExplainApi.Operations(p.GetRequiredService<ExplainApi>()))
        .AddPages(AccessPages.All);
}
