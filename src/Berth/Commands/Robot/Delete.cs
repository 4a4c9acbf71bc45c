using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Robot;

/// <summary><c>berth robot delete ID</c>.</summary>
internal static class Delete
{
    public static Command Build(CommandEnvironment environment)
    {
        var id = new Argument<long>("ID") { Description = "Number, as berth robot list shows it" };
        var verb = new Verb("delete", "Remove a robot account", "berth robot delete 5")
        {
            id,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            await server.CallAsync(HttpMethod.Delete, $"/api/v2.0/robots/{parsed.GetValue(id)}", null, ct);
            return ServerAnswer.Of(new JsonObject { ["id"] = parsed.GetValue(id) }, $"robot {parsed.GetValue(id)} removed");
        });
    }
}
