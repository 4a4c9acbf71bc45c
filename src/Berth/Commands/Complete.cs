using System.CommandLine;

namespace Berth.Commands;

/// <summary><c>berth complete</c>: what may follow on a command line; called by the completion scripts.</summary>
internal static class Complete
{
    public static Command Build(Command root)
    {
        var position = new Option<int?>("--position");
        var line = new Argument<string>("LINE");
        var command = new Command("complete", "List what may follow on a command line") { position, line };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            var text = parsed.GetValue(line)!;
            var cursor = Math.Clamp(parsed.GetValue(position) ?? text.Length, 0, text.Length);
            foreach (var item in root.Parse(text).GetCompletions(cursor))
                parsed.InvocationConfiguration.Output.WriteLine(item.Label);
            return ExitCodes.Ok;
        });
        return command;
    }
}
