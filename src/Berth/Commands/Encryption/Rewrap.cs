using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Encryption;

/// <summary><c>berth encryption rewrap</c>.</summary>
internal static class Rewrap
{
    public static Command Build(CommandEnvironment environment) => ServerVerb.Build(
        environment,
        new Verb("rewrap", "Wrap all data keys by the present master key; the former ones are not needed any more", "berth encryption rewrap"),
        async (_, server, ct) =>
        {
            var answer = await server.CallAsync(HttpMethod.Post, "/api/berth/v1/encryption/rewrap", new JsonObject(), ct);
            return ServerAnswer.Of(answer, $"{answer["data_keys"]!.AsArray().Count} data keys are wrapped by master key {answer["master_key_id"]}: storage.encryption.formerMasterKeys may be emptied");
        });
}
