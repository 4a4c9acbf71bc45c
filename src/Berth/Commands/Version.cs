using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Berth.Commands;

/// <summary><c>berth version</c>.</summary>
internal static class Version
{
    public static Command Build()
    {
        var json = Json.Option();
        var verb = new Verb("version", "Show the version", """
            berth version
            berth version --json
            """)
        {
            json,
        };
        verb.SetAction(parsed => Write(parsed.InvocationConfiguration.Output, parsed.GetValue(json)));
        return verb;
    }

    /// <summary>The version as reports name it.</summary>
    public static string Number() => (typeof(Version).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    private static int Write(TextWriter output, bool asJson)
    {
        var parts = (typeof(Version).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+', 2);
        var (version, commit) = (parts[0], parts.Length > 1 ? parts[1] : "");
        var platform = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}";
        output.WriteLine(asJson
            ? JsonSerializer.Serialize(new { version, commit, platform }, Json.Indented)
            : $"berth {version}{(commit.Length == 0 ? "" : $" ({commit[..Math.Min(12, commit.Length)]})")}, {platform}");
        return ExitCodes.Ok;
    }

    /// <summary>The option <c>--version</c>.</summary>
    internal sealed class Print : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult) => Write(parseResult.InvocationConfiguration.Output, asJson: false);
    }
}
