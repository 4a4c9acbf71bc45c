using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Platform;

/// <summary>Real clients at a closed gate: they fail, and tell why in the registry's words.</summary>
public sealed class PullGateTests(PlatformRegistry platform, DockerEngine28 docker, ImageFixtures images) : IClassFixture<PlatformRegistry>, IClassFixture<DockerEngine28>, IDisposable
{
    private const string Project = "gated";
    private const string Words = "was never scanned";

    private readonly ClientShell shell = new("gate") { Diagnostics = platform.On.Registry.LogTail };

    public void Dispose() => shell.Dispose();

    [Fact]
    public async Task A_client_that_pulls_an_image_without_a_scan_is_told_why_it_may_not()
    {
        RegistryUnderTest.OnlyBerth("projects");
        var ct = TestContext.Current.CancellationToken;
        var api = new ManagementApi(platform.On.Address);
        await api.Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{Project}}}","metadata":{"public":"true","prevent_vul":"true","severity":"high"}}""", ct);
        using (var http = platform.SignedIn()) await http.Push($"{Project}/web", "1", images.Small(), ct);
        var name = $"{platform.On.Address}/{Project}/web:1";

        Assert.Contains(Words, (await shell.MustFail("crane", "pull", "--format=oci", name, "crane-out")).All, StringComparison.Ordinal);
        Assert.Contains(Words, (await shell.MustFail("skopeo", "copy", "--src-tls-verify=false", $"docker://{name}", "oci:skopeo-out:1")).All, StringComparison.Ordinal);
        Assert.Contains(Words, (await docker.MustFail(shell, "pull", name)).All, StringComparison.Ordinal);

        // Who may push looks what is there, and pushes over it.
        await shell.Run("crane", "auth", "login", platform.On.Address, "-u", RegistryUnderTest.User, "-p", RegistryUnderTest.Password);
        await shell.Run("crane", "push", images.TwentyLayers().Folder, name);
        Assert.Contains(Words, (await shell.MustFail("crane", "pull", "--format=oci", name, "crane-out")).All, StringComparison.Ordinal);

        await api.Call(HttpMethod.Put, $"/api/v2.0/projects/{Project}", """{"metadata":{"pull_gate_mode":"warn"}}""", ct);
        await shell.Run("crane", "pull", "--format=oci", name, "crane-out");
    }
}
