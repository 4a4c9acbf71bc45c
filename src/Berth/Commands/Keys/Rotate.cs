using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Keys;

/// <summary><c>berth keys rotate</c>.</summary>
internal static class Rotate
{
    public static Command Build(CommandEnvironment environment)
    {
        var revoke = new Option<bool>("--revoke-others") { Description = "End all tokens that other keys have signed: for a key that somebody may have seen" };
        var verb = new Verb("rotate", "Sign bearer tokens with a new key; those of the keys before are good until they end", """
            berth keys rotate
            berth keys rotate --revoke-others
            """)
        {
            revoke,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var key = await server.CallAsync(HttpMethod.Post, "/api/berth/v1/keys/rotate", new JsonObject { ["revoke_others"] = parsed.GetValue(revoke) }, ct);
            return ServerAnswer.Of(key, $"tokens are signed with key {key["id"]}{(parsed.GetValue(revoke) ? ", all others were revoked" : "")}");
        });
    }
}
