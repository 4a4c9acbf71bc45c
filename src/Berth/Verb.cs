using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Berth;

/// <summary>A command whose help ends with examples to paste and the exit codes.</summary>
internal sealed class Verb(string name, string description, string examples) : Command(name, description)
{
    private const int HelpWidth = 110;

    /// <summary>Lines of examples, without indentation.</summary>
    public string Examples { get; } = examples;

    /// <summary>The help option that all commands below the root share.</summary>
    public static HelpOption Help()
    {
        var option = new HelpOption("--help", "-h") { Description = "Show help and examples" };
        option.Action = new HelpWithExamples(new HelpAction { MaxWidth = HelpWidth });
        return option;
    }

    private sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is Verb { Examples.Length: > 0 } verb)
            {
                var output = parseResult.InvocationConfiguration.Output;
                output.WriteLine("Examples:");
                foreach (var line in verb.Examples.Split('\n'))
                    output.WriteLine("  " + line.TrimEnd());
                output.WriteLine();
                output.WriteLine("Exit codes: 0 done, 1 failed, 2 wrong command line or configuration");
            }
            return ExitCodes.Ok;
        }
    }
}
