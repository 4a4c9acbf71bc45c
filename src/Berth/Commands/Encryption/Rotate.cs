using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Encryption;

/// <summary><c>berth encryption rotate</c>.</summary>
internal static class Rotate
{
    public static Command Build(CommandEnvironment environment) => ServerVerb.Build(
        environment,
        new Verb("rotate", "Encrypt new content with a new data key; what is there stays as it is, and readable", "berth encryption rotate"),
        async (_, server, ct) =>
        {
            var answer = await server.CallAsync(HttpMethod.Post, "/api/berth/v1/encryption/rotate", new JsonObject(), ct);
            return ServerAnswer.Of(answer, $"new content is encrypted with data key {answer["data_keys"]!.AsArray().First(k => k!["is_current"]!.GetValue<bool>())!["id"]}");
        });
}
