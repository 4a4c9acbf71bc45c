using System.CommandLine;

namespace Berth.Commands.Keys;

/// <summary><c>berth keys list</c>.</summary>
internal static class List
{
    public static Command Build(CommandEnvironment environment) => ServerVerb.Build(
        environment,
        new Verb("list", "List the keys that bearer tokens are accepted from, the one that signs first", "berth keys list"),
        async (_, server, ct) => ServerAnswer.Table(
            (await server.CallAsync(HttpMethod.Get, "/api/berth/v1/keys", null, ct)).AsArray(), ("ID", "id"), ("CREATED", "created_at"), ("SIGNING", "is_signing")));
}
