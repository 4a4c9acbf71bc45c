using Berth.Server.Access;
using Berth.Server.Access.Members;
using Berth.Server.Access.Robots;
using Berth.Server.Api;
using Berth.Server.Identity;
using Berth.Server.Identity.Certificates;
using Berth.Server.Identity.Federation;
using Berth.Server.Identity.Issuers;
using Berth.Server.Identity.Ldap;
using Berth.Server.Identity.Oidc;
using Berth.Server.Identity.Proxy;
using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Secrets;
using Berth.Server.Platform.Settings;
using Berth.Server.SignIn.Pages;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.SignIn;

/// <summary>
/// How people and machines come in whom somebody outside vouches for: directory, OpenID providers, trusted issuers, proxy, certificates; and the sessions of
/// browsers. What they are told apart by is in <c>Identity</c>; here it becomes a caller.
/// </summary>
public static class SignIn
{
    /// <summary>Registers the ways in and their operations (mode <c>local</c>). Nothing is connected before first use.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Settings.</param>
    /// <param name="http">Where browsers find the server.</param>
    /// <param name="outgoing">Which networks issuers may be in that are entered through the API; those of the settings may be anywhere.</param>
    public static IServiceCollection AddSignIn(this IServiceCollection services, IdentityOptions options, HttpOptions http, OutgoingOptions outgoing)
    {
        // What is known of people.
        services.AddSingleton(p => new OutsideUsers(
            p.GetRequiredService<Database>(), p.GetRequiredService<Users>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new BrowserSessions(
            p.GetRequiredService<Database>(), options.Sessions, p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<InstallationSecret>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new LdapSource(options.Ldap, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<LdapDirectory>>()));
        services.AddSingleton(p => new OidcProviders(options.Oidc, p.GetRequiredService<InstallationSecret>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new SignInSettings(
            p.GetRequiredService<RuntimeSettings>(), options, p.GetRequiredService<LdapSource>(), p.GetRequiredService<OidcProviders>(), p.GetRequiredService<ILogger<SignInSettings>>()));
        services.AddSingleton(p => new LdapUsers(
            p.GetRequiredService<LdapSource>(), p.GetRequiredService<SignInSettings>(), p.GetRequiredService<OutsideUsers>(), p.GetRequiredService<Database>()));
        services.AddSingleton<IMemberSource>(p => new OutsideMembers(
            p.GetRequiredService<LdapUsers>(), p.GetRequiredService<OidcProviders>(), options.ProxyHeader.IsConfigured, p.GetRequiredService<OutsideUsers>()));
        services.AddSingleton<IJobHandler>(p => new LdapSyncJob(p.GetRequiredService<LdapUsers>()));
        services.AddSingleton<IHostedService>(p => new LdapSyncSchedule(p.GetRequiredService<Database>(), p.GetRequiredService<JobSchedules>()));
        services.AddSingleton(p => new RobotTrusts(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(_ => new IssuerClient(new OutgoingGuard(outgoing)));
        services.AddSingleton(p => new MachineTokens(p.GetRequiredService<IssuerClient>().Get, p.GetRequiredService<TimeProvider>()));

        // Names and passwords, in the order in which they are asked; the passwords in the database come before.
        services.AddSingleton<ICredentialSource>(p => new CliSecrets(p.GetRequiredService<Users>()));
        services.AddSingleton<ICredentialSource>(p => new MachineCredentials(
            p.GetRequiredService<MachineTokens>(), p.GetRequiredService<RobotTrusts>(), p.GetRequiredService<RobotSource>(), p.GetRequiredService<RuntimeSettings>(),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<MachineCredentials>>()));
        services.AddSingleton<ICredentialSource>(p => new LdapPasswords(p.GetRequiredService<LdapUsers>(), p.GetRequiredService<Users>(), p.GetRequiredService<TimeProvider>()));

        // What comes with a request by itself.
        services.AddSingleton<IRequestCredentials>(p => new SessionCredentials(p.GetRequiredService<BrowserSessions>(), p.GetRequiredService<Users>()));
        if (options.ProxyHeader.IsConfigured)
        {
            services.AddSingleton<IRequestCredentials>(p => new ProxyCredentials(
                new ProxyHeader(options.ProxyHeader), p.GetRequiredService<OutsideUsers>(), p.GetRequiredService<Users>()));
        }
        if (options.ClientCertificate.Enabled)
        {
            services.AddSingleton<IRequestCredentials>(p => new CertificateCredentials(
                new CertificateSignIn(options.ClientCertificate, http.Tls.ClientCas, p.GetRequiredService<TimeProvider>()),
                p.GetRequiredService<OutsideUsers>(), p.GetRequiredService<Users>()));
        }
        return services.AddSignInOperations(http);
    }

    private static IServiceCollection AddSignInOperations(this IServiceCollection services, HttpOptions http)
    {
        services.AddSingleton(p => new SessionStart(p.GetRequiredService<BrowserSessions>(), p.GetRequiredService<DomainEvents>(), http));
        services.AddPages(SignInPages.All);
        return services.AddOperations(p =>
        [
            .. new LoginApi(
                p.GetRequiredService<LocalCallers>(), p.GetRequiredService<PasswordSignIn>(), p.GetRequiredService<SessionStart>(),
                p.GetRequiredService<BrowserSessions>(), p.GetRequiredService<OidcProviders>(), p.GetRequiredService<SignInSettings>()).Operations(),
            .. new OidcPages(
                p.GetRequiredService<OidcProviders>(), p.GetRequiredService<SignInSettings>(), p.GetRequiredService<OutsideUsers>(), p.GetRequiredService<SessionStart>(),
                p.GetRequiredService<InstallationSecret>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<OidcPages>>()).Operations(),
            .. new OidcApi(
                p.GetRequiredService<OidcProviders>(), p.GetRequiredService<SignInSettings>(), p.GetRequiredService<IssuerClient>().Guard, p.GetRequiredService<TimeProvider>()).Operations(),
            .. new SessionApi(p.GetRequiredService<BrowserSessions>(), p.GetRequiredService<Users>()).Operations(),
            .. new LdapApi(p.GetRequiredService<LdapSource>(), p.GetRequiredService<LdapUsers>(), p.GetRequiredService<IssuerClient>().Guard).Operations(),
            .. new RobotTrustApi(p.GetRequiredService<RobotTrusts>(), p.GetRequiredService<IssuerClient>().Guard).Operations(),
        ]);
    }
}

/// <summary>The client for issuers that administrators of projects enter: it is kept away from our own network.</summary>
internal sealed class IssuerClient(OutgoingGuard guard) : IDisposable
{
    private readonly HttpClient _client = new(guard.NewHandler(verifyCertificates: true, IssuerHttp.Timeout), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Says which addresses are out of reach.</summary>
    public OutgoingGuard Guard => guard;

    /// <summary>The client.</summary>
    public HttpClient Get() => _client;

    public void Dispose() => _client.Dispose();
}
