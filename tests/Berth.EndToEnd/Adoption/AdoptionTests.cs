using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Adoption;

/// <summary>A data folder of Docker Registry is taken over in place, with Docker Registry's own configuration file.</summary>
public sealed class AdoptionTests(OldRegistry old, ImageFixtures images) : IClassFixture<OldRegistry>, IAsyncLifetime
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;
    private readonly ClientShell shell = new("adoption");
    private readonly int port = RegistryUnderTest.FreePort();
    private string data = "";
    private string settings = "";

    public async ValueTask InitializeAsync()
    {
        data = shell.Folder.Folder("registry-data");
        settings = await RegistryUnderTest.WriteDockerRegistrySettings(shell.Folder, data, port, Access.Open, ct);
        if (Programs.Find("docker-registry") is not null)
        {
            await old.CopyTo(data, shell, ct);
        }
    }

    public ValueTask DisposeAsync()
    {
        shell.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_old_registry_holds_two_hundred_images_of_every_kind()
    {
        await using var registry = await DockerRegistry();
        await old.CheckServed(registry.Http, ct);
        Assert.Equal(OldRegistry.ImageCount, old.Tagged.Count(manifest => manifest.Reference.StartsWith('v')));
        Assert.Equal(4, old.Tagged.Select(manifest => manifest.MediaType).Distinct().Count());
        Assert.Equal(20, old.Referrers.Count);
        Assert.True(old.Untagged.Count > 100);
    }

    [Fact]
    public async Task Every_tag_and_every_untagged_manifest_is_served_byte_identical()
    {
        await Adopt();
        await using var registry = await Berth();
        await old.CheckServed(registry.Http, ct);
    }

    [Fact]
    public async Task Referrers_of_fallback_tags_are_answered_by_the_API()
    {
        await Adopt();
        await using var registry = await Berth();
        foreach (var (repository, subject, referrer) in old.Referrers)
        {
            var answer = JsonNode.Parse(await registry.Http.Text($"/v2/{repository}/referrers/{subject}", ct))!;
            Assert.Equal([referrer], answer["manifests"]!.AsArray().Select(descriptor => descriptor!["digest"]!.GetValue<string>()));
        }
    }

    [Fact]
    public async Task Adoption_may_be_repeated()
    {
        await Adopt();
        await Adopt();
        await using var registry = await Berth();
        await old.CheckServed(registry.Http, ct);
    }

    [Fact]
    public async Task Docker_Registry_can_go_back_to_its_folder_with_the_same_configuration()
    {
        await Adopt();
        await using (var berth = await Berth())
        {
            await berth.Http.Push("team-0/app-0", "new", images.TwentyLayers(), ct);
            await old.CheckServed(berth.Http, ct, newTags: [("team-0/app-0", "new")]);
        }

        await using var registry = await DockerRegistry();
        await old.CheckServed(registry.Http, ct);
    }

    private async Task Adopt()
    {
        RegistryUnderTest.OnlyBerth("adoption");
        Programs.Require("docker-registry");
        var before = BlobFiles();
        await shell.Run(RegistryUnderTest.BerthBinary(), "adopt", "--config", settings);
        Assert.Equal(before, BlobFiles());
    }

    /// <summary>Path, size and time of every blob: adoption copies none and touches none.</summary>
    private string[] BlobFiles() => [.. new DirectoryInfo(Path.Combine(data, "docker", "registry", "v2", "blobs"))
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .Select(file => $"{file.FullName} {file.Length} {file.LastWriteTimeUtc:O}")
        .Order(StringComparer.Ordinal)];

    private Task<RunningRegistry> Berth() => Launch(RegistryUnderTest.BerthBinary(), "registry", "serve", settings);

    private Task<RunningRegistry> DockerRegistry() => Launch(Programs.Require("docker-registry"), "serve", settings);

    private Task<RunningRegistry> Launch(params string[] command) =>
        RegistryUnderTest.Launch(new RegistryCommand(command, data, port, shell.Folder.File("registry", "log")), ct);
}
