using System.Globalization;
using System.Net;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Platform;

/// <summary>Programs that were made for Harbor's management API: a client generated from a description of it, and a script with curl and jq.</summary>
public sealed class HarborClientTests(SignedInRegistryAndShell on, ImageFixtures images) : IClassFixture<SignedInRegistryAndShell>
{
    /// <summary>Names a file with Harbor's published description (<c>swagger.yaml</c>), which is not part of this project.</summary>
    private const string PublishedDescription = "BERTH_TEST_HARBOR_API";

    private const string Login = $"{RegistryUnderTest.User}:{RegistryUnderTest.Password}";
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    /// <summary>The description that Berth serves (empty), and Harbor's where there is one.</summary>
    public static TheoryData<string> Descriptions => Environment.GetEnvironmentVariable(PublishedDescription) is { Length: > 0 } file ? ["", file] : [""];

    [Theory]
    [MemberData(nameof(Descriptions))]
    public async Task A_generated_client_takes_a_project_from_its_making_to_its_end(string description)
    {
        RegistryUnderTest.OnlyBerth("management API");
        using var shell = new ClientShell("harbor-client") { Diagnostics = on.Registry.LogTail };
        var node = Programs.Require("node");
        var modules = await Modules();
        using var http = SignedIn();
        await http.Push("source/hello", "1", images.Small(), ct);

        string[] file = description.Length == 0 ? [] : [description];
        var output = await shell.Run(node, [Source("flow.mjs"), modules, $"http://{on.Address}", Login, "source/hello:1", .. file]);
        Assert.Equal("all of it is gone", output.Lines[^1]);
        await http.CheckSame("source/hello", "1", images.Small(), ct);
    }

    [Fact]
    public async Task A_script_deletes_what_is_old_and_keeps_the_rest()
    {
        RegistryUnderTest.OnlyBerth("management API");
        using var shell = new ClientShell("cleanup") { Diagnostics = on.Registry.LogTail };
        Programs.Require("jq");
        Programs.Require("curl");
        using var http = SignedIn();
        await http.Push("tidy/team/app", "old", images.Small(), ct);
        await http.Push("tidy/team/app", "old-too", images.Small(), ct);
        await http.Push("tidy/team/app", "older-layers", images.TwentyLayers(), ct);
        await http.Push("tidy/team/other", "old", images.Small(), ct);
        // The script counts in whole seconds.
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, ct);
        var moment = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        await http.Push("tidy/team/app", "new", images.MultiArch(), ct);

        shell.Set("LOGIN", Login);
        string[] cleanup = [Source("cleanup.sh"), $"http://{on.Address}", "tidy", "team/app", moment];
        shell.Set("DRY_RUN", "1");
        Assert.Equal(Plan("delete old", "delete old-too", "delete older-layers", "keep new"), Plan((await shell.Run("bash", cleanup)).Lines));
        await http.CheckSame("tidy/team/app", "old", images.Small(), ct);

        shell.Set("DRY_RUN", "");
        var done = Plan((await shell.Run("bash", cleanup)).Lines);
        // Both tags of one artifact go with the first of them.
        Assert.Single(done, line => line is "delete old" or "delete old-too");
        Assert.Equal(3, done.Length);
        foreach (var tag in new[] { "old", "old-too", "older-layers" }) Assert.Equal(HttpStatusCode.NotFound, await http.Status($"/v2/tidy/team/app/manifests/{tag}", ct));
        await http.CheckSame("tidy/team/app", "new", images.MultiArch(), ct);
        await http.CheckSame("tidy/team/other", "old", images.Small(), ct);
    }

    // Each line without the digest, in the order of the words.
    private static string[] Plan(params string[] lines) => [.. lines.Select(line => string.Join(' ', line.Split(' ').Take(2))).Order(StringComparer.Ordinal)];

    private static string Source(string name) => Path.Combine(RegistryUnderTest.SourceRoot(), "tests", "Berth.EndToEnd", "Platform", "HarborClient", name);

    private static async Task<string> Modules()
    {
        // The modules are kept between runs, in the home folder of who runs the tests.
        using var installer = new ClientShell("harbor-client-install");
        installer.Set("HOME", Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));
        var installed = await installer.Try("bash", Path.Combine(RegistryUnderTest.SourceRoot(), "tests", "tools", "install-harbor-client.sh"));
        if (installed.ExitCode != 0) Programs.Missing($"the modules of the generated client cannot be installed: {installed.Error.Trim().Split('\n')[^1]}");
        return installed.Lines[^1];
    }

    private RegistryHttp SignedIn()
    {
        var http = new RegistryHttp($"http://{on.Address}");
        http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        return http;
    }
}
