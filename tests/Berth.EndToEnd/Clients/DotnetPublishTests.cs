using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>The .NET SDK's own container build.</summary>
public sealed class DotnetPublishTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_application_is_published_upon_a_base_image_of_the_registry()
    {
        await on.Http.Push("dotnet/base", "1", await images.Busybox(), ct);
        on.Shell.Write("app/app.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <UseAppHost>false</UseAppHost>
              </PropertyGroup>
            </Project>
            """);
        on.Shell.Write("app/Program.cs", """System.Console.WriteLine("hello");""");
        on.Shell.Set("DOTNET_CONTAINER_INSECURE_REGISTRIES", on.Address);
        on.Shell.Set("DOTNET_CLI_HOME", on.Shell.Folder.Folder("home"));
        await on.Shell.Run(
            "dotnet", "publish", "app/app.csproj", "--os", "linux", "--arch", "x64", "/t:PublishContainer", "-nodeReuse:false", $"-p:ContainerRegistry={on.Address}",
            "-p:ContainerRepository=dotnet/app", "-p:ContainerImageTags=\"1;latest\"", $"-p:ContainerBaseImage={on.Name("dotnet/base:1")}");

        var published = await on.Http.CheckWhole("dotnet/app", "1", ct);
        Assert.Equal(2, ManifestContent.BlobsOf(published.Bytes).Count - 1);
        Assert.Equal(published.Digest, (await on.Http.Manifest("dotnet/app", "latest", ct)).Digest);
        Assert.Equal(
            ManifestContent.BlobsOf((await images.Busybox()).RootBytes())[1].Digest,
            JsonNode.Parse(published.Bytes)!["layers"]![0]!["digest"]!.GetValue<string>());
    }
}
