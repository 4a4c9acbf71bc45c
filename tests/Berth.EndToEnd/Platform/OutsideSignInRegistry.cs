using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;
using Berth.Server.Tests;
using Berth.Server.Tests.Access;
using Berth.Server.Tests.Identity.Oidc;

namespace Berth.EndToEnd.Platform;

/// <summary>
/// A registry whose accounts are kept elsewhere: people of an LDAP directory (slapd), people of an OpenID provider who came with a browser and made a
/// CLI secret, and machines with tokens of an issuer that a robot trusts.
/// </summary>
public sealed class OutsideSignInRegistry(ImageFixtures images) : IAsyncLifetime
{
    public const string Project = "priv";
    private const string Audience = "https://registry.example.com";
    private const string Issuer = "https://pipelines.example.com";
    private const string Repository = "octo/app";
    private const string CliSecret = "Cli-secret-1";
    private static readonly TimeSpan s_tokenLifetime = TimeSpan.FromMinutes(30);

    private readonly TemporaryFolder folder = new("outside");
    private readonly RSA issuerKey = RSA.Create(2048);
    private readonly Dictionary<string, Account> accounts = [];
    private ToolServer? slapd;
    private ToolServer? provider;
    private RunningRegistry? registry;

    /// <summary>Names of all accounts, known before any is made.</summary>
    public static readonly string[] AccountNames =
    [
        "ldap-developer", "ldap-outsider", "ldap-wrong-password", "oidc-developer", "oidc-outsider", "oidc-password-of-the-provider",
        "keyless", "keyless-by-robot-name", "keyless-of-the-provider", "keyless-wrong-claims", "keyless-expired",
    ];

    public Account this[string name] => accounts[name];

    public string Address => Registry.Address;

    public RunningRegistry Registry => registry ?? throw new InvalidOperationException("the registry is not started");

    public async ValueTask InitializeAsync()
    {
        if (!RegistryUnderTest.IsBerth) return;
        var ct = TestContext.Current.CancellationToken;
        var port = RegistryUnderTest.FreePort();
        slapd = await ToolServer.StartAsync("start-slapd.sh");
        provider = await ToolServer.StartAsync("start-oidc.sh", new Dictionary<string, string> { ["OIDC_REDIRECT_URIS"] = $"http://127.0.0.1:{port}/c/oidc/callback" });
        registry = await RegistryUnderTest.StartBerth(folder, port, Settings(port, slapd, provider), ct);
        var api = new ManagementApi(Address);
        await api.Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{Project}}}","metadata":{"public":"false"}}""", ct);
        using (var http = new RegistryHttp($"http://{Address}"))
        {
            http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
            await http.Push($"{Project}/base", "1", images.Small(), ct);
        }

        await AddPeople(api, ct);
        await AddMachines(api, provider, ct);
        Assert.Equal(AccountNames.Order(), accounts.Keys.Order());
    }

    public async ValueTask DisposeAsync()
    {
        if (registry is not null) await registry.DisposeAsync();
        if (provider is not null) await provider.DisposeAsync();
        if (slapd is not null) await slapd.DisposeAsync();
        issuerKey.Dispose();
        folder.Dispose();
    }

    /// <summary>A token of the trusted issuer for a branch of a repository.</summary>
    public string MachineToken(string repository, string branch, TimeSpan? validFor = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        var ends = now + (validFor ?? s_tokenLifetime);
        return TestTokens.Sign(new JsonObject { ["alg"] = "RS256", ["kid"] = "one" }, new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = $"repo:{repository}:ref:{branch}",
            ["iat"] = (ends - s_tokenLifetime).ToUnixTimeSeconds(),
            ["exp"] = ends.ToUnixTimeSeconds(),
            ["repository"] = repository,
            ["ref"] = branch,
        }, TestTokens.With(issuerKey, "RS256"));
    }

    /// <summary>Lets a robot trust the issuer, whose keys are handed over, for a repository; the id of the trust.</summary>
    public async Task<long> Trust(long robot, string repository, CancellationToken ct)
    {
        var keys = new JsonObject { ["keys"] = new JsonArray(TestTokens.Jwk(issuerKey, "one")) };
        var trust = new JsonObject
        {
            ["name"] = "pipelines",
            ["issuer"] = Issuer,
            ["audience"] = Audience,
            ["jwks"] = keys.ToJsonString(),
            ["claims"] = new JsonObject { ["repository"] = new JsonArray(repository), ["ref"] = new JsonArray("refs/heads/main", "refs/tags/*") },
        };
        return (await new ManagementApi(Address).Call(HttpMethod.Post, $"/api/berth/v1/robots/{robot}/trusts", trust.ToJsonString(), ct))!["id"]!.GetValue<long>();
    }

    /// <summary>Exchanges a machine's token for one of the registry.</summary>
    public async Task<string> Exchange(string token, string scope, CancellationToken ct)
    {
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent([
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), new("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            new("subject_token", token), new("scope", scope)]);
        using var answer = await http.PostAsync(new Uri($"http://{Address}/service/token"), form, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!["access_token"]!.GetValue<string>();
    }

    // The names of the two sources would meet: those of the provider are addresses.
    private static string Settings(int port, ToolServer slapd, ToolServer provider) => $$"""
        http: { urls: [ "http://127.0.0.1:{{port}}" ] }
        access: { mode: local, failuresBeforeDelay: 1000 }
        outgoing: { allow: [ 127.0.0.1 ] }
        identity:
          lockAfterFailures: 0
          ldap:
            url: {{slapd["LDAP_URL"]}}
            searchDn: {{slapd["LDAP_BIND_DN"]}}
            searchPassword: {{slapd["LDAP_BIND_PASSWORD"]}}
            baseDn: ou=people,{{slapd["LDAP_BASE_DN"]}}
            filter: (objectClass=inetOrgPerson)
            uid: uid
            groupBaseDn: ou=groups,{{slapd["LDAP_BASE_DN"]}}
            groupSearchFilter: (objectClass=groupOfNames)
            groupMembershipAttribute: memberOf
          oidc:
            - name: main
              issuer: {{provider["OIDC_ISSUER"]}}
              clientId: {{provider["OIDC_CLIENT_ID"]}}
              clientSecret: {{provider["OIDC_CLIENT_SECRET"]}}
              scopes: [ openid, profile, email, groups ]
              userClaim: email
              groupsClaim: groups
              autoOnboard: true
        """;

    private async Task AddPeople(ManagementApi api, CancellationToken ct)
    {
        await AddGroup(api, $$"""{"group_type":1,"group_name":"ldap-developers","ldap_group_dn":"cn=developers,ou=groups,{{slapd!["LDAP_BASE_DN"]}}"}""", ct);
        Add(new Account("ldap-developer", "bob", "bob-pw", true, true, false));
        Add(new Account("ldap-outsider", "carol", "carol-pw", false, false, false));
        Add(new Account("ldap-wrong-password", "bob", "carol-pw", false, false, false) { IsKnown = false });

        await AddGroup(api, """{"group_type":3,"group_name":"developers"}""", ct);
        await Onboard("bob", ct);
        await Onboard("carol", ct);
        Add(new Account("oidc-developer", "bob@example.org", CliSecret, true, true, false));
        Add(new Account("oidc-outsider", "carol@example.org", CliSecret, false, false, false));
        Add(new Account("oidc-password-of-the-provider", "bob@example.org", "bob-pw", false, false, false) { IsKnown = false });
    }

    private async Task AddMachines(ManagementApi api, ToolServer provider, CancellationToken ct)
    {
        var robot = await api.AddRobot("ci", Project, ct);
        await Trust(robot.Id, Repository, ct);
        await api.Call(HttpMethod.Post, $"/api/berth/v1/robots/{robot.Id}/trusts", $$"""
            {"name":"provider","issuer":"{{provider["OIDC_ISSUER"]}}","audience":"{{provider["OIDC_CLIENT_ID"]}}","claims":{"preferred_username":["alice"]} }
            """, ct);
        Add(new Account("keyless", "oidc", MachineToken(Repository, "refs/heads/main"), true, true, false));
        Add(new Account("keyless-by-robot-name", robot.Name, MachineToken(Repository, "refs/tags/v1"), true, true, false));
        Add(new Account("keyless-of-the-provider", "oidc", await ProviderToken(provider, "alice", ct), true, true, false));
        Add(new Account("keyless-wrong-claims", "oidc", MachineToken(Repository, "refs/pull/7/merge"), false, false, false) { IsKnown = false });
        Add(new Account("keyless-expired", "oidc", MachineToken(Repository, "refs/heads/main", TimeSpan.FromMinutes(-5)), false, false, false) { IsKnown = false });
    }

    private void Add(Account account) => accounts.Add(account.Name, account);

    // A group of the source, which nobody here knows yet, gets the role of a developer.
    private static Task AddGroup(ManagementApi api, string group, CancellationToken ct) =>
        api.Call(HttpMethod.Post, $"/api/v2.0/projects/{Project}/members", $$"""{"role_id":2,"member_group":{{group}} }""", ct);

    // Somebody signs in with a browser for the first time and makes a secret for programs.
    private async Task Onboard(string user, CancellationToken ct)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        using var browser = new HttpClient(handler) { BaseAddress = new Uri($"http://{Address}") };
        using var begun = await browser.GetAsync(new Uri("/c/oidc/login?redirect_url=/", UriKind.Relative), ct);
        using var home = await browser.GetAsync(await OidcFixture.SignInAsync(begun.Headers.Location!, user, ct), ct);
        Assert.True(home.StatusCode == HttpStatusCode.Redirect, await home.Content.ReadAsStringAsync(ct));
        using var self = await browser.GetAsync(new Uri("/api/v2.0/users/current", UriKind.Relative), ct);
        var id = JsonNode.Parse(await self.Content.ReadAsStringAsync(ct))!["user_id"]!.GetValue<long>();
        using var change = new HttpRequestMessage(HttpMethod.Put, new Uri($"/api/v2.0/users/{id}/cli_secret", UriKind.Relative));
        change.Headers.Add("X-Harbor-CSRF-Token", self.Headers.GetValues("X-Harbor-CSRF-Token"));
        change.Content = new StringContent($$"""{"secret":"{{CliSecret}}"}""", Encoding.UTF8, "application/json");
        using var changed = await browser.SendAsync(change, ct);
        Assert.True(changed.StatusCode == HttpStatusCode.OK, await changed.Content.ReadAsStringAsync(ct));
    }

    // The provider as the issuer of a machine: the id token that it gives for a password.
    private static async Task<string> ProviderToken(ToolServer provider, string user, CancellationToken ct)
    {
        using var http = new HttpClient();
        var client = $"{provider["OIDC_CLIENT_ID"]}:{provider["OIDC_CLIENT_SECRET"]}";
        http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(client)));
        using var form = new FormUrlEncodedContent([
            new("grant_type", "password"), new("username", user), new("password", user + "-pw"), new("scope", "openid profile")]);
        using var answer = await http.PostAsync(new Uri(provider["OIDC_ISSUER"] + "/token"), form, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!["id_token"]!.GetValue<string>();
    }
}
