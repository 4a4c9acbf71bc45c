using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Token;

/// <summary><c>berth token revoke ID</c>.</summary>
internal static class Revoke
{
    public static Command Build(CommandEnvironment environment)
    {
        var id = new Argument<long>("ID") { Description = "Number, as berth token list shows it" };
        var verb = new Verb("revoke", "Revoke an own personal access token", "berth token revoke 5")
        {
            id,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            await server.CallAsync(HttpMethod.Delete, $"/api/berth/v1/users/current/tokens/{parsed.GetValue(id)}", null, ct);
            return ServerAnswer.Of(new JsonObject { ["id"] = parsed.GetValue(id) }, $"token {parsed.GetValue(id)} revoked");
        });
    }
}
