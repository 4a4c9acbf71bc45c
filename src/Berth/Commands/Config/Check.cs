using System.CommandLine;
using System.Text.Json;
using Berth.Server;

namespace Berth.Commands.Config;

/// <summary><c>berth config check</c>: everything that is wrong with a configuration, at once.</summary>
internal static class Check
{
    public static Command Build(CommandEnvironment environment)
    {
        var config = Commands.Serve.ConfigOption();
        var json = Json.Option();
        var verb = new Verb("check", "Check a configuration without starting", """
            berth config check
            berth config check --config /etc/docker/registry/config.yml
            berth config check --json | jq .problems
            """)
        {
            config, json,
        };
        verb.SetAction(parsed =>
        {
            var configuration = BerthConfiguration.Load(
                new ConfigurationSources { File = parsed.GetValue(config), Environment = environment.Variables }, out var problems);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
                WriteJson(output, configuration, problems);
            else if (configuration is null)
                return CommandLine.Refuse(parsed, problems);
            else
                output.WriteLine(configuration.DockerRegistry?.Message is { } message ? message + "\nok" : $"ok: {configuration.File ?? "no file, only defaults, environment and flags"}");
            return configuration is null ? ExitCodes.Usage : ExitCodes.Ok;
        });
        return verb;
    }

    private static void WriteJson(TextWriter output, BerthConfiguration? configuration, IReadOnlyList<Server.Platform.Options.ConfigProblem> problems) =>
        output.WriteLine(JsonSerializer.Serialize(
            new
            {
                ok = configuration is not null,
                file = configuration?.File,
                problems = problems.Select(problem => new { key = problem.Key, origin = problem.Origin.Text, message = problem.Message }),
                notices = configuration?.DockerRegistry?.Notices.Select(notice => new { key = notice.Key, kind = notice.Kind, text = notice.Text, origin = notice.Origin.Text }) ?? [],
            },
            Json.Indented));
}
