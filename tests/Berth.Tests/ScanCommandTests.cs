using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Tests;

public sealed class ScanCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("berth-scan-").FullName;

    public ScanCommandTests()
    {
        var source = Directory.CreateDirectory(Path.Join(folder, "source")).FullName;
        File.WriteAllText(Path.Join(source, "npm.jsonl"), """{"id":"CVE-2020-1","ecosystem":"npm","package":"left-pad","vulnerable_versions":["<1.3.1"],"patched_versions":["1.3.1"],"severity":"high"}""" + "\n");
        var root = Directory.CreateDirectory(Path.Join(folder, "root", "node_modules", "left-pad")).FullName;
        File.WriteAllText(Path.Join(root, "package.json"), """{"name":"left-pad","version":"1.3.0"}""");
        WriteImage(Path.Join(folder, "image.tar"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_database_is_built_asked_exported_and_taken_over()
    {
        var (code, output, error) = await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("1 advisories", output, StringComparison.Ordinal);
        var (_, json, _) = await Run("db", "status", "--db", Db, "--json");
        Assert.Equal(1, JsonNode.Parse(json)!["advisories"]!.GetValue<int>());

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (secret, open) = (Path.Join(folder, "key.pem"), Path.Join(folder, "pub.pem"));
        await File.WriteAllTextAsync(secret, key.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(open, key.ExportSubjectPublicKeyInfoPem());
        var bundle = Path.Join(folder, "bundle.tar");
        Assert.Equal(0, (await Run("db", "export", bundle, "--db", Db, "--sign-key", secret)).Code);
        var other = Path.Join(folder, "other");
        Assert.Equal(2, (await Run("db", "import", bundle, "--db", other)).Code);
        Assert.Equal(0, (await Run("db", "import", bundle, "--db", other, "--key", open)).Code);
        Assert.Equal(0, (await Run("db", "status", "--db", other)).Code);
        Assert.Equal(1, (await Run("db", "rollback", "--db", other)).Code);
    }

    [Fact]
    public async Task Nothing_is_judged_without_a_database_and_an_empty_folder_makes_none()
    {
        var (code, _, error) = await Run("scan", "--input", Path.Join(folder, "image.tar"), "--db", Db);
        Assert.Equal(1, code);
        Assert.Contains("there is no advisory database", error, StringComparison.Ordinal);
        Assert.Equal(1, (await Run("db", "build", Directory.CreateDirectory(Path.Join(folder, "empty")).FullName, "--db", Db)).Code);
        Assert.Equal(1, (await Run("db", "status", "--db", Db)).Code);
    }

    [Theory]
    [InlineData("scan --input image.tar")]
    [InlineData("scan rootfs root")]
    [InlineData("scan fs root")]
    [InlineData("scan sbom bom.json")]
    public async Task What_is_found_is_reported_and_may_set_the_exit_code(string line)
    {
        await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        var (bomCode, _, bomError) = await Run("sbom", "--rootfs", Path.Join(folder, "root"), "--output", Path.Join(folder, "bom.json"));
        Assert.Equal((0, ""), (bomCode, bomError));
        string[] args = [.. line.Split(' ').Select(word => File.Exists(Path.Join(folder, word)) || Directory.Exists(Path.Join(folder, word)) ? Path.Join(folder, word) : word), "--db", Db, "--quiet"];
        var (code, output, error) = await Run([.. args, "--format", "json", "--exit-code", "5"]);
        Assert.Equal((5, ""), (code, error));
        var found = JsonNode.Parse(output)!["Results"]!.AsArray().SelectMany(r => r!["Vulnerabilities"]?.AsArray() ?? []).Single()!;
        Assert.Equal(("CVE-2020-1", "left-pad", "1.3.0"), ((string?)found["VulnerabilityID"], (string?)found["PkgName"], (string?)found["InstalledVersion"]));
        await File.WriteAllTextAsync(Path.Join(folder, "ignore"), "CVE-2020-1\n");
        Assert.Equal(0, (await Run([.. args, "--ignorefile", Path.Join(folder, "ignore"), "--exit-code", "5"])).Code);
        Assert.Equal(0, (await Run([.. args, "--pkg-types", "os", "--exit-code", "5"])).Code);
        Assert.Equal(2, (await Run([.. args, "--severity", "SEVERE"])).Code);
        // What a script for Trivy says beside it.
        string[] script = ["--cache-dir", Path.Join(folder, "cache"), "--security-checks", "vuln", "--offline-scan", "--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--disable-telemetry"];
        (code, _, error) = await Run([.. args, .. script, "--exit-code", "5"]);
        Assert.Equal((5, ""), (code, error));
    }

    [Theory]
    [InlineData("rootfs", "Node.js left-pad 1.3.0")]
    [InlineData("fs", "package-lock.json left-pad 1.3.0", "package-lock.json left-pad 1.2.0")]
    [InlineData("filesystem", "package-lock.json left-pad 1.3.0", "package-lock.json left-pad 1.2.0")]
    public async Task The_lock_files_of_a_project_count_and_what_they_pin_stands_once(string kind, params string[] expected)
    {
        await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        await File.WriteAllTextAsync(Path.Join(folder, "root", "package-lock.json"), """
            {"name":"shop","lockfileVersion":3,"packages":{"":{"name":"shop","dependencies":{"left-pad":"1.3.0","old":"1.0.0"}},"node_modules/left-pad":{"version":"1.3.0"},
             "node_modules/old":{"version":"1.0.0"},"node_modules/old/node_modules/left-pad":{"version":"1.2.0"}}}
            """);
        var (code, output, error) = await Run("scan", kind, Path.Join(folder, "root"), "--db", Db, "--quiet", "--format", "json");
        Assert.Equal((0, ""), (code, error));
        var report = JsonNode.Parse(output)!;
        Assert.Equal("filesystem", (string?)report["ArtifactType"]);
        Assert.Equal(expected.Order(StringComparer.Ordinal), report["Results"]!.AsArray()
            .SelectMany(static result => (result!["Vulnerabilities"]?.AsArray() ?? []).Select(found => $"{result["Target"]} {found!["PkgName"]} {found["InstalledVersion"]}")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_template_may_come_from_a_file()
    {
        await Run("db", "build", Path.Join(folder, "source"), "--db", Db);
        await File.WriteAllTextAsync(Path.Join(folder, "own.tpl"), "{{ range . }}{{ range .Vulnerabilities }}\n{{ .VulnerabilityID }} --help {{ end }}{{ end }}");
        var (code, output, error) = await Run("scan", "rootfs", Path.Join(folder, "root"), "--db", Db, "--quiet", "--format", "template", "--template", "@" + Path.Join(folder, "own.tpl"));
        Assert.Equal((0, "\nCVE-2020-1 --help ", ""), (code, output, error));
        Assert.Equal(2, (await Run("scan", "rootfs", Path.Join(folder, "root"), "--db", Db, "--format", "template", "--template", "@none.tpl")).Code);
    }

    [Fact]
    public async Task Rules_for_secrets_may_come_from_a_file()
    {
        await File.WriteAllTextAsync(Path.Join(folder, "root", "note.txt"), "the word is open-sesame-1234\n");
        await File.WriteAllTextAsync(Path.Join(folder, "rules.yaml"), "rules:\n  - id: sesame\n    category: tales\n    title: Sesame\n    severity: HIGH\n    regex: open-sesame-\\d+\n");
        var (code, output, error) = await Run("scan", "rootfs", Path.Join(folder, "root"), "--scanners", "secret", "--secret-config", Path.Join(folder, "rules.yaml"), "--format", "json", "--exit-code", "5");
        Assert.True(code == 5, error);
        Assert.Contains("sesame", output, StringComparison.Ordinal);
        Assert.DoesNotContain("1234", output, StringComparison.Ordinal);
        Assert.Equal(2, (await Run("scan", "rootfs", Path.Join(folder, "root"), "--scanners", "secret", "--secret-config", Path.Join(folder, "none.yaml"))).Code);
    }

    private string Db => Path.Join(folder, "db");

    private async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var environment = new CommandEnvironment(new Dictionary<string, string> { ["XDG_CACHE_HOME"] = Path.Join(folder, "cache") }, (_, _) => Task.FromResult(0));
        var code = await CommandLine.RunAsync(CommandLine.Berth(environment), args, output, error, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }

    private static void WriteImage(string path)
    {
        var buffer = new MemoryStream();
        using (var layer = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true)) Add(layer, "node_modules/left-pad/package.json", """{"name":"left-pad","version":"1.3.0"}"""u8.ToArray());
        var diffId = Convert.ToHexStringLower(SHA256.HashData(buffer.ToArray()));
        using var tar = new TarWriter(File.Create(path), TarEntryFormat.Ustar);
        Add(tar, "config.json", Encoding.UTF8.GetBytes($$$"""{"rootfs":{"diff_ids":["sha256:{{{diffId}}}"]}}"""));
        Add(tar, "0/layer.tar", buffer.ToArray());
        Add(tar, "manifest.json", """[{"Config":"config.json","RepoTags":["shop/web:1"],"Layers":["0/layer.tar"]}]"""u8.ToArray());
    }

    private static void Add(TarWriter tar, string name, byte[] bytes) => tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
}
