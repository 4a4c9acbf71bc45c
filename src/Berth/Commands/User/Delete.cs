using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.User;

/// <summary><c>berth user delete ID</c>.</summary>
internal static class Delete
{
    public static Command Build(CommandEnvironment environment)
    {
        var id = new Argument<long>("ID") { Description = "Number, as berth user list shows it" };
        var verb = new Verb("delete", "Remove a user with roles, tokens and sessions", "berth user delete 5")
        {
            id,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            await server.CallAsync(HttpMethod.Delete, $"/api/v2.0/users/{parsed.GetValue(id)}", null, ct);
            return ServerAnswer.Of(new JsonObject { ["id"] = parsed.GetValue(id) }, $"user {parsed.GetValue(id)} removed");
        });
    }
}
