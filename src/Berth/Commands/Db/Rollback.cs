using System.CommandLine;
using Berth.Scanner.Advisories.Shelf;

namespace Berth.Commands.Db;

/// <summary><c>berth db rollback</c>: back to the database before the one that is used.</summary>
internal static class Rollback
{
    public static Command Command(CommandEnvironment environment)
    {
        var place = AdvisoryPlace.Option();
        var verb = new Verb("rollback", "Go back to the database before the one that is used", "berth db rollback")
        {
            place,
        };
        verb.SetAction(parsed =>
        {
            var from = AdvisoryPlace.Of(parsed.GetValue(place), environment);
            try
            {
                if (new AdvisoryShelf(from).Rollback() is { } path)
                {
                    parsed.InvocationConfiguration.Output.WriteLine(path);
                    return ExitCodes.Ok;
                }
                parsed.InvocationConfiguration.Error.WriteLine($"{from} keeps no older database");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                parsed.InvocationConfiguration.Error.WriteLine($"cannot go back: {e.Message}");
            }
            return ExitCodes.Failed;
        });
        return verb;
    }
}
