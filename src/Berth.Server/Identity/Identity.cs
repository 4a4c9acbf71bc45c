using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Identity.Pages;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Identity;

/// <summary>
/// Accounts of people and groups of them (mode <c>local</c>): Harbor's operations <c>user</c> and <c>usergroup</c>, and ours on state, locks and members.
/// </summary>
public static class Identity
{
    /// <summary>Registers the operations. Needs what <see cref="Access.Access.AddAccess"/> registers.</summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddSingleton(p => new OldPassword(p.GetRequiredService<PasswordSignIn>(), p.GetRequiredService<LocalCallers>()));
        services.AddSingleton(p => new UsersApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<PasswordRules>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new UserSecretsApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<PasswordRules>(), p.GetRequiredService<OldPassword>(),
            p.GetRequiredService<SignInLocks>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new GroupsApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()));
        services.AddOperations(p => UsersApi.Operations(p.GetRequiredService<UsersApi>()));
        services.AddOperations(p => UserSecretsApi.Operations(p.GetRequiredService<UserSecretsApi>()));
        services.AddPages(IdentityPages.All);
        return services.AddOperations(p => GroupsApi.Operations(p.GetRequiredService<GroupsApi>()));
    }
}
