using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Storage;

/// <summary><c>berth storage move FROM TO</c>.</summary>
internal static class Move
{
    private const string Moves = "/api/berth/v1/stores/moves";
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    public static Command Build(CommandEnvironment environment)
    {
        var from = new Argument<string>("FROM") { Description = "Store that has the blobs, as berth storage list names it" };
        var to = new Argument<string>("TO") { Description = "Store that gets them; the same to encrypt or decrypt after encryption was switched" };
        var projects = new Option<string[]>("--project") { Description = "Only blobs that this project holds; may be given several times", HelpName = "NAME" };
        var wait = new Option<bool>("--wait") { Description = "Wait until all is moved" };
        var verb = new Verb("move", "Move blobs from one blob store to another while they are served", """
            berth storage move default archive --project old
            berth storage move default default --wait      encrypt what was stored before encryption was on
            """)
        {
            from, to, projects, wait,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var body = new JsonObject { ["from"] = parsed.GetValue(from), ["to"] = parsed.GetValue(to) };
            if (parsed.GetValue(projects) is { Length: > 0 } names) body["projects"] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
            var move = await server.CallAsync(HttpMethod.Post, Moves, body, ct);
            if (!parsed.GetValue(wait)) return ServerAnswer.Of(move, $"move {move["id"]} is queued; it goes on by itself");
            while (move["status"]?.GetValue<string>() is not ("Success" or "Error" or "Stopped"))
            {
                await Task.Delay(LookEvery, TimeProvider.System, ct);
                move = await server.CallAsync(HttpMethod.Get, $"{Moves}/{move["id"]}", null, ct);
            }
            if (move["status"]!.GetValue<string>() != "Success") throw new ServerCallException($"move {move["id"]} ended as {move["status"]}: {move["error"] ?? move["progress"]}");
            return ServerAnswer.Of(move, $"move {move["id"]}: {move["moved"]} blobs with {move["moved_bytes"]} bytes moved, {move["bad"]} quarantined");
        });
    }
}
