using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Platform;

/// <summary>An account and what it may do with repositories of the private project <see cref="PlatformRegistry.Private"/>.</summary>
public sealed record Account(string Name, string User, string Secret, bool MayPull, bool MayPush, bool MayDelete)
{
    /// <summary>Whether the registry takes the name and the secret at all.</summary>
    public bool IsKnown { get; init; } = true;
}

/// <summary>
/// A registry with a private and a public project, and an account of every kind that its management API can make: each project role, an outsider, robots
/// of the system and of the project, a disabled robot, personal tokens with scopes.
/// </summary>
public sealed class PlatformRegistry(ImageFixtures images) : IAsyncLifetime
{
    public const string Private = "priv";
    public const string Public = "pub";
    private const string UserPassword = "Pass-word-1";

    private readonly SignedInRegistryAndShell on = new();
    private readonly Dictionary<string, Account> accounts = [];

    /// <summary>Names of all accounts, known before any is made.</summary>
    public static readonly string[] AccountNames =
    [
        "admin", "project-admin", "maintainer", "developer", "guest", "limited-guest", "outsider",
        "project-robot", "project-robot-without-prefix", "system-robot", "disabled-robot", "read-token", "push-token",
    ];

    public SignedInRegistryAndShell On => on;

    public Account this[string name] => accounts[name];

    public async ValueTask InitializeAsync()
    {
        await on.InitializeAsync();
        if (!RegistryUnderTest.IsBerth) return;
        var ct = TestContext.Current.CancellationToken;
        await Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{Private}}}","metadata":{"public":"false"}}""", ct);
        await Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{Public}}}","metadata":{"public":"true"}}""", ct);
        Add(new Account("admin", RegistryUnderTest.User, RegistryUnderTest.Password, true, true, true));
        await AddUser("project-admin", 1, true, true, true, ct);
        await AddUser("maintainer", 4, true, true, true, ct);
        await AddUser("developer", 2, true, true, false, ct);
        await AddUser("guest", 3, true, false, false, ct);
        await AddUser("limited-guest", 5, true, false, false, ct);
        await AddUser("outsider", 0, false, false, false, ct);
        await AddRobots(ct);
        await AddToken("read-token", "priv:read", mayPush: false, ct);
        await AddToken("push-token", "priv:push", mayPush: true, ct);
        Assert.Equal(AccountNames.Order(), accounts.Keys.Order());
        using var http = SignedIn();
        await http.Push($"{Private}/base", "1", images.Small(), ct);
        await http.Push($"{Public}/base", "1", images.Small(), ct);
    }

    public async ValueTask DisposeAsync() => await on.DisposeAsync();

    /// <summary>Speaks the registry's protocol as the administrator.</summary>
    public RegistryHttp SignedIn()
    {
        var http = new RegistryHttp($"http://{on.Address}");
        http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        return http;
    }

    private Task<JsonNode?> Call(HttpMethod method, string path, string? body, CancellationToken ct) => new ManagementApi(on.Address).Call(method, path, body, ct);

    private void Add(Account account) => accounts.Add(account.Name, account);

    private async Task AddUser(string name, int role, bool mayPull, bool mayPush, bool mayDelete, CancellationToken ct)
    {
        await Call(HttpMethod.Post, "/api/v2.0/users", $$"""{"username":"{{name}}","email":"{{name}}@example.test","realname":"{{name}}","password":"{{UserPassword}}"}""", ct);
        if (role > 0) await Call(HttpMethod.Post, $"/api/v2.0/projects/{Private}/members", $$$"""{"role_id":{{{role}}},"member_user":{"username":"{{{name}}}"}}""", ct);
        Add(new Account(name, name, UserPassword, mayPull, mayPush, mayDelete));
    }

    private async Task AddRobots(CancellationToken ct)
    {
        const string PullAndPush = """[{"resource":"repository","action":"pull"},{"resource":"repository","action":"push"}]""";
        const string Pull = """[{"resource":"repository","action":"pull"}]""";
        var ci = await AddRobot("ci", "project", $$$"""[{"kind":"project","namespace":"{{{Private}}}","access":{{{PullAndPush}}}}]""", ct);
        Add(new Account("project-robot", ci.Name, ci.Secret, true, true, false));
        Add(new Account("project-robot-without-prefix", ci.Name["robot$".Length..], ci.Secret, true, true, false));
        var reader = await AddRobot("reader", "system", $$$"""[{"kind":"project","namespace":"*","access":{{{Pull}}}}]""", ct);
        Add(new Account("system-robot", reader.Name, reader.Secret, true, false, false));
        var permissions = $$$"""[{"kind":"project","namespace":"{{{Private}}}","access":{{{PullAndPush}}}}]""";
        var disabled = await AddRobot("disabled", "project", permissions, ct);
        await Call(HttpMethod.Put, $"/api/v2.0/robots/{disabled.Id}", $$"""{"id":{{disabled.Id}},"name":"{{disabled.Name}}","level":"project","duration":-1,"disable":true,"permissions":{{permissions}}}""", ct);
        Add(new Account("disabled-robot", disabled.Name, disabled.Secret, false, false, false) { IsKnown = false });
    }

    private async Task<(long Id, string Name, string Secret)> AddRobot(string name, string level, string permissions, CancellationToken ct)
    {
        var made = (await Call(HttpMethod.Post, "/api/v2.0/robots", $$"""{"name":"{{name}}","level":"{{level}}","duration":-1,"permissions":{{permissions}}}""", ct))!;
        return (made["id"]!.GetValue<long>(), made["name"]!.GetValue<string>(), made["secret"]!.GetValue<string>());
    }

    private async Task AddToken(string name, string scope, bool mayPush, CancellationToken ct)
    {
        var (owner, body) = (accounts["developer"], $$"""{"name":"{{name}}","scopes":["{{scope}}"],"duration_days":1}""");
        var made = (await new ManagementApi(on.Address).Call(HttpMethod.Post, "/api/berth/v1/users/current/tokens", body, ct, owner.User, owner.Secret))!;
        Add(new Account(name, "developer", made["token"]!.GetValue<string>(), true, mayPush, false));
    }
}
