using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Scanning;

/// <summary>
/// The script of docs/ci.md as it stands there (build, scan, push, sign, verify) with real programs, into a project whose gate keeps images with high findings back.
/// </summary>
public sealed class PipelineTests : IAsyncLifetime
{
    private const string Project = "shop";
    private readonly SignedInRegistryAndShell on = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ClientShell Shell => on.Shell;

    public async ValueTask InitializeAsync()
    {
        RegistryUnderTest.OnlyBerth("scanner");
        foreach (var program in (string[])["buildah", "skopeo", "cosign-trixie"]) Programs.Require(program);
        await on.InitializeAsync();
        // What a machine of a pipeline has: a sign-in, a registry without TLS, the database, and the programs by their names.
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryUnderTest.User}:{RegistryUnderTest.Password}"));
        Shell.Write("home/.docker/config.json", new JsonObject { ["auths"] = new JsonObject { [on.Address] = new JsonObject { ["auth"] = auth } } }.ToJsonString());
        Shell.Write("home/.config/containers/registries.conf", $"[[registry]]\nlocation = \"{on.Address}\"\ninsecure = true\n");
        Shell.Write("advisories/own.jsonl", """
            {"id":"CVE-2031-1","ecosystem":"npm","package":"shaky","vulnerable_versions":["<2.0.0"],"patched_versions":["2.0.0"],"severity":"high"}
            {"id":"CVE-2031-2","ecosystem":"npm","package":"worn","vulnerable_versions":["<9.0.0"],"patched_versions":["9.0.0"],"severity":"medium"}

            """);
        var berth = RegistryUnderTest.BerthBinary();
        await Shell.Run(berth, "db", "build", Shell.Folder.Folder("advisories"));
        await Shell.Run(berth, "db", "build", Shell.Folder.Folder("advisories"), "--db", Path.Combine(on.Registry.DataFolder, "advisories"));
        File.CreateSymbolicLink(Shell.Folder.File("bin", "berth"), berth);
        File.CreateSymbolicLink(Shell.Folder.File("bin", "cosign"), Programs.Require("cosign-trixie"));
        Shell.Set("PATH", $"{Shell.Folder.Folder("bin")}:{Environment.GetEnvironmentVariable("PATH")}");
        Shell.Write("pipeline.sh", Script());
        await Shell.Run("cosign-trixie", "generate-key-pair");
        await new ManagementApi(on.Address).Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""
            {"project_name":"{{{Project}}}","metadata":{"public":"false","prevent_vul":"true","severity":"high","auto_scan":"true","pull_gate_grace_minutes":"10"}}
            """, Ct);
    }

    public ValueTask DisposeAsync() => on.DisposeAsync();

    [Fact]
    public async Task An_image_without_severe_findings_is_pushed_signed_and_verified_and_others_are_not_pushed()
    {
        Context("worn", "1.0.0");
        var good = await Shell.Run("bash", "pipeline.sh", $"{on.Address}/{Project}/web:good", "context");
        Assert.Contains("The signatures were verified", good.All, StringComparison.Ordinal);

        Context("shaky", "1.0.0");
        var bad = await Shell.MustFail("bash", "pipeline.sh", $"{on.Address}/{Project}/web:bad", "context");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("CVE-2031-1", bad.Out, StringComparison.Ordinal);
        using var http = SignedIn();
        Assert.Equal(HttpStatusCode.NotFound, await http.Status($"/v2/{Project}/web/manifests/bad", Ct));
    }

    [Fact]
    public async Task What_the_scan_of_the_pipeline_let_through_the_gate_refuses_until_an_exception_is_made()
    {
        // A pipeline that looks at critical findings only; a later one meets the gate of the project.
        Shell.Write("lenient.sh", Script().Replace("HIGH,CRITICAL", "CRITICAL", StringComparison.Ordinal));
        Context("shaky", "1.5.0");
        await Shell.Run("bash", "lenient.sh", $"{on.Address}/{Project}/web:gate", "context");
        await RefusedAsync("gate");
        var refused = await Shell.MustFail("skopeo", "copy", on.Docker($"{Project}/web:gate"), "oci:pulled:1");
        Assert.Contains("CVE-2031-1 in shaky 1.5.0 (high, repaired in 2.0.0)", refused.All, StringComparison.Ordinal);
        await new ManagementApi(on.Address).Call(HttpMethod.Post, $"/api/berth/v1/projects/{Project}/exceptions", """{"kind":"trivyignore","name":".trivyignore","content":"CVE-2031-1 # repaired next week\n","expires_at":"2100-01-01T00:00:00Z"}""", Ct);
        await Shell.Run("skopeo", "copy", on.Docker($"{Project}/web:gate"), "oci:pulled:1");
        // The next run of the strict pipeline has the same exception beside its sources.
        Shell.Write(".trivyignore", "CVE-2031-1 # repaired next week\n");
        await Shell.Run("bash", "pipeline.sh", $"{on.Address}/{Project}/web:gate", "context");
    }

    // The first block of the page.
    private static string Script()
    {
        var page = File.ReadAllText(Path.Combine(RegistryUnderTest.SourceRoot(), "docs", "ci.md"));
        var script = page.Split("```")[1].TrimStart('\n');
        Assert.StartsWith("#!/bin/bash\n", script, StringComparison.Ordinal);
        return script;
    }

    private void Context(string package, string version)
    {
        Directory.Delete(Shell.Folder.Folder("context"), recursive: true);
        Shell.Write("context/Dockerfile", "FROM scratch\nCOPY app /app\nUSER 1000\n");
        Shell.Write($"context/app/node_modules/{package}/package.json", $$"""{"name":"{{package}}","version":"{{version}}"}""");
    }

    // The first scan ends some time after the push, and the gate believes its verdict for two seconds.
    private async Task RefusedAsync(string tag)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        using var http = SignedIn();
        while (await http.Status($"/v2/{Project}/web/manifests/{tag}", limit.Token) != HttpStatusCode.PreconditionFailed) await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, limit.Token);
    }

    private RegistryHttp SignedIn()
    {
        var http = new RegistryHttp($"http://{on.Address}");
        http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        return http;
    }
}
