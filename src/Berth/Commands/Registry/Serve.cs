using System.CommandLine;
using Berth.Server;

namespace Berth.Commands.Registry;

/// <summary><c>registry serve CONFIG</c>, as Docker Registry's program has it.</summary>
internal static class Serve
{
    public static Command Build(CommandEnvironment environment)
    {
        var config = ConfigArgument(environment);
        var verb = new Verb("serve", "Start the registry with a Docker Registry configuration", """
            berth registry serve /etc/docker/registry/config.yml
            REGISTRY_HTTP_ADDR=:5001 berth registry serve config.yml
            """)
        {
            config,
        };
        verb.SetAction((parsed, ct) => Commands.Serve.RunAsync(parsed, environment, Sources(parsed.GetValue(config)!, environment), ct));
        return verb;
    }

    /// <summary>The file may come from <c>REGISTRY_CONFIGURATION_PATH</c> instead, as there.</summary>
    public static Argument<string> ConfigArgument(CommandEnvironment environment)
    {
        var argument = new Argument<string>("CONFIG") { Description = "Docker Registry's config.yml; else $REGISTRY_CONFIGURATION_PATH" };
        if (environment.Variables.TryGetValue("REGISTRY_CONFIGURATION_PATH", out var path) && path.Length > 0)
            argument.DefaultValueFactory = _ => path;
        return argument;
    }

    public static ConfigurationSources Sources(string file, CommandEnvironment environment) =>
        new() { File = file, RequireDockerRegistryFile = true, Environment = environment.Variables };
}
