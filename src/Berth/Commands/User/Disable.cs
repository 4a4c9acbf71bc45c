using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.User;

/// <summary><c>berth user disable ID</c>.</summary>
internal static class Disable
{
    public static Command Build(CommandEnvironment environment)
    {
        var id = new Argument<long>("ID") { Description = "Number of the user, as berth user list shows it" };
        var verb = new Verb("disable", "Keep a user from signing in, and end all sessions", "berth user disable 5")
        {
            id,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var state = await server.CallAsync(HttpMethod.Patch, $"/api/berth/v1/users/{parsed.GetValue(id)}", new JsonObject { ["is_disabled"] = true }, ct);
            return ServerAnswer.Of(state, $"user {state["name"]} disabled");
        });
    }
}
