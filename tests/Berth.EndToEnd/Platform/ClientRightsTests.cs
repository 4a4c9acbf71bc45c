using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Platform;

/// <summary>Every client with every kind of account: it can do what the account may, and nothing else.</summary>
public sealed class ClientRightsTests(PlatformRegistry platform, DockerEngine28 docker, ImageFixtures images)
    : IClassFixture<PlatformRegistry>, IClassFixture<DockerEngine28>, IDisposable
{
    private readonly ClientShell shell = new("rights") { Diagnostics = platform.On.Registry.LogTail };

    public static TheoryData<string> Accounts => [.. PlatformRegistry.AccountNames];

    public void Dispose() => shell.Dispose();

    [Theory]
    [MemberData(nameof(Accounts))]
    public async Task Crane(string name)
    {
        var account = Start(name);
        await shell.Run("crane", "auth", "login", platform.On.Address, "-u", account.User, "-p", account.Secret);
        await Expect(account.MayPull, "crane", "manifest", Named("base:1"));
        await Expect(account.MayPush, "crane", "push", images.Small().Folder, Named($"crane-{name}:1"));
        if (account.MayPush) await Expect(account.MayDelete, "crane", "delete", Named($"crane-{name}@{images.Small().Digest}"));
        else await shell.MustFail("crane", "delete", Named($"base@{images.Small().Digest}"));
    }

    [Theory]
    [MemberData(nameof(Accounts))]
    public async Task Skopeo(string name)
    {
        var account = Start(name);
        await Expect(IsKnown(account), "skopeo", "login", "--tls-verify=false", "-u", account.User, "-p", account.Secret, platform.On.Address);
        await Expect(account.MayPull, "skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{Named("base:1")}");
        await Expect(account.MayPush, "skopeo", "copy", "-q", "--dest-tls-verify=false", images.Small().SkopeoName, $"docker://{Named($"skopeo-{name}:1")}");
        if (account.MayPush) await Expect(account.MayDelete, "skopeo", "delete", "--tls-verify=false", $"docker://{Named($"skopeo-{name}:1")}");
    }

    [Theory]
    [MemberData(nameof(Accounts))]
    public async Task Oras(string name)
    {
        var account = Start(name);
        shell.Write("a.txt", "a");
        await Expect(IsKnown(account), "oras", "login", "--plain-http", "-u", account.User, "-p", account.Secret, platform.On.Address);
        await Expect(account.MayPull, "oras", "manifest", "fetch", "--plain-http", Named("base:1"));
        await Expect(account.MayPush, "oras", "push", "--plain-http", Named($"oras-{name}:1"), "a.txt:text/plain");
        if (account.MayPush) await Expect(account.MayDelete, "oras", "manifest", "delete", "-f", "--plain-http", Named($"oras-{name}:1"));
    }

    [Theory]
    [MemberData(nameof(Accounts))]
    public async Task Podman(string name)
    {
        Programs.RequireRoot();
        var account = Start(name);
        await Expect(IsKnown(account), "podman", "login", "--tls-verify=false", "-u", account.User, "-p", account.Secret, platform.On.Address);
        await Expect(account.MayPull, "podman", "pull", "-q", "--tls-verify=false", Named("base:1"));
        if (account.MayPull) await Expect(account.MayPush, "podman", "push", "-q", "--tls-verify=false", Named("base:1"), Named($"podman-{name}:1"));
    }

    [Theory]
    [MemberData(nameof(Accounts))]
    public async Task Docker(string name)
    {
        Programs.RequireRoot();
        var account = Start(name);
        if (!IsKnown(account))
        {
            await docker.MustFail(shell, "login", "-u", account.User, "-p", account.Secret, platform.On.Address);
            return;
        }

        await docker.Run(shell, "login", "-u", account.User, "-p", account.Secret, platform.On.Address);
        if (!account.MayPull)
        {
            await docker.MustFail(shell, "pull", "-q", Named("base:1"));
            return;
        }

        await docker.Run(shell, "pull", "-q", Named("base:1"));
        await docker.Run(shell, "tag", Named("base:1"), Named($"docker-{name}:1"));
        if (account.MayPush) await docker.Run(shell, "push", "-q", Named($"docker-{name}:1"));
        else await docker.MustFail(shell, "push", "-q", Named($"docker-{name}:1"));
    }

    [Fact]
    public async Task Without_an_account_one_pulls_from_the_public_project_and_nothing_else()
    {
        RegistryUnderTest.OnlyBerth("projects");
        var address = platform.On.Address;
        await shell.Run("crane", "manifest", $"{address}/{PlatformRegistry.Public}/base:1");
        await shell.Run("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{address}/{PlatformRegistry.Public}/base:1");
        await shell.Run("oras", "manifest", "fetch", "--plain-http", $"{address}/{PlatformRegistry.Public}/base:1");
        await shell.MustFail("crane", "push", images.Small().Folder, $"{address}/{PlatformRegistry.Public}/new:1");
        var hidden = await shell.MustFail("crane", "manifest", Named("base:1"));
        var missing = await shell.MustFail("crane", "manifest", Named("no-such-name:1"));
        // What one may not see looks as if it were not there.
        Assert.Equal(hidden.All.Replace("base", "NAME", StringComparison.Ordinal), missing.All.Replace("no-such-name", "NAME", StringComparison.Ordinal));
    }

    private static bool IsKnown(Account account) => account.Name != "disabled-robot";

    private Account Start(string name)
    {
        RegistryUnderTest.OnlyBerth("projects");
        return platform[name];
    }

    private string Named(string reference) => $"{platform.On.Address}/{PlatformRegistry.Private}/{reference}";

    private async Task Expect(bool succeeds, string program, params string[] arguments)
    {
        if (succeeds) await shell.Run(program, arguments);
        else await shell.MustFail(program, arguments);
    }
}
