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
    public Task Crane(string name) => Clients().Crane(platform[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Skopeo(string name) => Clients().Skopeo(platform[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Oras(string name) => Clients().Oras(platform[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Podman(string name) => Clients().Podman(platform[name]);

    [Theory]
    [MemberData(nameof(Accounts))]
    public Task Docker(string name) => Clients().Docker(platform[name]);

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

    private ClientSteps Clients()
    {
        RegistryUnderTest.OnlyBerth("projects");
        return new ClientSteps(shell, docker, images, $"{platform.On.Address}/{PlatformRegistry.Private}");
    }

    private string Named(string reference) => $"{platform.On.Address}/{PlatformRegistry.Private}/{reference}";
}
