using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Deployment;

/// <summary>Runs helm and kubectl on the files of <c>deploy/</c>, with no cluster.</summary>
public sealed class ChartShell : IDisposable
{
    public ClientShell Shell { get; } = new("deployment");

    /// <summary>A path below <c>deploy/</c>.</summary>
    public static string Deploy(params string[] path) => Path.Combine([RegistryUnderTest.SourceRoot(), "deploy", .. path]);

    /// <summary>The chart's folder.</summary>
    public static string Chart { get; } = Deploy("helm", "berth");

    /// <summary>Renders the chart as release <c>r</c>.</summary>
    public async Task<Manifests> Render(string helm, params string[] arguments) =>
        Manifests.Parse((await Shell.Run(helm, ["template", "r", Chart, .. arguments])).Out);

    /// <summary>What <c>helm install</c> would print after an installation.</summary>
    public async Task<string> Notes(params string[] arguments) =>
        (await Shell.Run("helm", ["install", "r", Chart, "--dry-run=client", .. arguments])).Out.Split("NOTES:", 2)[1];

    /// <summary>
    /// Lets kubectl read each object into its type: a wrong type is an error, and of a Deployment a field that is not one is lost. Types that are not
    /// Kubernetes' own are left out.
    /// </summary>
    public async Task CheckTypes(Manifests manifests)
    {
        foreach (var item in manifests.All.Where(item => !Manifests.Text(item, "apiVersion")!.StartsWith("monitoring.coreos.com/", StringComparison.Ordinal)))
        {
            var file = Shell.Write("object.json", item.ToJsonString());
            var output = await Shell.Try("kubectl", "set", "env", "--local", "-f", file, "-o", "json", "BERTH_TEST=1");
            if (Manifests.Text(item, "kind") is not "Deployment")
            {
                Assert.Contains("does not have a pod template", output.Error, StringComparison.Ordinal);
                continue;
            }

            Assert.True(output.ExitCode == 0, output.All);
            Assert.Empty(Lost(item, System.Text.Json.Nodes.JsonNode.Parse(output.Out), ""));
        }
    }

    public void Dispose() => Shell.Dispose();

    private static IEnumerable<string> Lost(System.Text.Json.Nodes.JsonNode? written, System.Text.Json.Nodes.JsonNode? read, string path) => written switch
    {
        System.Text.Json.Nodes.JsonObject map => map.SelectMany(pair => Lost(pair.Value, Manifests.At(read, pair.Key), $"{path}.{pair.Key}")),
        System.Text.Json.Nodes.JsonArray list => list.SelectMany((value, i) => Lost(value, Manifests.At(read, i), $"{path}[{i}]")),
        // What is empty or false may be left out: it means the same.
        null => [],
        _ when read is null && written.ToString() is not ("" or "false" or "0") => [path],
        _ => [],
    };
}
