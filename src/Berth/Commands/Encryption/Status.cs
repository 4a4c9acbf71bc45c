using System.CommandLine;

namespace Berth.Commands.Encryption;

/// <summary><c>berth encryption status</c>.</summary>
internal static class Status
{
    public static Command Build(CommandEnvironment environment) => ServerVerb.Build(
        environment,
        new Verb("status", "List the data keys of encrypted content, the newest first", "berth encryption status"),
        async (_, server, ct) => ServerAnswer.Table(
            (await server.CallAsync(HttpMethod.Get, "/api/berth/v1/encryption", null, ct))["data_keys"]!.AsArray(),
            ("ID", "id"), ("CREATED", "created_at"), ("MASTER KEY", "master_key_id"), ("CURRENT", "is_current")));
}
