using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Clients;

/// <summary>helm 3 and 4: charts as OCI artifacts.</summary>
public sealed class HelmTests(RegistryAndShell on) : IClassFixture<RegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("helm")]
    [InlineData("helm-3")]
    public async Task A_chart_is_pushed_pulled_and_rendered(string helm)
    {
        var chart = $"chart-{helm}";
        await on.Shell.Run(helm, "create", chart);
        await on.Shell.Run(helm, "package", chart);
        await on.Shell.Run(helm, "push", $"{chart}-0.1.0.tgz", $"oci://{on.Name("charts")}", "--plain-http");
        await on.Http.CheckWhole($"charts/{chart}", "0.1.0", ct);

        var back = on.Shell.Folder.Folder($"back-{helm}");
        await on.Shell.Run(helm, "pull", $"oci://{on.Name($"charts/{chart}")}", "--version", "0.1.0", "--plain-http", "-d", back);
        Assert.Equal(
            await File.ReadAllBytesAsync(on.Shell.Folder.File($"{chart}-0.1.0.tgz"), ct),
            await File.ReadAllBytesAsync(Path.Combine(back, $"{chart}-0.1.0.tgz"), ct));
        var rendered = await on.Shell.Run(helm, "template", "release", $"oci://{on.Name($"charts/{chart}")}", "--version", "0.1.0", "--plain-http");
        Assert.Contains("kind: Deployment", rendered.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("helm")]
    [InlineData("helm-3")]
    public async Task The_newest_matching_version_is_found_among_the_tags(string helm)
    {
        var chart = $"versions-{helm}";
        await on.Shell.Run(helm, "create", chart);
        foreach (var version in (string[])["1.0.0", "1.2.0", "2.0.0", "1.1.0+build.7"])
        {
            await on.Shell.Run(helm, "package", chart, "--version", version);
            await on.Shell.Run(helm, "push", $"{chart}-{version}.tgz", $"oci://{on.Name("charts")}", "--plain-http");
        }

        var shown = await on.Shell.Run(helm, "show", "chart", $"oci://{on.Name($"charts/{chart}")}", "--version", "^1.0.0", "--plain-http");
        Assert.Contains("version: 1.2.0", shown.Out, StringComparison.Ordinal);
    }
}
