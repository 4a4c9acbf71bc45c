using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Berth.EndToEnd.Deployment;

/// <summary>Kustomize, docker compose, nginx, the image and the example of a configuration.</summary>
public sealed partial class PlainFilesTests(ChartShell files) : IClassFixture<ChartShell>
{
    private static readonly Dictionary<string, string> ClusterSecrets = new()
    {
        ["BERTH_PUBLIC_URL"] = "https://registry.example.org",
        ["BERTH_ADMIN_PASSWORD"] = "Correct-Horse-7",
        ["BERTH_SECRET_KEY"] = BerthSettings.SecretKey,
        ["POSTGRES_PASSWORD"] = "p",
        ["S3_ACCESS_KEY"] = "a",
        ["S3_SECRET_KEY"] = "s",
    };

    [Theory]
    [InlineData("base", "Recreate", "1")]
    [InlineData("overlays/cluster", "RollingUpdate", "3")]
    public async Task A_kustomization_has_right_types_and_only_real_settings(string folder, string strategy, string replicas)
    {
        var rendered = Manifests.Parse((await files.Shell.Run("kubectl", "kustomize", ChartShell.Deploy("kustomize", folder))).Out);
        await files.CheckTypes(rendered);
        var pod = rendered.One("Deployment");
        Assert.Equal((strategy, replicas), (Manifests.Text(pod, "spec", "strategy", "type"), Manifests.Text(pod, "spec", "replicas")));
        Assert.Equal(folder == "base", rendered.Has("PersistentVolumeClaim"));
        Assert.Equal(folder == "base", pod.ToJsonString().Contains("persistentVolumeClaim", StringComparison.Ordinal));
        var settings = rendered.One("ConfigMap");
        Assert.Contains(Manifests.Text(settings, "metadata", "name")!, pod.ToJsonString(), StringComparison.Ordinal);
        var variables = Manifests.Environment(Manifests.Container(pod), (_, key) => key == "secretKey" ? BerthSettings.SecretKey : "value");
        await BerthSettings.Check(files.Shell, Manifests.Text(settings, "data", "berth.yaml"), variables);
    }

    [Theory]
    [InlineData("single", 1)]
    [InlineData("cluster", 3)]
    public async Task A_compose_file_is_one_and_sets_only_real_settings(string folder, int replicas)
    {
        foreach (var (name, value) in ClusterSecrets)
        {
            files.Shell.Set(name, value);
        }

        var output = await files.Shell.Run("docker-compose", "-f", ChartShell.Deploy("compose", folder, "compose.yaml"), "config", "--format", "json");
        foreach (var name in ClusterSecrets.Keys)
        {
            files.Shell.Unset(name);
        }

        var services = JsonNode.Parse(output.Out)!["services"]!.AsObject().Where(service => service.Key.StartsWith("berth", StringComparison.Ordinal)).ToList();
        Assert.Equal(replicas, services.Count);
        foreach (var (_, service) in services)
        {
            Assert.Equal("true", Manifests.Text(service, "read_only"));
            await BerthSettings.Check(files.Shell, null, service!["environment"]!.AsObject().ToDictionary(variable => variable.Key, variable => variable.Value?.ToString() ?? ""));
        }
    }

    [Theory]
    [InlineData("single")]
    [InlineData("cluster")]
    public async Task A_compose_file_does_not_start_without_its_secrets(string folder) =>
        Assert.Contains("set it in .env", (await files.Shell.MustFail("docker-compose", "-f", ChartShell.Deploy("compose", folder, "compose.yaml"), "config", "--quiet")).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Every_variable_of_a_compose_file_is_in_its_example()
    {
        foreach (var folder in (string[])["single", "cluster"])
        {
            var compose = await File.ReadAllTextAsync(ChartShell.Deploy("compose", folder, "compose.yaml"), TestContext.Current.CancellationToken);
            var example = await File.ReadAllTextAsync(ChartShell.Deploy("compose", folder, ".env.example"), TestContext.Current.CancellationToken);
            var asked = ComposeVariable().Matches(compose).Select(match => match.Groups[1].Value).Distinct().Except(["BERTH_IMAGE"]);
            Assert.All(asked, name => Assert.Contains($"{name}=", example, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Nginx_accepts_its_configuration()
    {
        var folder = files.Shell.Folder.Folder("nginx");
        await files.Shell.Run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "1", "-keyout", $"{folder}/tls.key", "-out", $"{folder}/tls.crt");
        var text = await File.ReadAllTextAsync(ChartShell.Deploy("compose", "cluster", "nginx.conf"), TestContext.Current.CancellationToken);
        // The names of the replicas are known to the engine's own DNS only.
        text = ReplicaName().Replace(text, "127.0.0.1").Replace("/etc/nginx/tls", folder, StringComparison.Ordinal);
        var file = files.Shell.Write("nginx/nginx.conf", $"pid {folder}/pid;\n{text}");
        var output = await files.Shell.Run("nginx", "-t", "-p", folder, "-e", "stderr", "-c", file);
        Assert.Contains("test is successful", output.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("warn", output.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_image_and_the_example_of_a_configuration_set_only_real_settings()
    {
        var image = await File.ReadAllTextAsync(ChartShell.Deploy("Dockerfile"), TestContext.Current.CancellationToken);
        var variables = ImageVariable().Matches(image).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Contains("BERTH_DATAFOLDER", variables.Keys);
        await BerthSettings.Check(files.Shell, null, variables);

        var example = await File.ReadAllTextAsync(ChartShell.Deploy("berth.yaml"), TestContext.Current.CancellationToken);
        await BerthSettings.Check(files.Shell, example.Replace("/etc/berth/tls.", "/etc/berth/tls/tls.", StringComparison.Ordinal), new Dictionary<string, string>());
    }

    [GeneratedRegex(@"\$\{([A-Z0-9_]+)")]
    private static partial Regex ComposeVariable();

    [GeneratedRegex(@"berth-[0-9](?=:)")]
    private static partial Regex ReplicaName();

    [GeneratedRegex(@"^(?:ENV|   ) ([A-Z_a-z]+)=(\S+)", RegexOptions.Multiline)]
    private static partial Regex ImageVariable();
}
