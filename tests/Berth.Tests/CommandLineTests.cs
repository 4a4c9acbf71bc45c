using System.CommandLine;
using System.Text;
using System.Text.Json;
using Berth.Server;
using Berth.Server.Tests;

namespace Berth.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("berth-cli-").FullName;
    private BerthConfiguration? served;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Help_of_every_command_is_approved()
    {
        var text = new StringBuilder();
        await WriteHelp(text, CommandLine.Berth(Environment()));
        text.Append("======== called as registry\n");
        await WriteHelp(text, CommandLine.DockerRegistry(Environment()));
        Approval.Verify(text.ToString(), "command-line-help.txt");
    }

    [Fact]
    public async Task Serve_hands_the_loaded_configuration_to_the_server_and_returns_its_code()
    {
        var (code, _, error) = await Run(["serve", "--data", "/x", "--urls", "http://a:1", "--urls", "http://b:2"]);
        Assert.Equal(7, code);
        Assert.Equal("/x", served!.Options.DataFolder);
        Assert.Equal(["http://a:1", "http://b:2"], served.Options.Http.Urls);
        Assert.Empty(error);
    }

    [Fact]
    public async Task A_command_that_is_cut_off_says_so_and_nothing_else()
    {
        Write("something to read");
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(CommandLine.Berth(Environment()), ["scan", "rootfs", folder, "--scanners", "secret"], TextWriter.Null, error, new CancellationToken(canceled: true));
        Assert.Equal(130, code);
        Assert.EndsWith("cut off" + System.Environment.NewLine, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garbage_collect_takes_berth_yaml_too()
    {
        var data = Directory.CreateTempSubdirectory("berth-collect-").FullName;
        try
        {
            var (code, output, error) = await Run(["registry", "garbage-collect", "--dry-run", Write($"dataFolder: {data}\n")]);
            Assert.Equal((0, ""), (code, error));
            Assert.Contains("0 bytes would be freed", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Registry_serve_maps_the_file_and_tells_on_standard_error_what_is_not_used()
    {
        var file = Write("version: 0.1\nstorage: filesystem\nhttp: { addr: ':5000', secret: s }\n");
        foreach (var (root, args) in new[] { ("berth", new[] { "registry", "serve", file }), ("/usr/bin/registry", ["serve", file]), ("docker-registry", ["serve", file]) })
        {
            var (code, output, error) = await Run(args, program: root);
            Assert.Equal(7, code);
            Assert.Empty(output);
            Assert.Contains("not needed: http.secret", error, StringComparison.Ordinal);
            Assert.Equal("/var/lib/registry", served!.Options.Storage.Root);
        }
    }

    [Fact]
    public async Task The_path_of_the_registry_configuration_may_come_from_its_variable()
    {
        var file = Write("version: 0.1\nstorage: filesystem\n");
        var (code, _, _) = await Run(["serve"], program: "registry", variables: new() { ["REGISTRY_CONFIGURATION_PATH"] = file });
        Assert.Equal(7, code);
        Assert.Equal(2, (await Run(["serve"], program: "registry")).Code);
    }

    [Theory]
    [InlineData("serv", "unknown command or argument \"serv\"; did you mean \"serve\"?")]
    [InlineData("config chek", "did you mean \"check\"?")]
    [InlineData("config", "see \"berth config --help\"")]
    [InlineData("serve --dta x", "did you mean \"--data\"?")]
    [InlineData("completion tcsh", "tcsh")]
    public async Task A_wrong_command_line_is_explained_and_gives_2(string line, string expected)
    {
        var (code, output, error) = await Run(line.Split(' '));
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Null(served);
    }

    [Fact]
    public async Task A_wrong_configuration_gives_2_and_does_not_start()
    {
        var file = Write("htttp: {}\nregistry: { maxTagsPerPut: 0 }\n");
        var (code, _, error) = await Run(["serve", "--config", file]);
        Assert.Equal(2, code);
        Assert.Null(served);
        Assert.Equal(
            $"the configuration has 2 problems:\n  {file}:1: htttp: there is no such setting; did you mean \"http\"?\n  {file}:2: registry.maxTagsPerPut: must be at least 1\n", error);
    }

    [Fact]
    public async Task What_keeps_the_server_from_running_is_told_and_gives_1()
    {
        var environment = new CommandEnvironment(new Dictionary<string, string>(), (_, _) => throw new IOException("address already in use"));
        var error = new StringWriter { NewLine = "\n" };
        Assert.Equal(1, await CommandLine.RunAsync(CommandLine.Berth(environment), ["serve"], TextWriter.Null, error, default));
        Assert.Equal("the server cannot run: address already in use\n", error.ToString());
    }

    [Fact]
    public async Task Config_check_reports_as_text_and_as_JSON()
    {
        var good = Write("log: { level: debug }\n");
        Assert.Equal((0, $"ok: {good}\n", ""), await Run(["config", "check", "--config", good]));
        var bad = Write("log: { levle: debug }\n");
        var (code, output, _) = await Run(["config", "check", "--json", "--config", bad]);
        Assert.Equal(2, code);
        using var json = JsonDocument.Parse(output);
        Assert.False(json.RootElement.GetProperty("ok").GetBoolean());
        Assert.Equal($"{bad}:1", json.RootElement.GetProperty("problems")[0].GetProperty("origin").GetString());
    }

    [Fact]
    public async Task Config_show_prints_values_with_origins_and_masks_secrets()
    {
        var file = Write("database: { kind: postgres, connectionString: Host=db;Password=hunter2 }\n");
        var (code, output, _) = await Run(["config", "show", "--changed", "--config", file], variables: new() { ["BERTH_LOG__LEVEL"] = "debug" });
        Assert.Equal(0, code);
        Assert.Equal($"""
            database.kind: postgres              # {file}:1
            database.connectionString: ********  # {file}:1
            log.level: debug                     # environment BERTH_LOG__LEVEL

            """, output);
        var (_, json, _) = await Run(["config", "show", "--json", "--config", file]);
        Assert.DoesNotContain("hunter2", json, StringComparison.Ordinal);
        Assert.True(JsonDocument.Parse(json).RootElement.GetArrayLength() > 50);
    }

    [Fact]
    public async Task Version_is_the_same_by_command_and_option()
    {
        var (code, output, _) = await Run(["version"]);
        Assert.Equal(0, code);
        Assert.StartsWith("berth ", output, StringComparison.Ordinal);
        Assert.Equal(output, (await Run(["--version"])).Output);
        Assert.Equal(output, (await Run(["-v"], program: "registry")).Output);
    }

    [Theory]
    [InlineData("berth conf", "config")]
    [InlineData("berth config s", "show")]
    [InlineData("berth serve --da", "--data")]
    [InlineData("berth completion z", "zsh")]
    public async Task Completion_offers_what_may_follow(string line, string word)
    {
        var (code, output, _) = await Run(["complete", "--", line]);
        Assert.Equal(0, code);
        Assert.Contains(word, output.Split('\n'));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Completion_scripts_ask_the_program(string shell) =>
        Assert.Contains("complete --position", (await Run(["completion", shell])).Output, StringComparison.Ordinal);

    private static async Task WriteHelp(StringBuilder text, Command root, Command? command = null, params string[] path)
    {
        var output = new StringWriter();
        await CommandLine.RunAsync(root, [.. path, "--help"], output, TextWriter.Null, default);
        text.Append($"======== {string.Join(' ', [root.Name, .. path])}\n").Append(output);
        foreach (var sub in (command ?? root).Subcommands.Where(sub => !sub.Hidden))
            await WriteHelp(text, root, sub, [.. path, sub.Name]);
    }

    private CommandEnvironment Environment(Dictionary<string, string>? variables = null) => new(variables ?? [], (configuration, _) =>
    {
        served = configuration;
        return Task.FromResult(7);
    });

    private async Task<(int Code, string Output, string Error)> Run(string[] args, string program = "berth", Dictionary<string, string>? variables = null)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var code = await CommandLine.RunAsync(CommandLine.For(program, Environment(variables)), args, output, error, default);
        return (code, output.ToString(), error.ToString());
    }

    private string Write(string yaml)
    {
        var file = Path.Combine(folder, "config.yaml");
        File.WriteAllText(file, yaml);
        return file;
    }
}
