using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Robot;

/// <summary><c>berth robot refresh ID</c>.</summary>
internal static class Refresh
{
    public static Command Build(CommandEnvironment environment)
    {
        var id = new Argument<long>("ID") { Description = "Number of the robot, as berth robot list shows it" };
        var verb = new Verb("refresh", "Give a robot a new secret, printed once; the one before ends at once", "berth robot refresh 5")
        {
            id,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var answer = await server.CallAsync(HttpMethod.Patch, $"/api/v2.0/robots/{parsed.GetValue(id)}", new JsonObject(), ct);
            return ServerAnswer.Of(answer, $"new secret of robot {parsed.GetValue(id)} (shown this once): {answer["secret"]}");
        });
    }
}
