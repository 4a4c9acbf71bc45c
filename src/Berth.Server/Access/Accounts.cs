using Berth.Server.Access.PersonalTokens;
using Berth.Server.Access.Robots;
using Berth.Server.Api;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Access;

/// <summary>The operations on what signs in beside people: robots, personal access tokens, signing keys (mode <c>local</c>).</summary>
internal static class Accounts
{
    /// <summary>Registers the operations.</summary>
    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        services.AddSingleton(p => new RobotLimits(p.GetRequiredService<RightsCache>(), p.GetRequiredService<Database>()));
        services.AddSingleton(p => new RobotsApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<RobotLimits>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new RobotSecretsApi(
            p.GetRequiredService<Database>(), p.GetRequiredService<RobotsApi>(), p.GetRequiredService<RobotLimits>(), p.GetRequiredService<PasswordRules>(),
            p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new PersonalTokensApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new PermissionsApi(p.GetRequiredService<Database>(), p.GetRequiredService<RightsCache>()));
        services.AddSingleton(p => new KeysApi(p.GetRequiredService<SigningKeys>(), p.GetRequiredService<DomainEvents>()));
        services.AddOperations(p => RobotsApi.Operations(p.GetRequiredService<RobotsApi>()));
        services.AddOperations(p => RobotSecretsApi.Operations(p.GetRequiredService<RobotSecretsApi>()));
        services.AddOperations(p => PersonalTokensApi.Operations(p.GetRequiredService<PersonalTokensApi>()));
        services.AddOperations(p => PermissionsApi.Operations(p.GetRequiredService<PermissionsApi>()));
        return services.AddOperations(p => KeysApi.Operations(p.GetRequiredService<KeysApi>()));
    }
}
