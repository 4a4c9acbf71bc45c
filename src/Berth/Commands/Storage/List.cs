using System.Text.Json.Nodes;

namespace Berth.Commands.Storage;

/// <summary><c>berth storage list</c>.</summary>
internal static class List
{
    public static System.CommandLine.Command Build(CommandEnvironment environment) => ServerVerb.Build(
        environment, new Verb("list", "List the blob stores with their blobs and bytes", "berth storage list"), async (_, server, ct) =>
        {
            var stores = (JsonArray)await server.CallAsync(HttpMethod.Get, "/api/berth/v1/stores", null, ct);
            return ServerAnswer.Table(stores, ("NAME", "name"), ("BLOBS", "blobs"), ("BYTES", "bytes"), ("ENCRYPTED", "encrypted_blobs"), ("QUARANTINED", "quarantined_blobs"));
        });
}
