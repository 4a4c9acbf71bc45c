using Berth.Server.Access.PersonalTokens;
using Berth.Server.Access.Robots;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Secrets;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Access;

/// <summary>
/// Who callers are and what they may do. <see cref="ICallerSource"/> answers for the configured <see cref="AccessMode"/>; in mode
/// <c>local</c> users live in the database and Berth signs its own bearer tokens.
/// </summary>
public static class Access
{
    /// <summary>
    /// Registers <see cref="ICallerSource"/>, <see cref="AccessCounters"/>, <see cref="Users"/> and <see cref="FirstAdmin"/>. A
    /// <see cref="Database"/> and a <see cref="TimeProvider"/> must be registered too. Nothing is read before first use; resolve
    /// <see cref="ICallerSource"/> at start to have bad settings and unreadable files reported there.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Settings.</param>
    /// <param name="identity">Settings of accounts: passwords and locks.</param>
    /// <param name="projects">How projects come to be.</param>
    /// <param name="http">Where clients find the server, for the realm of challenges.</param>
    /// <param name="dataFolder">Where the secret key is kept when the settings name none.</param>
    public static IServiceCollection AddAccess(
        this IServiceCollection services, AccessOptions options, IdentityOptions identity, ProjectOptions projects, HttpOptions http, string dataFolder)
    {
        // Factories instead of types: nothing on the start path looks for constructors by reflection.
        services.AddSingleton(new AccessCounters());
        services.AddSingleton(p => new Users(p.GetRequiredService<Database>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new FirstAdmin(p.GetRequiredService<Users>()));
        services.AddSingleton(p => new CredentialCache(
            options, p.GetRequiredService<AccessCounters>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<Database>().Announcements));
        services.AddSingleton(p => new FailedSignIns(options, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new BearerSignIn(p.GetRequiredService<CredentialCache>(), p.GetRequiredService<AccessCounters>()));
        services.AddSingleton(p => new PasswordSignIn(
            p.GetRequiredService<CredentialCache>(), p.GetRequiredService<FailedSignIns>(), p.GetService<SignInLocks>(), p.GetRequiredService<AccessCounters>(),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<PasswordSignIn>>(), p.GetServices<ISignInListener>()));
        switch (options.Mode)
        {
            case AccessMode.Local:
                services.AddLocal(options, identity, projects, http, dataFolder);
                break;
            case AccessMode.Htpasswd:
                services.AddSingleton<ICallerSource>(p => new HtpasswdAccess(
                    options, p.GetRequiredService<PasswordSignIn>(), p.GetRequiredService<CredentialCache>(),
                    p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<HtpasswdAccess>>()));
                break;
            case AccessMode.Token:
                services.AddSingleton<ICallerSource>(p => new TokenAccess(
                    options, p.GetRequiredService<BearerSignIn>(), p.GetRequiredService<CredentialCache>(),
                    p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<TokenAccess>>()));
                break;
            case AccessMode.Open:
                services.AddSingleton<ICallerSource>(new OpenAccess());
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(options), options.Mode, "unknown access mode");
        }
        return services;
    }

    /// <summary>
    /// Maps the token service; only mode <c>local</c> has one. Its routes need no permission: they are where callers prove who they are.
    /// </summary>
    public static IEndpointRouteBuilder MapAccess(this IEndpointRouteBuilder endpoints, AccessOptions options)
    {
        if (options.Mode != AccessMode.Local) return endpoints;
        endpoints.MapGet(TokenEndpoint.Path, (RequestDelegate)(context => Of(context).GetAsync(context)));
        endpoints.MapPost(TokenEndpoint.Path, (RequestDelegate)(context => Of(context).PostAsync(context)));
        endpoints.MapGet(TokenEndpoint.KeysPath, (RequestDelegate)(context => Of(context).GetKeysAsync(context)));
        return endpoints;

        static TokenEndpoint Of(HttpContext context) => context.RequestServices.GetRequiredService<TokenEndpoint>();
    }

    private static void AddLocal(
        this IServiceCollection services, AccessOptions options, IdentityOptions identity, ProjectOptions projects, HttpOptions http, string dataFolder)
    {
        services.AddSingleton(p => new InstallationSecret(options.SecretKey, options.SecretKeyFile, dataFolder, p.GetRequiredService<ILogger<InstallationSecret>>()));
        services.AddSingleton(p => new SigningKeys(
            options, p.GetRequiredService<Database>(), p.GetRequiredService<InstallationSecret>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new LocalTokens(
            options, p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<SigningKeys>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new PasswordRules(identity));
        services.AddSingleton(p => new SignInLocks(
            identity, p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<Database>(), p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<SignInLocks>>()));
        services.AddSingleton(p => new LastUse(p.GetRequiredService<Database>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<LastUse>>()));
        services.AddSingleton(p => new PersonalTokenSource(p.GetRequiredService<Database>(), p.GetRequiredService<LastUse>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new RobotSource(
            p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<Database>(), p.GetRequiredService<LastUse>(), p.GetRequiredService<TimeProvider>()));
        // In the order in which they are asked.
        services.AddSingleton<ICredentialSource>(p => p.GetRequiredService<PersonalTokenSource>());
        services.AddSingleton<ICredentialSource>(p => p.GetRequiredService<RobotSource>());
        services.AddSingleton<ICredentialSource>(p => new UserPasswords(p.GetRequiredService<Users>()));
        services.AddSingleton(p => new LocalCallers(
            p.GetServices<ICredentialSource>(), p.GetRequiredService<PersonalTokenSource>(), p.GetRequiredService<LocalTokens>(),
            p.GetRequiredService<Database>().Announcements, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new RightsCache(p.GetRequiredService<Database>()));
        services.AddSingleton<ICallerSource>(p => new LocalAccess(
            options, http, new ProjectDefaults(projects, p.GetRequiredService<RuntimeSettings>()), p.GetRequiredService<LocalCallers>(), p.GetRequiredService<PasswordSignIn>(),
            p.GetRequiredService<BearerSignIn>(), p.GetRequiredService<RightsCache>(), p.GetServices<IRequestCredentials>()));
        services.AddSingleton(p => new TokenEndpoint(
            options, p.GetRequiredService<ICallerSource>(), p.GetRequiredService<LocalCallers>(), p.GetRequiredService<LocalTokens>(),
            p.GetRequiredService<PasswordSignIn>(), p.GetRequiredService<AccessCounters>()));
    }
}
