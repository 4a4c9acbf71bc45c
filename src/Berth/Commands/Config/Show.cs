using System.CommandLine;
using System.Text.Json;
using Berth.Server;

namespace Berth.Commands.Config;

/// <summary><c>berth config show</c>: every setting, its value and where it came from.</summary>
internal static class Show
{
    public static Command Build(CommandEnvironment environment)
    {
        var config = Commands.Serve.ConfigOption();
        var json = Json.Option();
        var changed = new Option<bool>("--changed") { Description = "Leave out settings that nobody set" };
        var verb = new Verb("show", "Show every setting with its value and origin; secrets are masked", """
            berth config show
            berth config show --changed --config /etc/berth/berth.yaml
            """)
        {
            config, changed, json,
        };
        verb.SetAction(parsed =>
        {
            var configuration = BerthConfiguration.Load(
                new ConfigurationSources { File = parsed.GetValue(config), Environment = environment.Variables }, out var problems);
            if (configuration is null)
                return CommandLine.Refuse(parsed, problems);
            var rows = configuration.Settings()
                .Where(row => !parsed.GetValue(changed) || row.Origin != Server.Platform.Options.ConfigOrigin.Default).ToArray();
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
                output.WriteLine(JsonSerializer.Serialize(rows.Select(row => new { key = row.Key, value = row.Value, origin = row.Origin.Text }), Json.Indented));
            else
                WriteTable(output, rows.Select(row => ($"{row.Key}: {row.Value}", row.Origin.Text)).ToArray());
            return ExitCodes.Ok;
        });
        return verb;
    }

    private static void WriteTable(TextWriter output, (string Setting, string Origin)[] rows)
    {
        const int widest = 60;
        var width = rows.Select(row => row.Setting.Length).Where(length => length <= widest).DefaultIfEmpty(0).Max();
        foreach (var (setting, origin) in rows)
            output.WriteLine($"{setting.PadRight(width)}  # {origin}");
    }
}
