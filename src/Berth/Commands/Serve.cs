using System.CommandLine;
using System.Data.Common;
using System.Net.Sockets;
using Berth.Server;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Secrets;

namespace Berth.Commands;

/// <summary><c>berth serve</c>: load the configuration, run the server.</summary>
internal static class Serve
{
    public static Command Build(CommandEnvironment environment)
    {
        var config = ConfigOption();
        var data = new Option<string?>("--data", "-d") { Description = "Folder for database, blobs and keys (setting dataFolder)", HelpName = "DIR" };
        var urls = new Option<string[]>("--urls", "-u")
        {
            Description = "Address to listen on; may be repeated (setting http.urls)",
            HelpName = "URL",
            AllowMultipleArgumentsPerToken = true,
        };
        var verb = new Verb("serve", "Start the registry", """
            berth serve
            berth serve --data /srv/berth --urls http://*:5000
            berth serve --config /etc/berth/berth.yaml
            BERTH_HTTP__URLS=http://*:5000 BERTH_LOG__LEVEL=debug berth serve
            """)
        {
            config, data, urls,
        };
        verb.SetAction((parsed, ct) =>
        {
            var flags = new List<(string, string, IReadOnlyList<string>)>();
            if (parsed.GetValue(data) is { } folder)
                flags.Add(("dataFolder", "--data", [folder]));
            if (parsed.GetValue(urls) is { Length: > 0 } addresses)
                flags.Add(("http.urls", "--urls", addresses));
            var sources = new ConfigurationSources { File = parsed.GetValue(config), Environment = environment.Variables, Flags = flags };
            return RunAsync(parsed, environment, sources, ct);
        });
        return verb;
    }

    public static Option<string?> ConfigOption() => new("--config", "-c")
    {
        Description = "Configuration file: berth.yaml or Docker Registry's config.yml; else $BERTH_CONFIG, ./berth.yaml, /etc/berth/berth.yaml",
        HelpName = "FILE",
    };

    public static async Task<int> RunAsync(ParseResult parsed, CommandEnvironment environment, ConfigurationSources sources, CancellationToken ct)
    {
        var configuration = BerthConfiguration.Load(sources, out var problems);
        if (configuration is null)
            return CommandLine.Refuse(parsed, problems);
        var error = parsed.InvocationConfiguration.Error;
        if (configuration.DockerRegistry is { } report)
            await error.WriteLineAsync(report.Message);
        try
        {
            return await environment.RunServer(configuration, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Told to stop while still starting: nothing was served, nothing is half done.
            return ExitCodes.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or DbException or DatabaseIsNewerException or WrongSecretKeyException)
        {
            // The address is taken, the folder cannot be written, the database does not answer: for the operator, not a bug.
            await error.WriteLineAsync($"the server cannot run: {e.Message}");
            return ExitCodes.Failed;
        }
    }
}
