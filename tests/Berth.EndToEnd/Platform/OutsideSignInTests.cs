using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Platform;

/// <summary>Every client with accounts that are kept elsewhere: a directory, an OpenID provider, an issuer of machines' tokens.</summary>
public sealed class OutsideSignInTests(OutsideSignInRegistry registry, DockerEngine28 docker, ImageFixtures images)
    : IClassFixture<OutsideSignInRegistry>, IClassFixture<DockerEngine28>, IDisposable
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;
    private readonly ClientShell shell = new("outside");

    public static TheoryData<string> Accounts => [.. OutsideSignInRegistry.AccountNames];

    public void Dispose() => shell.Dispose();

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Crane(string name) => Clients().Crane(registry[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Skopeo(string name) => Clients().Skopeo(registry[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Oras(string name) => Clients().Oras(registry[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Podman(string name) => Clients().Podman(registry[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Docker(string name) => Clients().Docker(registry[name]);

    // Podman cannot be handed a bearer token: neither its options nor its file of credentials have a place for one.
    [Theory]
    [InlineData("crane")]
    [InlineData("skopeo")]
    [InlineData("oras")]
    [InlineData("docker")]
    public async Task An_exchanged_token_opens_what_it_was_asked_for_until_the_trust_ends(string client)
    {
        Clients();
        var api = new ManagementApi(registry.Address);
        var (robot, _) = await api.AddRobot($"exchange-{client}", OutsideSignInRegistry.Project, ct);
        var trust = await registry.Trust(robot, $"octo/{client}", ct);
        var machine = registry.MachineToken($"octo/{client}", "refs/heads/main");
        var (pull, push) = ($"repository:{OutsideSignInRegistry.Project}/base:pull", $"repository:{OutsideSignInRegistry.Project}/exchanged-{client}:pull,push");
        var reader = await registry.Exchange(machine, $"{pull} {push.Replace(",push", "", StringComparison.Ordinal)}", ct);
        var writer = await registry.Exchange(machine, $"{pull} {push}", ct);

        await Pull(client, reader, succeeds: true);
        await Push(client, reader, succeeds: false);
        await Push(client, writer, succeeds: true);
        await api.Call(HttpMethod.Delete, $"/api/berth/v1/robots/{robot}/trusts/{trust}", null, ct);
        await Pull(client, writer, succeeds: false);
    }

    private Task Pull(string client, string token, bool succeeds) => client switch
    {
        "crane" => WithToken(token, succeeds, "crane", "manifest", Named("base:1")),
        "skopeo" => Expect(succeeds, "skopeo", "inspect", "--raw", "--tls-verify=false", "--registry-token", token, $"docker://{Named("base:1")}"),
        "oras" => WithToken(token, succeeds, "oras", "manifest", "fetch", "--plain-http", Named("base:1")),
        _ => DockerWithToken(token, succeeds, "pull", "-q", Named("base:1")),
    };

    private async Task Push(string client, string token, bool succeeds)
    {
        var target = Named($"exchanged-{client}:1");
        shell.Write("a.txt", "a");
        await (client switch
        {
            "crane" => WithToken(token, succeeds, "crane", "push", images.Small().Folder, target),
            "skopeo" => Expect(succeeds, "skopeo", "copy", "-q", "--dest-tls-verify=false", "--dest-registry-token", token, images.Small().SkopeoName, $"docker://{target}"),
            "oras" => WithToken(token, succeeds, "oras", "push", "--plain-http", target, "a.txt:text/plain"),
            _ => DockerPush(token, target, succeeds),
        });
    }

    private async Task DockerPush(string token, string target, bool succeeds)
    {
        await docker.Run(shell, "tag", Named("base:1"), target);
        await DockerWithToken(token, succeeds, "push", "-q", target);
    }

    private async Task DockerWithToken(string token, bool succeeds, params string[] arguments)
    {
        Programs.RequireRoot();
        Keep(token);
        if (succeeds) await docker.Run(shell, arguments);
        else await docker.MustFail(shell, arguments);
    }

    private Task WithToken(string token, bool succeeds, string program, params string[] arguments)
    {
        Keep(token);
        return Expect(succeeds, program, arguments);
    }

    // As the helper of a pipeline leaves it: docker's file has a place for a bearer token.
    private void Keep(string token) => shell.Write("home/.docker/config.json", $$"""{"auths":{"{{registry.Address}}":{"registrytoken":"{{token}}"} } }""");

    private async Task Expect(bool succeeds, string program, params string[] arguments)
    {
        if (succeeds) await shell.Run(program, arguments);
        else await shell.MustFail(program, arguments);
    }

    private string Named(string reference) => $"{registry.Address}/{OutsideSignInRegistry.Project}/{reference}";

    private ClientSteps Clients()
    {
        RegistryUnderTest.OnlyBerth("accounts of others");
        shell.Diagnostics = registry.Registry.LogTail;
        return new ClientSteps(shell, docker, images, $"{registry.Address}/{OutsideSignInRegistry.Project}");
    }
}
